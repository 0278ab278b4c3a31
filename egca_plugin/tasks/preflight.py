"""Is a task fit to train on: is its reference sound, stable and fast, and do its tests notice small faults?

Everything runs through the sandbox and its referee, as training will: what preflight passes, training can judge.
"""

from __future__ import annotations

import ast
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import TaskError
from egca_plugin.localize.evidence import distinct_calls
from egca_plugin.localize.reference import open_saved, warm
from egca_plugin.localize.saved import SavedTraces
from egca_plugin.program.mutate import mutants
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.referee import judge
from egca_plugin.types import Task, Verdict

HANDLER = "egca_plugin.tasks.preflight:handler"
REFERENCE_TIMEOUT_S = 30.0  # generous: a slow reference is listed as slow, not as broken
SLOW_SHARE = 0.25  # of the time that training gives a program
MUTANTS = 8  # per task
MUTANT_TIMEOUT = (0.25, 2.0)  # a mutant hangs after so many seconds plus so many times the reference's own
WEAK_BELOW = 0.5  # share of the mutants that the tests must notice; some mutants are equivalent to the reference
MAX_STEPS = 10_000_000
_NONE = wire.encode(None)
_QUOTED = 80  # characters of an assertion
DEADLINE_S = 900.0  # for one task: more than all of the above can add up to


class Fault(str, Enum):
    """Why a task may not be fit."""

    UNSOUND = "unsound"  # the reference fails its own tests
    UNSTABLE = "unstable"  # two runs of the reference differ
    SLOW = "slow"
    WEAK = "weak"  # the tests notice few faults
    VACUOUS = "vacuous"  # an assertion holds for a function that gives nothing


@dataclass(frozen=True, slots=True)
class Health:
    """What was found about one task. ``faults`` maps each fault to its reason.

    ``ms`` is the wall clock of the reference with all tests, ``steps`` its executed statements; ``killed`` of
    ``mutants`` small faults made a test fail.
    """

    task_id: str
    faults: tuple[tuple[Fault, str], ...] = ()
    tests: int = 0
    ms: float = 0.0
    steps: int = 0
    mutants: int = 0
    killed: int = 0

    @property
    def kinds(self) -> frozenset[Fault]:
        return frozenset(fault for fault, _ in self.faults)

    @property
    def mutation_score(self) -> float | None:
        """Share of the mutants that were noticed, None where the reference has nothing to mutate."""
        return self.killed / self.mutants if self.mutants else None


def examine(sandbox: Sandbox, task: Task, saved: SavedTraces | None = None) -> Health:
    """Judge the reference twice, count its steps, and try its mutants. Raises SandboxError only.

    ``saved`` gets the reference's traces, for training to find.
    """
    try:
        _check_setup(task)
        verdict = judge(sandbox, task.reference, task, timeout_s=REFERENCE_TIMEOUT_S, check_stable=True)
    except TaskError as error:
        return Health(task.task_id, ((Fault.UNSOUND, str(error).removeprefix(f"{task.task_id}: ")),))
    if not verdict.passed:
        reason = verdict.detail or verdict.outcome.value
        return Health(task.task_id, ((Fault.UNSOUND, reason),), verdict.tests_total, verdict.ms)
    tried, killed = _mutation_score(sandbox, task, verdict.ms)
    faults = []
    if not verdict.stable:
        faults.append((Fault.UNSTABLE, _why_unstable(sandbox, task, verdict)))
    allowed_ms = 1e3 * sandbox.config.timeout_s
    if verdict.ms > SLOW_SHARE * allowed_ms:
        faults.append((Fault.SLOW, f"the reference takes {verdict.ms:.0f} ms of the {allowed_ms:.0f} ms allowed"))
    if tried and killed < WEAK_BELOW * tried:
        faults.append((Fault.WEAK, f"the tests notice {killed} of {tried} small faults"))
    vacuous = _vacuous(sandbox, task, verdict)
    if vacuous:
        faults.append((Fault.VACUOUS, f"holds for a function that returns None: {vacuous}"))
    steps = _steps(sandbox, task, verdict)
    if saved is not None and verdict.stable:
        warm(task.reference, list(distinct_calls(verdict)), sandbox, saved)
    return Health(task.task_id, tuple(faults), verdict.tests_total, verdict.ms, steps, tried, killed)


def handler(sandbox: Sandbox, config: EgcaConfig) -> Callable[[Task], Health]:
    """What a pool's worker runs."""
    saved = open_saved(config)
    return lambda task: examine(sandbox, task, saved)


def _check_setup(task: Task) -> None:
    """The setup must stand alone: what only the reference defines (mbpp/367's ``Node``), no candidate can know."""
    try:
        exec(compile(task.setup, f"<setup of {task.task_id}>", "exec"), {"__name__": "setup"})  # noqa: S102 - the task's
    except Exception as error:  # the boundary to a task's code, which may raise anything
        raise TaskError(f"{task.task_id}: the setup fails on its own: {type(error).__name__}: {error}") from error


def _why_unstable(sandbox: Sandbox, task: Task, verdict: Verdict) -> str:
    again = judge(sandbox, task.reference, task, timeout_s=REFERENCE_TIMEOUT_S)
    if [tested.call for tested in again.calls] != [tested.call for tested in verdict.calls]:
        return "the tests draw random inputs"
    return "the reference's results change with the hash seed, the clock or the random seed"


def _vacuous(sandbox: Sandbox, task: Task, verdict: Verdict) -> str:
    """The assertions that hold for a function which returns None, though the reference gives them something else."""
    stub = f"def {task.entry_point}(*args, **kwargs):\n    return None\n"
    held = {tested.test for tested in judge(sandbox, stub, task).calls if tested.passed}
    asked = {tested.test for tested in verdict.calls if tested.result.value != _NONE}
    return ", ".join(_quoted(task, test) for test in sorted(held & asked))


def _quoted(task: Task, test: int) -> str:
    """An assertion in its words where it stands alone, else by its number."""
    if isinstance(task.tests, str) or test >= len(task.tests):
        return f"test {test}"
    return f"test {test} ({task.tests[test][:_QUOTED]})"


def _steps(sandbox: Sandbox, task: Task, verdict: Verdict) -> int:
    """Executed statements over all calls that the tests made (the recorded ones: the referee keeps 200)."""
    counted = ast.unparse(ast.fix_missing_locations(_CountSteps().visit(ast.parse(task.reference))))
    calls = [tested.call for tested in verdict.calls]
    (results,) = sandbox.run_batch([counted], calls, steps=MAX_STEPS, timeout_s=REFERENCE_TIMEOUT_S)
    return sum(result.steps for result in results)


class _CountSteps(ast.NodeTransformer):
    """Puts the sandbox's step counter in front of every statement of every function, and nothing else."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for parent in ast.walk(node):
            for field in ("body", "orelse", "finalbody"):
                block = parent.__dict__.get(field)
                if isinstance(block, list):
                    setattr(parent, field, [new for old in block for new in (_step(old), old)])
        return node


def _step(node: ast.stmt) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name("__egca_step", ast.Load()), [ast.Constant(node.lineno)], []))


def _mutation_score(sandbox: Sandbox, task: Task, reference_ms: float) -> tuple[int, int]:
    """(mutants tried, mutants that fail a test). One that hangs or does not load is noticed as well."""
    seconds, times = MUTANT_TIMEOUT
    timeout_s = seconds + times * reference_ms / 1e3
    tried = mutants(task.reference, MUTANTS, seed=zlib.crc32(task.task_id.encode()))
    killed = sum(not judge(sandbox, source, task, timeout_s=timeout_s).passed for source in tried)
    return len(tried), killed
