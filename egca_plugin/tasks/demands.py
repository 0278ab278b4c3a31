"""What tasks demand of a program's form and which of it a judged program breaks, and what is demanded of a task."""

from __future__ import annotations

from egca_plugin.errors import TaskError
from egca_plugin.program.compiling import compile_error
from egca_plugin.program.constraints import Constraint, Violation, check, derive
from egca_plugin.program.memo import Memo, remembered
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks import complexity
from egca_plugin.types import Program, SourceError, Task, Verdict

_TASKS = 8_000_000  # characters of tasks whose constraints are remembered


class Demands:
    """``level``: at which constraints are derived. ``sandbox``: where a complexity class is measured, None for nowhere.

    What depends on the task alone is remembered.
    """

    def __init__(self, level: str, sandbox: Sandbox | None) -> None:
        self._level, self._sandbox = level, sandbox
        self._derived: Memo[tuple[Constraint, ...]] = Memo(_TASKS)

    def broken(self, task: Task, key: str, program: Program, verdict: Verdict) -> tuple[Violation, ...]:
        """What ``program`` breaks; ``key`` is the task's. Raises TaskError, SandboxError."""
        if not program.compiles:
            return ()
        constraints = self._derived.get((key, task.reference, *task.constraints), lambda: derive(task, self._level))
        found = list(check(constraints, program.source))
        if self._sandbox is not None:
            calls = [tested.call for tested in verdict.calls]
            demanded = [constraint for constraint in constraints if constraint.kind == "complexity"]
            measured = [complexity.violation(self._sandbox, each, program.source, calls) for each in demanded]
            found += [violation for violation in measured if violation is not None]
        return tuple(found)


def require_reference(task: Task) -> None:
    """Raises TaskError where the task has a reference that does not compile."""
    error = _reference_error(task.reference, task.entry_point) if task.reference else None
    if error is not None:
        raise TaskError(
            f"{task.task_id}, field reference: does not compile (line {error.line}: {error.message}); mend it or leave "
            "the task out: egca preflight names every such task"
        )


@remembered(8_000_000)
def _reference_error(source: str, entry_point: str) -> SourceError | None:
    return compile_error(source)
