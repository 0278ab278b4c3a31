"""The references of a task, from all sources, nearest first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from egca_plugin.errors import TaskError
from egca_plugin.program.compiling import compile_error
from egca_plugin.program.structure import similarity
from egca_plugin.references.bank import Bank
from egca_plugin.types import Task


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole program that passes the task's tests.

    ``name`` is what records say: ``canonical``, ``given:1``, ``bank:3f2a91c0``.
    """

    source: str
    name: str


class References:
    """All references that there are, for the pipeline of one worker process.

    ``given`` maps a task's id to further correct programs of the user; ``egca preflight`` checks them.
    """

    def __init__(self, bank: Bank | None = None, given: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.bank = bank
        self._given = given or {}

    def pool(self, task: Task) -> tuple[Reference, ...]:
        """The references of ``task``, most trusted first; empty where there is none."""
        found = [Reference(task.reference, "canonical")] if task.reference else []
        found += [Reference(source, f"given:{n}") for n, source in enumerate(self._given.get(task.task_id, ()), 1)]
        if self.bank is not None:
            found += [Reference(source, bank_name(source)) for source in self.bank.programs(task)]
        return tuple(found)

    def nearest(self, task: Task, source: str, limit: int = 3) -> tuple[Reference, ...]:
        """The references that ``source`` is built most like."""
        return nearest(source, self.pool(task), task.entry_point, limit)


def nearest(source: str, references: Iterable[Reference], entry_point: str, limit: int = 3) -> tuple[Reference, ...]:
    """At most ``limit`` references by falling similarity of ``source`` to them; equal ones stay in their order."""
    return tuple(sorted(references, key=lambda r: -similarity(source, r.source, entry_point))[:limit])


def bank_name(source: str) -> str:
    """The name of a banked program: by its text, so that records of any step and node agree."""
    return f"bank:{sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def load_given(path: Path) -> dict[str, tuple[str, ...]]:
    """Read further references: one JSON object a line with ``task_id`` and ``source``. Raises TaskError."""
    given: dict[str, tuple[str, ...]] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: cannot be read as references ({error})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            task_id, source = row["task_id"], row["source"]
        except (ValueError, KeyError, TypeError) as error:
            raise TaskError(f"{path}:{number}: got {line[:80]!r}, expected {{task_id, source}}") from error
        if not isinstance(task_id, str) or not isinstance(source, str):
            raise TaskError(f"{path}:{number}: expected texts in task_id and source")
        wrong = compile_error(source)
        if wrong is not None:
            raise TaskError(f"{path}:{number}, field source: does not compile (line {wrong.line}: {wrong.message})")
        given[task_id] = (*given.get(task_id, ()), source)
    return given
