"""The corpus: tasks in one normal form, their two halves, and the labelled buggy programs."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import TaskError
from egca_plugin.program.preamble import prepared
from egca_plugin.tasks import starter
from egca_plugin.tasks.files import load_tasks
from egca_plugin.tasks.layouts import humaneval, mbpp
from egca_plugin.types import Span, Task

FORMS = ("plain", "restructured", "independent", "sampled", "stdin")
HALVES = ("development", "test")


@dataclass(frozen=True, slots=True)
class Subject:
    """A buggy program whose fault is known.

    ``lines`` are the 1-based lines that a strict top-1 hit may name; ``spans`` the characters of the faulty expression,
    or zero-width points where a missing statement belongs. ``operator`` names the mutation operator or, for independent
    programs, the kind of mistake. ``category`` is ``wrong`` (something is there and is wrong) or ``omission``.
    ``fixed`` is the right version of the same form, empty where it is not known.
    """

    id: str
    task_id: str
    form: str
    operator: str
    category: str
    program: str
    lines: tuple[int, ...]
    spans: tuple[Span, ...]
    fixed: str = ""

    @property
    def half(self) -> str:
        return half(self.task_id)

    @property
    def digest(self) -> str:
        """Of the program and its label: the same id may stand for another program in another corpus."""
        return hashlib.sha256(f"{self.lines}{self.program}".encode()).hexdigest()[:12]


def half(task_id: str) -> str:
    """``development`` or ``test``, by a hash of the task: all programs of one task are in one half."""
    return HALVES[hashlib.sha256(task_id.encode()).digest()[0] % 2]


# --- tasks ------------------------------------------------------------------------------------------------------


def tasks(mbpp_path: Path | None, further: Path | None = None) -> dict[str, Task]:
    """HumanEval, the starter tasks, and MBPP where its file is given, by id, with references in normal form.

    ``further``: a file that `egca prepare` wrote; its tasks come with the preamble that they are judged with.
    """
    found = humaneval.load() + starter.load() + (mbpp.load(mbpp_path) if mbpp_path is not None else ())
    if further is not None:
        found += tuple(prepared(task, EgcaConfig()) for task in load_tasks(further))
    return {
        task.task_id: replace(task, preamble=normalise(task.preamble), reference=normalise(task.reference))
        for task in found
    }


def normalise(source: str) -> str:
    """``source`` in the one layout of ``ast.unparse``, without docstrings and annotations.

    All localisers then see only code that decides behaviour, and no comparison of texts is spoilt by layout.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


# --- files ------------------------------------------------------------------------------------------------------


def dump(subjects: Iterable[Subject], path: Path) -> int:
    """Write one JSON object a line; returns how many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for subject in subjects:
            row = asdict(subject) | {"spans": [[span.start, span.end] for span in subject.spans]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def load(path: Path) -> list[Subject]:
    """Read what :func:`dump` wrote. Raises TaskError with the file and line for a row that is not a subject."""
    subjects = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                subjects.append(_subject(json.loads(line)))
            except (ValueError, TypeError, KeyError) as error:
                raise TaskError(f"{path}:{number}: got no labelled program ({error!r})") from error
    return subjects


def _subject(row: dict[str, Any]) -> Subject:
    spans = tuple(Span(start, end) for start, end in row.pop("spans"))
    return Subject(**row | {"lines": tuple(row["lines"]), "spans": spans})
