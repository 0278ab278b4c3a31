"""What became of each test, and which calls it made: the contexts that marked tests enter report here."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

from egca_plugin.errors import WireError
from egca_plugin.judging.checks import Checks
from egca_plugin.judging.failures import MAX_SHOWN, failed_test
from egca_plugin.judging.proxy import CallFailed, Remote, unseen
from egca_plugin.sandbox.wire import Refusal
from egca_plugin.types import Call, CallResult, CallStatus, FailedTest, Outcome, SourceError, TestedCall, Verdict

MAX_CALLS = 200  # kept in the verdict
MAX_CALL_BYTES = 1 << 20  # of their arguments and results together
_SKIPS = ("Skipped", "SkipTest")  # by name: pytest's, unittest's and ours are different classes
MAX_DETAIL = 500  # characters
UNREACHED = "no assertion was reached"
OUTCOMES = {
    CallStatus.EXCEPTION: Outcome.EXCEPTION,
    CallStatus.TIMEOUT: Outcome.TIMEOUT,
    CallStatus.MEMORY: Outcome.MEMORY,
    CallStatus.REFUSED: Outcome.REFUSED,
    CallStatus.DIED: Outcome.EXCEPTION,
    CallStatus.BUDGET: Outcome.TIMEOUT,
}


class Halt(BaseException):
    """The tests go no further; not an Exception, so that no test means to catch it."""


class _Failure(NamedTuple):
    """Why a test failed: ``error`` is the program's, ``said`` what ended it in words.

    ``asserted``: an assertion did not hold, of which its call and the answer say more than its words.
    """

    outcome: Outcome
    error: SourceError | None
    detail: str
    said: str
    asserted: bool = True


class _Expecting(threading.local):
    """Within how many assertions that something is raised this thread is."""

    depth = 0


_PASSED = _Failure(Outcome.OK, None, "", "")


class Tally:
    """Entered by marked tests: ``with tally(index) as t: ...; t.at(); assert ...``.

    The first pass of assertion ``index`` is test ``index``; each further pass of a loop adds ``checks.count + 1``, so
    that a test has the same number in every run. A call belongs to the test that ends next: what leads to an assertion,
    in a loop or in a function, serves it.
    """

    def __init__(self, checks: Checks, remote: Remote) -> None:
        self._checks, self._remote = checks, remote
        self._passes: defaultdict[int, int] = defaultdict(int)
        self._failed: dict[int, _Failure] = {}
        self._reached: set[int] = set()
        self._raised: dict[int, tuple[BaseException, CallResult]] = {}  # by id; the exception is kept, so the id is too
        self._stops: list[BaseException] = []  # raised in this test, and perhaps taken for the end of a loop
        self._calls: list[tuple[Call, int, CallResult]] = []
        self._ends: list[tuple[int, int]] = []  # of the tests: how many steps of the sessions there were
        self._pending: list[tuple[Call, CallResult]] = []
        self._call_bytes = 0
        self._unanswered: CallFailed | None = None  # in this test, whatever the tests may catch
        self._waiting = False  # whether a call belongs to no test yet
        self._lock = threading.RLock()
        self.expecting = _Expecting()
        self.asked = False  # whether the candidate was called at all
        self.served = False  # whether some assertion was about a call
        self.cut_short = False  # whether some function of the tests did not get to its end

    def __call__(self, index: int) -> Pass:
        with self._lock:
            number = self._passes[index]
            self._passes[index] += not self.expects
        return Pass(self, index + number * (self._checks.count + 1))

    @property
    def expects(self) -> bool:
        """Whether what is raised now is for the tests themselves to judge."""
        return self.expecting.depth > 0

    # --- calls ---

    def answered(self, call: Call, result: CallResult, *, keep: bool = True) -> CallResult:
        """Note it for the test that it serves; raises what the tests should see for anything but a value."""
        with self._lock:
            self._waiting = True
            size = len(call.arguments) + len(result.value)
            few = len(self._calls) + len(self._pending) < MAX_CALLS and self._call_bytes + size <= MAX_CALL_BYTES
            if keep and few and call.function:  # what an open iterator is asked belongs to the call that gave it
                self._pending.append((call, result))
                self._call_bytes += size
            if result.status is CallStatus.VALUE:
                return result
            error = self._remote.exception(result)
            self._raised[id(error)] = (error, result)
            if isinstance(error, StopIteration) and call.function != ".__next__":  # an iterator's, as it should be
                self._stops.append(error)
            if isinstance(error, CallFailed):
                self._unanswered = error
        raise error

    # --- tests ---

    def ended(self, test: int, err: BaseException | None, *, reached: bool) -> None:
        """The test is over; without an error and without having reached its assertion it says nothing."""
        with self._lock:
            err = self._unanswered or err or self._unseen()
            if err is None and not reached:
                return
            if reached:
                self._reached.add(test)
                self.served |= self._waiting
            if err is not None:
                self.fail(test, err)
            self._close(test)
            self._waiting, self._unanswered = False, None

    def _close(self, test: int) -> None:
        """The calls since the last one are the test's."""
        self._calls += [(call, test, result) for call, result in self._pending]
        self._pending.clear()
        if self._remote.sessions is not None:
            self._ends.append((test, len(self._remote.sessions)))

    def _unseen(self) -> BaseException | None:
        """What a loop over the program's answers has taken for its end."""
        found = next((err for err in self._stops if unseen(err)), None)
        self._stops.clear()
        return found

    def escaped(self, test: int | None, err: BaseException) -> None:
        """A function of the tests ended by ``err``: what else it would have asserted was not reached."""
        if isinstance(err, Halt):
            raise err
        self.ended(self._checks.count if test is None else test, err, reached=False)
        self.cut_short = True

    def abort(self, err: BaseException) -> None:
        """The code between two assertions met a bad answer: no test of its own, and none after it is heard."""
        self.ended(self._checks.count, err, reached=False)

    def fail(self, test: int, err: BaseException) -> None:
        if test in self._failed:
            return
        said = f"{type(err).__name__}: {_text(err)}"[:MAX_SHOWN]
        asserted = isinstance(err, AssertionError) or type(err).__name__ == "Failed"  # by name: pytest's, or ours
        raised = self._raised.get(id(err))
        outcome = _outcome(err) if raised is None else OUTCOMES[raised[1].status]
        error = None if raised is None else source_error(raised[1])
        self._failed[test] = _Failure(outcome, error, f"test {test}: {said}"[:MAX_DETAIL], said, asserted)

    def doubt(self, err: BaseException) -> None:
        """Nobody knows whether the program is right, whatever has failed."""
        failed, self._failed = self._failed, {}
        self.fail(self._checks.count, err)
        self._failed |= failed

    def leaves_in_peace(self, err: BaseException | None) -> bool:
        """``sys.exit()``, what unittest's runner says after success, a test that skips itself or that is a generator
        and closed; no answer of a program's is any of these."""
        if id(err) in self._raised:
            return False
        if isinstance(err, GeneratorExit):
            return True
        if isinstance(err, SystemExit):
            return err.code is None or err.code == 0
        return type(err).__name__ in _SKIPS

    @property
    def unreached(self) -> frozenset[int]:
        """Assertions of the source that no pass has reached."""
        return self._checks.asserting - self._reached - self._failed.keys()

    @property
    def first_failure(self) -> str:
        """What the first failure said, or ``""``."""
        return next((one.detail for one in self._failed.values()), "")

    def verdict(self, *, finished: bool, vacuous: bool) -> Verdict:
        """``vacuous``: tests that prove nothing may pass. Else one assertion about a call is enough: helpers of tests
        hold some for other types of results."""
        self._close(self._checks.count)
        if self._unanswered is not None:
            self.fail(self._checks.count, self._unanswered)
        elif (err := self._unseen()) is not None:
            self.fail(self._checks.count, err)
        if not self._failed and self._checks.asserting and not self._reached:
            self._proves_nothing(min(self._checks.asserting), UNREACHED)
        if not self._failed and not vacuous and not self.served:
            self._proves_nothing(self._checks.count, "no assertion was about the candidate")
        tests = self._checks.asserting | self._reached | (self._failed.keys() - {self._checks.count})
        first = next(iter(self._failed.values()), _PASSED)
        passed = len(tests) - len(self._failed) - (0 if finished and not self.cut_short else len(self.unreached))
        settled = [(*self._remote.settled(call, result), test) for call, test, result in self._calls]
        calls = tuple(TestedCall(call, test, test not in self._failed, result) for call, result, test in settled)
        passed, failed = max(passed, 0), self._told(calls)
        if self._remote.sessions is not None:
            calls = tuple(self._remote.sessions.tested([(*end, end[0] not in self._failed) for end in self._ends]))
        return Verdict(first.outcome, passed, len(tests), calls, first.error, detail=first.detail, failed=failed)

    def _proves_nothing(self, test: int, why: str) -> None:
        self._failed[test] = _Failure(Outcome.WRONG_ANSWER, None, why, why)

    def _told(self, calls: Sequence[TestedCall]) -> FailedTest | None:
        if not self._failed:
            return None
        test, failure = next(iter(self._failed.items()))
        expected = self._checks.cases[test].expected if test < len(self._checks.cases) else ""
        asked = [(one.call, one.result) for one in calls if one.test == test]
        said = "" if asked and failure.asserted else failure.said
        return failed_test(test, asked, expected, said)


class Pass:
    """One test, as the marked tests see it."""

    __slots__ = ("_expecting", "_reached", "_tally", "_test")

    def __init__(self, tally: Tally, test: int) -> None:
        self._tally, self._test, self._reached, self._expecting = tally, test, False, False

    def at(self, expecting: bool = False) -> None:
        """The assertion itself comes now. ``expecting``: that something is raised, which is no other test's failure."""
        self._reached, self._expecting = True, expecting
        self._tally.expecting.depth += expecting

    def __enter__(self) -> Pass:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._tally.expecting.depth -= self._expecting
        if self._tally.expects or isinstance(err, Halt) or self._tally.leaves_in_peace(err):
            return False
        self._tally.ended(self._test, err, reached=self._reached)
        return err is not None


def _outcome(err: BaseException) -> Outcome:
    """Of a test that ended by an exception which is not the program's."""
    if isinstance(err, (WireError, Refusal)):
        return Outcome.REFUSED
    if isinstance(err, MemoryError):
        return Outcome.MEMORY
    return Outcome.TIMEOUT if isinstance(err, (CallFailed, Halt)) else Outcome.WRONG_ANSWER


def source_error(result: CallResult) -> SourceError | None:
    if not result.error_type:
        return None
    return SourceError(result.error_type, result.error_message, result.line)


def _text(err: BaseException) -> str:
    """Its message; an exception of the tests may hold a value of the candidate that cannot be printed."""
    try:
        return str(err)
    except BaseException:  # noqa: BLE001 - the boundary to a task's code, whose classes may do anything; a refusal too
        return "(a message that cannot be printed)"
