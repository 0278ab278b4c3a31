"""Further correct programs that the user gives: one JSON object a line with ``task_id`` and ``source``.

That they are correct is checked, not believed: a wrong one would draw blame to statements that are right. Each is
judged twice by its task's tests, in ``egca preflight --references`` and again by each process before its first use.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from egca_plugin import jsonl
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.referee import Sessions, judge
from egca_plugin.program.compiling import compile_error
from egca_plugin.references.store import key_of
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

HANDLER = "egca_plugin.references.given:handler"

_log = logging.getLogger(__name__)


class Given:
    """The given programs of all tasks, for one process. ``sources`` is by task id."""

    def __init__(self, sources: Mapping[str, tuple[str, ...]], sandbox: Sessions) -> None:
        self._sources, self._sandbox = sources, sandbox
        self._sound: dict[str, Sequence[tuple[int, str]]] = {}

    def sound(self, task: Task) -> Sequence[tuple[int, str]]:
        """``(number, source)`` of those that pass, counted from 1 in the file's order. Raises SandboxError."""
        sources = self._sources.get(task.task_id)
        if not sources:
            return ()
        key = key_of(task)
        if key not in self._sound:
            self._sound[key] = [(n, s) for n, s in enumerate(sources, 1) if self._passes(task, n, s)]
        return self._sound[key]

    def _passes(self, task: Task, number: int, source: str) -> bool:
        wrong = fault(self._sandbox, task, source)
        if wrong:
            _log.warning("egca: %s: given reference %d is not used: %s", task.task_id, number, wrong)
        return not wrong


def fault(sandbox: Sessions, task: Task, source: str) -> str:
    """Why a given program is no reference, or ``""``. Raises SandboxError, TaskError for tests that cannot be run."""
    verdict = judge(sandbox, source, task, check_stable=True)
    if not verdict.passed:
        return f"it fails its tests ({verdict.detail or verdict.outcome.value})"
    return "" if verdict.stable else "two runs of it differ"


def handler(sandbox: Sandbox, config: EgcaConfig) -> Callable[[tuple[Task, str]], str]:
    """What a pool's worker runs in preflight: :func:`fault` of a task and a program."""
    return lambda pair: fault(sandbox, *pair)


def load_given(path: Path) -> dict[str, tuple[str, ...]]:
    """Read further references: one JSON object a line with ``task_id`` and ``source``. Raises TaskError."""
    given: dict[str, tuple[str, ...]] = {}
    for where, row in jsonl.rows(path, TaskError):
        task_id, source = row.get("task_id"), row.get("source")
        if not isinstance(task_id, str) or not isinstance(source, str):
            raise TaskError(f"{where}: got {jsonl.kind(row)}, expected {{task_id, source}}, both texts")
        wrong = compile_error(source)
        if wrong is not None:
            raise TaskError(f"{where}, field source: does not compile (line {wrong.line}: {wrong.message})")
        given[task_id] = (*given.get(task_id, ()), source)
    return given
