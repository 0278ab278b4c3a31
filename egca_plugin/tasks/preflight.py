"""Is a task fit to train on: is its reference sound, stable and fast, and do its tests notice small faults?

Everything runs through the sandbox and its referee, as training will: what preflight passes, training can judge.
"""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.judging.checks import VacuousTests, compile_checks
from egca_plugin.judging.referee import check_setup, judge
from egca_plugin.judging.tally import UNREACHED
from egca_plugin.localize.compare.evidence import distinct_calls
from egca_plugin.localize.compare.reference import open_saved, warm
from egca_plugin.localize.compare.saved import SavedTraces
from egca_plugin.program.mutate import mutants
from egca_plugin.program.preamble import prepared
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.soundness import idle
from egca_plugin.types import CallStatus, Kind, Task, Verdict

HANDLER = "egca_plugin.tasks.preflight:handler"
REFERENCE_TIMEOUT_S = 30.0  # generous: a slow reference is listed as slow, not as broken
SLOW_SHARE = 0.25  # of the time that training gives a program
MUTANTS = 8  # per task
MUTANT_TIMEOUT = (0.25, 2.0)  # a mutant hangs after so many seconds plus so many times the reference's own
WEAK_BELOW = 0.5  # share of the mutants that the tests must notice; some mutants are equivalent to the reference
MAX_STEPS = 10_000_000
STABLE_SEEDS = (1, 2, 3)  # two hash seeds often give a small set the same order
_NONE = wire.encode(None)
_QUOTED = 80  # characters of an assertion
DEADLINE_S = 900.0  # for one task: more than all of the above can add up to


class Fault(str, Enum):
    """Why a task may not be fit."""

    UNSOUND = "unsound"  # the reference fails its own tests
    UNSTABLE = "unstable"  # two runs of the reference differ
    SLOW = "slow"
    WEAK = "weak"  # the tests notice few faults
    VACUOUS = "vacuous"  # an assertion holds for a function that gives nothing, or there is none


@dataclass(frozen=True, slots=True)
class Health:
    """What was found about one task. ``faults`` maps each fault to its reason.

    ``ms`` is the wall clock of the reference with all tests, ``steps`` its executed statements; ``killed`` of
    ``mutants`` small faults made a test fail. ``referenced`` is False for a task that has no reference: only its tests
    were looked at.
    """

    task_id: str
    faults: tuple[tuple[Fault, str], ...] = ()
    tests: int = 0
    ms: float = 0.0
    steps: int = 0
    mutants: int = 0
    killed: int = 0
    referenced: bool = True

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
        check_setup(sandbox, task)
        if not task.reference.strip():
            total = judge(sandbox, idle(task), task, timeout_s=REFERENCE_TIMEOUT_S).tests_total
            return Health(task.task_id, tests=total, referenced=False)
        return _examine(sandbox, task, saved)
    except TaskError as error:
        fault = Fault.VACUOUS if isinstance(error, VacuousTests) else Fault.UNSOUND
        return Health(task.task_id, ((fault, str(error).removeprefix(f"{task.task_id}: ")),))
    except SandboxError:
        raise
    except Exception as error:  # noqa: BLE001 - a task's code and data: what breaks our tools here breaks training too
        return Health(task.task_id, ((Fault.UNSOUND, f"cannot be examined: {type(error).__name__}: {error}"),))


def _examine(sandbox: Sandbox, task: Task, saved: SavedTraces | None) -> Health:
    verdict = judge(sandbox, task.reference, task, timeout_s=REFERENCE_TIMEOUT_S, check_stable=True, seeds=STABLE_SEEDS)
    if not verdict.passed:
        reason = verdict.detail or verdict.outcome.value
        return Health(task.task_id, ((Fault.UNSOUND, reason),), verdict.tests_total, verdict.ms)
    tried, killed = _mutation_score(sandbox, task, verdict.ms)
    faults = []
    unknown = _unknown_classes(task, verdict)
    if unknown:
        faults.append((Fault.UNSOUND, unknown))
    if not verdict.stable:
        faults.append((Fault.UNSTABLE, _why_unstable(sandbox, task, verdict)))
    allowed_ms = 1e3 * (task.limits.time_s or sandbox.config.timeout_s)
    if verdict.ms > SLOW_SHARE * allowed_ms:
        faults.append((Fault.SLOW, f"the reference takes {verdict.ms:.0f} ms of the {allowed_ms:.0f} ms allowed"))
    if verdict.detail == UNREACHED:
        faults.append((Fault.WEAK, f"{verdict.detail} by what the reference gives"))
    elif tried and killed < WEAK_BELOW * tried:
        faults.append((Fault.WEAK, f"the tests notice {killed} of {tried} small faults"))
    vacuous = _vacuous(sandbox, task, verdict)
    if vacuous:
        does = "program that prints nothing" if task.kind is Kind.STDIN else "function that returns None"
        faults.append((Fault.VACUOUS, f"holds for a {does}: {vacuous}"))
    steps = _steps(sandbox, task, verdict) if task.kind is Kind.FUNCTION else 0
    if saved is not None and verdict.stable and task.kind is Kind.FUNCTION:
        warm(task.reference, list(distinct_calls(verdict)), sandbox, saved)
    return Health(task.task_id, tuple(faults), verdict.tests_total, verdict.ms, steps, tried, killed)


def lost(task: Task, error: SandboxError) -> Health:
    """The health of a task that cost its workers."""
    return Health(task.task_id, ((Fault.UNSOUND, f"examining it killed the judge: {error}"),))


def handler(sandbox: Sandbox, config: EgcaConfig) -> Callable[[Task], Health]:
    """What a pool's worker runs."""
    saved = open_saved(config)
    return lambda task: examine(sandbox, prepared(task, config), saved)


def _unknown_classes(task: Task, verdict: Verdict) -> str:
    """Why no program can give such results: they are of classes that only the reference defines.

    What tests import of the program is the program's to define, and classes whose methods they call may have any name.
    """
    checks = compile_checks(task) if task.kind is not Kind.STDIN else None
    if checks and checks.classes:
        return ""
    imported = frozenset[str]().union(*checks.modules.values()) if checks else ()
    given = "\n".join((task.prompt, task.preamble, task.entry_point, *imported))
    results = [tested.result.value for tested in verdict.calls if tested.result.status is CallStatus.VALUE]
    names = dict.fromkeys(name for value in results for name in wire.own_classes(value))
    unknown = [repr(name) for name in names if not re.search(rf"\b{re.escape(name)}\b", given)]
    if not unknown:
        return ""
    return f"results are of the class {', '.join(unknown)}, which neither the prompt nor the preamble gives to programs"


def _why_unstable(sandbox: Sandbox, task: Task, verdict: Verdict) -> str:
    again = judge(sandbox, task.reference, task, timeout_s=REFERENCE_TIMEOUT_S)
    if [tested.call for tested in again.calls] != [tested.call for tested in verdict.calls]:
        return "the tests draw random inputs"
    return "the reference's results change with the hash seed, the clock or the random seed"


def _vacuous(sandbox: Sandbox, task: Task, verdict: Verdict) -> str:
    """The tests that hold for a program which does nothing, though the reference gives them something else."""
    held = {tested.test for tested in judge(sandbox, idle(task), task).calls if tested.passed}
    asked = {tested.test for tested in verdict.calls if tested.result.value != _NONE}
    return ", ".join(_quoted(task, test) for test in sorted(held & asked))


def _quoted(task: Task, test: int) -> str:
    """An assertion in its words where it stands alone, else by its number."""
    if isinstance(task.tests, str) or test >= len(task.tests):  # cases too, which have no words
        return f"test {test}"
    return f"test {test} ({task.tests[test][:_QUOTED]})"


def _steps(sandbox: Sandbox, task: Task, verdict: Verdict) -> int:
    """Executed statements over all calls that the tests made (the recorded ones: the referee keeps 200)."""
    counted = ast.unparse(ast.fix_missing_locations(_CountSteps().visit(ast.parse(task.reference))))
    calls = [tested.call for tested in verdict.calls]
    (results,) = sandbox.run_batch([counted], calls, steps=MAX_STEPS, cpu_s=REFERENCE_TIMEOUT_S)
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
