"""Constraints named by a language model, as in the paper (METHOD.md, step 2): offline, once, kept in the task.

The model is asked for kinds that have a machine check; of its answer only what has a known kind and value, and what the
reference itself satisfies, is kept. The result goes into the task's ``constraints``, so that training never asks a
model; its answers stay beside the prepared data.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from egca_plugin.program.constraints import COMPLEXITY, Constraint, check, derive
from egca_plugin.tasks.chat import ChatServer
from egca_plugin.types import Task

Ask = Callable[[str], str]  # a question to a model, such as ChatServer.ask

_CONTAINERS = ("dict", "set", "deque", "heap", "Counter")
_VALUES = {
    "form": r"recursion|loop|straight",
    "nesting": r"[1-9]",
    "sorts": r"yes|no",
    "containers": rf"(?:(?:{'|'.join(_CONTAINERS)})(?:,(?!$)|$))*",
    "modules": r"(?:[A-Za-z_]\w*(?:,(?!$)|$))*",
    "mutates": r"no",
    "complexity": "|".join(COMPLEXITY),
}

PROMPT = """\
Which algorithmic constraints does this reference solution suggest for solving the problem? Name only what matters.

Problem:
{problem}

Reference:
{reference}

Answer with one JSON object and nothing else. Allowed keys and values, all optional:
"form": "recursion", "loop" or "straight" (neither)
"nesting": how deep loops may nest, "1" to "9"
"sorts": "yes" or "no"
"containers": the containers besides lists that may be used, of {containers}, joined by commas
"modules": the modules that may be imported, joined by commas
"mutates": "no" if the arguments must not change
"complexity": of {complexity}"""


def extract(task: Task, ask: Ask, measured: Constraint | None = None) -> Task:
    """``task`` with its signature constraints and those that the model names for it.

    ``measured``: the complexity class of the reference, where one is known. A task that has constraints already is
    returned unchanged, unasked. Whatever ``ask`` raises passes through.
    """
    if task.constraints:
        return task
    question = PROMPT.format(
        problem=task.prompt.strip(),
        reference=task.reference.strip(),
        containers=", ".join(_CONTAINERS),
        complexity=", ".join(COMPLEXITY),
    )
    constraints = (*derive(task, "signature"), *kept(ask(question), task, measured))
    return replace(task, constraints=tuple(map(str, constraints)))


def kept(answer: str, task: Task, measured: Constraint | None = None) -> tuple[Constraint, ...]:
    """What of a model's answer can be checked and holds for the reference, in the order of kinds.

    A complexity class holds where it is no faster than the one that was ``measured``.
    """
    found = re.search(r"\{[^{}]*\}", answer)
    try:
        named = json.loads(found.group()) if found else {}
    except (ValueError, RecursionError):
        named = {}
    constraints = []
    for kind, pattern in _VALUES.items():
        value = named.get(kind)
        value = re.sub(r"\s*,\s*", ",", str(value).strip()) if isinstance(value, str | int) else None
        if value is not None and re.fullmatch(pattern, value):
            constraint = Constraint(kind, value, task.entry_point)
            if not check((constraint,), task.reference) and (kind != "complexity" or _allows(value, measured)):
                constraints.append(constraint)
    return tuple(constraints)


def _allows(value: str, measured: Constraint | None) -> bool:
    return measured is not None and COMPLEXITY.index(value) >= COMPLEXITY.index(measured.value)


class Answers:
    """A model's answers in a file, one JSON object a line: what is there is not asked again, and no crash loses any."""

    def __init__(self, path: Path, server: ChatServer) -> None:
        self._path, self._server = path, server
        self._known: dict[str, str] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        try:
            row = json.loads(line)
            self._known[str(row["question"])] = str(row["answer"])
        except (ValueError, LookupError, TypeError):  # the last line of a run that was killed: asked again
            pass

    def ask(self, question: str) -> str:
        """The model's answer, from the file or from the server. Raises AssetError."""
        key = hashlib.sha256(f"{self._server.model}\0{question}".encode("utf-8", "surrogatepass")).hexdigest()
        if key not in self._known:
            self._known[key] = self._server.ask(question)
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps({"question": key, "answer": self._known[key]}))
        return self._known[key]
