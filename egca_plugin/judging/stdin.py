"""Judge a whole program by what it writes: one process a test, and the expected output never in it.

The cheapest test comes first, by the length of its input; the verdict counts them as the task does. A program that is
out of time in one test is not asked again, and its other tests count as failed; so do those that come after the first
failure where ``egca.sandbox.tests=first_failure``. What decides a test is an ordinary end and the output: a crash after
the right output is a crash, an exit status other than 0 too.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.checkers import Checker
from egca_plugin.judging.comparing import FOR_TEXT, check, difference
from egca_plugin.sandbox.outside import scripts
from egca_plugin.sandbox.outside.link import ZygoteLost
from egca_plugin.sandbox.outside.scripts import ScriptResult
from egca_plugin.types import (
    CallResult,
    CallStatus,
    FailedTest,
    Outcome,
    SourceError,
    StdinCase,
    Task,
    TestedCall,
    Verdict,
)

MAX_CALLS = 200  # kept in the verdict
MAX_CALL_BYTES = 1 << 20  # of their inputs and outputs together
MAX_SHOWN = 2000  # characters of each text about the failed test
TOGETHER = 10  # times the time of one test, for all of them;
MANY_S = 40.0  # so much where they are many, unless that is more than each could take
_SPARE = 4  # times the expected output, and _SPARE_BYTES more, may be written
_SPARE_BYTES = 1 << 20

_OUTCOMES = {
    CallStatus.EXCEPTION: Outcome.EXCEPTION,
    CallStatus.TIMEOUT: Outcome.TIMEOUT,
    CallStatus.MEMORY: Outcome.MEMORY,
    CallStatus.REFUSED: Outcome.REFUSED,
    CallStatus.DIED: Outcome.EXCEPTION,
    CallStatus.BUDGET: Outcome.TIMEOUT,
}
Differ = Callable[[StdinCase, bytes], str]


class Runner(Protocol):
    """Where whole programs run; see :func:`egca_plugin.sandbox.outside.scripts.run` for the limits."""

    config: SandboxConfig

    def run_script(self, program: str, stdin: bytes, /, **limits: Any) -> ScriptResult: ...


def judge_stdin(sandbox: Runner, source: str, task: Task, *, timeout_s: float | None = None, seed: int = 0) -> Verdict:
    """The verdict on ``source`` by ``task.cases``. ``timeout_s``: CPU time of one test, if not the task's or setting's.

    Raises TaskError for a task without such cases, or whose comparison or checker cannot be used; SandboxError.
    """
    cases = _cases(task, sandbox.config)
    check(task.compare, FOR_TEXT, task.task_id)
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        trial = _Trial(sandbox, source, task, cases, _differ(task, stack), timeout_s, seed)
        try:
            verdict = trial.verdict()
        except ZygoteLost as err:
            verdict = Verdict(Outcome.INFRASTRUCTURE, 0, len(cases), detail=str(err))
    return replace(verdict, ms=(time.perf_counter() - began) * 1000)


def _cases(task: Task, config: SandboxConfig) -> tuple[StdinCase, ...]:
    cases = tuple(case for case in task.cases if isinstance(case, StdinCase))
    if not cases or len(cases) < len(task.cases):
        raise TaskError(f"{task.task_id}, field tests: got no cases of stdin and stdout, expected some for kind stdin")
    if not task.checker and not all(case.stdout for case in cases):
        raise TaskError(f"{task.task_id}, field tests: got a case without stdout, expected one for each, or a checker")
    return cases[: task.limits.tests or config.max_tests or len(cases)]


def _differ(task: Task, stack: contextlib.ExitStack) -> Differ:
    if task.checker:
        checker = stack.enter_context(Checker(task.checker, task.task_id))
        return lambda case, output: checker.difference(case.stdin, output, case.stdout)
    return lambda case, output: _nearest([difference(output, one, task.compare) for one in case.stdout])


def _nearest(reasons: list[str]) -> str:
    return "" if "" in reasons else reasons[0]


@dataclass(frozen=True, slots=True)
class _Failure:
    outcome: Outcome
    detail: str
    error: SourceError | None
    told: FailedTest


def _failure(index: int, case: StdinCase, run: ScriptResult, why: str) -> _Failure:
    """``why``: how the output of an ordinary end differs."""
    result, raised = run.result, _source_error(run.record.result)
    if run.flooded:
        outcome, why = Outcome.WRONG_ANSWER, result.error_message
    elif not run.ended:
        outcome, why = _OUTCOMES[result.status], _told(result)
    else:  # what ended a thread ends no program, but it is why the output is wrong
        outcome = Outcome.WRONG_ANSWER if raised is None else Outcome.EXCEPTION
    told = FailedTest(
        index,
        stdin=_bounded(case.stdin),
        expected=_bounded(case.stdout[0] if case.stdout else ""),
        got=_bounded(run.stdout[: 4 * MAX_SHOWN + 4].decode("utf-8", "replace")),
        exception="" if outcome is Outcome.WRONG_ANSWER else _bounded(_told(run.record.result)),
    )
    return _Failure(outcome, f"test {index}: {why}"[:500], raised, told)


def _told(result: CallResult) -> str:
    return f"{result.error_type}: {result.error_message}" if result.error_type else result.error_message


def _source_error(result: CallResult) -> SourceError | None:
    if not result.error_type:
        return None
    return SourceError(result.error_type, result.error_message, result.line)


def _bounded(text: str) -> str:
    """Its beginning, as text that any file can hold."""
    kept = text[:MAX_SHOWN] + (f"... ({len(text):,} characters)" if len(text) > MAX_SHOWN else "")
    return kept.encode("utf-8", "replace").decode()


class _Trial:
    """One program before its tests."""

    def __init__(
        self,
        sandbox: Runner,
        source: str,
        task: Task,
        cases: Sequence[StdinCase],
        differ: Differ,
        timeout_s: float | None,
        seed: int,
    ) -> None:
        self._sandbox, self._source, self._cases, self._differ = sandbox, source, cases, differ
        self._cpu_s = timeout_s or task.limits.time_s or sandbox.config.timeout_s
        self._together_s = max(TOGETHER * self._cpu_s, min(len(cases) * self._cpu_s, MANY_S))
        self._memory_mb = task.limits.memory_mb
        self._has_checker = bool(task.checker)
        self._seed = seed
        self._failures: dict[int, _Failure] = {}
        self._calls: list[TestedCall] = []
        self._call_bytes = 0

    def verdict(self) -> Verdict:
        """Raises ZygoteLost, SandboxError, TaskError."""
        order = sorted(range(len(self._cases)), key=lambda index: len(self._cases[index].stdin))
        spent, asked = 0.0, 0
        for index in order:
            result = self._run(self._cases[index])
            if not result.record.compiled:
                error = result.record.result
                return Verdict(
                    Outcome.COMPILE_ERROR, 0, len(order), error=_source_error(error), detail=error.error_message
                )
            asked += 1
            spent += result.cpu_s
            self._hear(index, result)
            if self._is_enough(index, spent):
                break
        return self._sum_up(len(order) - asked)

    def _run(self, case: StdinCase) -> ScriptResult:
        longest = max((len(one) for one in case.stdout), default=0)
        most = scripts.MAX_OUTPUT if self._has_checker else _SPARE_BYTES + _SPARE * 4 * longest
        return self._sandbox.run_script(
            self._source,
            case.stdin.encode("utf-8", "surrogateescape"),
            cpu_s=self._cpu_s,
            memory_mb=self._memory_mb,
            seed=self._seed,
            max_output=most,
        )

    def _hear(self, index: int, result: ScriptResult) -> None:
        case = self._cases[index]
        why = self._differ(case, result.stdout) if result.ended else ""
        if not result.ended or why:
            self._failures[index] = _failure(index, case, result, why)
        call, kept = scripts.call(case.stdin.encode("utf-8", "surrogateescape")), result.result
        size = len(call.arguments) + len(kept.value)
        if len(self._calls) < MAX_CALLS and self._call_bytes + size <= MAX_CALL_BYTES:
            self._calls.append(TestedCall(call, index, index not in self._failures, kept))
            self._call_bytes += size

    def _is_enough(self, index: int, spent: float) -> bool:
        failure = self._failures.get(index)
        if failure is None and spent > self._together_s:
            detail = f"test {index}: all tests together took more than {self._together_s:g} s of CPU time"
            self._failures[index] = _Failure(Outcome.TIMEOUT, detail, None, FailedTest(index))
            return True
        if failure is None:
            return False
        return failure.outcome is Outcome.TIMEOUT or self._sandbox.config.tests == "first_failure"

    def _sum_up(self, unasked: int) -> Verdict:
        total, calls = len(self._cases), tuple(sorted(self._calls, key=lambda tested: tested.test))
        if not self._failures:
            return Verdict(Outcome.OK, total, total, calls)
        first = self._failures[min(self._failures)]
        passed = total - len(self._failures) - unasked
        return Verdict(first.outcome, passed, total, calls, error=first.error, detail=first.detail, failed=first.told)
