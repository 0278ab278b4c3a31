"""Judge a program by its task's tests, on the trusted side: the candidate's process only ever answers calls.

A verdict is OK when the tests ran to their end and no assertion failed; an exit status, a printed word or a forged
record cannot say so. Names that the tests use beside the candidate (HumanEval's ``encode_cyclic``, MBPP's ``Pair``)
come from the reference, not from the program that is being judged.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from types import CodeType, TracebackType
from typing import Any, Literal, NoReturn, Protocol

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError, WireError
from egca_plugin.sandbox.api import ATTEMPTS
from egca_plugin.sandbox.checks import TEST, Checks, compile_checks
from egca_plugin.sandbox.link import Ending, ZygoteLost
from egca_plugin.sandbox.patience import patience
from egca_plugin.sandbox.proxy import CallFailed, Remote, exception
from egca_plugin.sandbox.records import Record
from egca_plugin.types import Call, CallResult, CallStatus, Outcome, SourceError, Task, TestedCall, Verdict

MAX_CALLS = 200  # kept in the verdict
MAX_CALL_BYTES = 1 << 20  # of their arguments and results together
TESTS_CPU_S = 3.0  # for the tests' own work at least, however long the answers make their loops
MAX_RESTARTS = 3  # of a program whose process died, so that the other tests are heard too

_OUTCOMES = {
    CallStatus.EXCEPTION: Outcome.EXCEPTION,
    CallStatus.TIMEOUT: Outcome.TIMEOUT,
    CallStatus.MEMORY: Outcome.MEMORY,
    CallStatus.REFUSED: Outcome.REFUSED,
    CallStatus.DIED: Outcome.EXCEPTION,
    CallStatus.BUDGET: Outcome.TIMEOUT,
}


class Session(Protocol):
    """A loaded program, as the referee needs it; see :class:`egca_plugin.sandbox.api.Session`."""

    @property
    def loaded(self) -> Record: ...

    @property
    def ending(self) -> Ending | None: ...

    def send(self, one: Call, /) -> CallResult: ...

    def restart(self) -> None: ...


class Sessions(Protocol):
    """Where programs run: :class:`~egca_plugin.sandbox.api.Sandbox`, or a remote one."""

    config: SandboxConfig

    def session(
        self, source: str, /, *, timeout_s: float | None = None, seed: int = 0
    ) -> AbstractContextManager[Session]: ...


def judge(
    sandbox: Sessions, source: str, task: Task, *, timeout_s: float | None = None, check_stable: bool = False
) -> Verdict:
    """The verdict on ``source``. ``timeout_s``: wall clock for the program with all its tests.

    ``check_stable`` runs everything again with another seed and clock; a program whose two runs disagree has
    ``stable=False``, and the worse of the two outcomes.

    Raises TaskError where the tests themselves cannot be run, SandboxError where no sandbox can be had at all.
    """
    verdict = _judge(sandbox, source, task, timeout_s, seed=0)
    if not check_stable or verdict.outcome in (Outcome.COMPILE_ERROR, Outcome.INFRASTRUCTURE):
        return verdict
    again = _judge(sandbox, source, task, timeout_s, seed=1)
    if again.outcome is Outcome.INFRASTRUCTURE or _same(verdict, again):
        return verdict
    return replace(again if verdict.passed else verdict, stable=False)


def _same(one: Verdict, other: Verdict) -> bool:
    return one.outcome is other.outcome and [c.result for c in one.calls] == [c.result for c in other.calls]


def _judge(sandbox: Sessions, source: str, task: Task, timeout_s: float | None, seed: int) -> Verdict:
    checks = compile_checks(task.tests, task.setup, task.task_id)
    began = time.perf_counter()
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with sandbox.session(source, timeout_s=timeout_s, seed=seed) as session:
                patience_s = max(TESTS_CPU_S, sandbox.config.timeout_s if timeout_s is None else timeout_s)
                verdict = _Trial(session, task, checks, patience_s).verdict()
        except ZygoteLost as err:
            reason = str(err)
            continue
        return replace(verdict, ms=(time.perf_counter() - began) * 1000)
    return Verdict(Outcome.INFRASTRUCTURE, 0, checks.total, detail=f"failed {ATTEMPTS} times: {reason}")


class _Halt(BaseException):
    """The program will answer no more; not an Exception, so that no test catches it."""


class _Trial:
    """One program before its tests. Entered as a context for each test, by the compiled checks."""

    def __init__(self, session: Session, task: Task, checks: Checks, patience_s: float) -> None:
        self._session, self._task, self._checks, self._patience_s = session, task, checks, patience_s
        self._test = 0
        self._failed: dict[int, tuple[Outcome, SourceError | None, str]] = {}
        self._reached: set[int] = set()
        self._raised: dict[int, tuple[BaseException, CallResult]] = {}  # by id; the exception is kept, so the id is too
        self._calls: list[tuple[Call, int, CallResult]] = []
        self._call_bytes = 0
        self._asked = False
        self._sending = False
        self._restarts = 0

    def verdict(self) -> Verdict:
        loaded = self._session.loaded
        if loaded.result.status is not CallStatus.VALUE:
            return self._not_loaded(loaded)
        namespace = self._namespace()
        finished = self._run(namespace)
        if not self._failed:
            self._check_vacuous()
        unreached = 0 if finished else self._checks.total - len(self._reached | self._failed.keys())
        outcome, error, detail = next(iter(self._failed.values()), (Outcome.OK, None, ""))
        calls = tuple(TestedCall(call, test, test not in self._failed, result) for call, test, result in self._calls)
        passed = self._checks.total - len(self._failed) - unreached
        return Verdict(outcome, passed, self._checks.total, calls, error, detail=detail)

    def _not_loaded(self, loaded: Record) -> Verdict:
        result = loaded.result
        outcome = _OUTCOMES[result.status] if loaded.compiled else Outcome.COMPILE_ERROR
        if result.status is CallStatus.TIMEOUT:
            outcome = Outcome.TIMEOUT
        return Verdict(outcome, 0, self._checks.total, error=_source_error(result), detail=result.error_message)

    def _namespace(self) -> dict[str, Any]:
        """What the tests may name: the candidate through its proxy, the rest from the reference."""
        task, checks = self._task, self._checks
        namespace: dict[str, Any] = {"__name__": "tests", TEST: self._enter_test}
        remote = Remote(task.entry_point, self._send)
        if checks.names - ({"candidate"} if checks.function else {task.entry_point}):
            reference = _reference_names(task)
            namespace.update({name: reference[name] for name in checks.names if name in reference})
        if checks.function:
            namespace.setdefault(task.entry_point, remote)
        else:
            namespace[task.entry_point] = remote
        try:
            exec(checks.setup, namespace)  # noqa: S102 - the task's own, in the trusted process
            if checks.function:
                exec(checks.code, namespace)  # noqa: S102 - defines `check`
        except Exception as err:  # the boundary to a task's code, which may raise anything
            raise TaskError(f"{task.task_id}: the tests' own code fails: {type(err).__name__}: {err}") from err
        namespace["candidate"] = remote
        return namespace

    def _run(self, namespace: dict[str, Any]) -> bool:
        """Whether the tests ran to their end."""
        try:
            with patience(self._patience_s, self._give_up, lambda: self._sending):
                if self._checks.function:
                    namespace["check"](namespace["candidate"])
                else:
                    exec(self._checks.code, namespace)  # noqa: S102 - as above
        except _Halt:
            return False
        except (Exception, CallFailed) as err:  # noqa: BLE001 - the code between two assertions met a bad answer
            self._fail(self._checks.total, err)
            return False
        return True

    def _give_up(self) -> NoReturn:
        self._fail(self._test, CallFailed(f"the tests took {self._patience_s:g} s over the answers"))
        raise _Halt

    def _check_vacuous(self) -> None:
        """Tests that asked nothing prove nothing: the task's fault without a call, the program's without an assertion.

        One assertion is enough: helpers of tests hold some for other types of results.
        """
        if not self._asked:
            name = self._task.entry_point
            raise TaskError(f"{self._task.task_id}: tests: got no call of {name!r}, expected calls of the candidate")
        if self._checks.total and not self._reached:
            self._failed[0] = (Outcome.WRONG_ANSWER, None, "no assertion was reached")

    # --- called from the tests ---

    def _enter_test(self, index: int) -> _Trial:
        self._test = index
        return self

    def __enter__(self) -> None:
        self._reached.add(self._test)

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> Literal[False] | bool:
        if isinstance(err, (Exception, CallFailed)):
            self._fail(self._test, err)
            return True
        if err is not None:
            self._reached.discard(self._test)  # it did not get to its end
        return False

    def _fail(self, test: int, err: BaseException) -> None:
        if test in self._failed:
            return
        detail = f"test {test}: {type(err).__name__}: {_text(err)}"[:500]
        raised = self._raised.get(id(err))
        if raised is not None:
            self._failed[test] = (_OUTCOMES[raised[1].status], _source_error(raised[1]), detail)
        elif isinstance(err, WireError):
            self._failed[test] = (Outcome.REFUSED, None, detail)
        elif isinstance(err, CallFailed):
            self._failed[test] = (Outcome.TIMEOUT, None, detail)
        else:
            self._failed[test] = (Outcome.WRONG_ANSWER, None, detail)

    def _send(self, call: Call) -> CallResult:
        """Make the call and keep it; raises what the tests should see for anything but a value."""
        self._asked = True
        self._sending = True
        try:
            self._revive()
            result = self._session.send(call)
        finally:
            self._sending = False
        size = len(call.arguments) + len(result.value)
        if len(self._calls) < MAX_CALLS and self._call_bytes + size <= MAX_CALL_BYTES:
            self._calls.append((call, self._test, result))
            self._call_bytes += size
        if result.status is CallStatus.VALUE:
            return result
        error = exception(result)
        self._raised[id(error)] = (error, result)
        if isinstance(error, CallFailed):
            self._fail(self._test, error)  # now, whatever the tests may catch
        raise error

    def _revive(self) -> None:
        """A dead program gets a new process, so that the other tests are heard; one out of time does not."""
        ending = self._session.ending
        if ending is None:
            return
        if ending.status is CallStatus.TIMEOUT or self._restarts == MAX_RESTARTS:
            raise _Halt
        self._restarts += 1
        self._session.restart()


def _text(err: BaseException) -> str:
    """Its message; an exception of the tests may hold a value of the candidate that cannot be printed."""
    try:
        return str(err)
    except ValueError:  # an integer of too many digits
        return "(a message that cannot be printed)"


def _source_error(result: CallResult) -> SourceError | None:
    if not result.error_type:
        return None
    return SourceError(result.error_type, result.error_message, result.line)


def _reference_names(task: Task) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "reference"}
    try:
        exec(_compiled(task.reference, task.task_id), namespace)  # noqa: S102 - the task's own reference
    except Exception as err:  # the boundary to a task's code, as above
        raise TaskError(f"{task.task_id}: the reference fails: {type(err).__name__}: {err}") from err
    return namespace


@lru_cache(maxsize=256)
def _compiled(source: str, task_id: str) -> CodeType:
    return compile(source, f"<reference of {task_id}>", "exec")
