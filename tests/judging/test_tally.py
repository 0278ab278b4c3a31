"""What a program raises is its answer, whatever it looks like."""

from __future__ import annotations

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.proxy import Remote
from egca_plugin.judging.tally import Tally
from egca_plugin.types import Call, CallResult, CallStatus, Outcome, Task

CHECKS = compile_checks(Task("t/1", "", "f", "", ("assert f(1) == 2",)))
RAISES = CallResult(CallStatus.EXCEPTION, error_type="SystemExit", error_base="SystemExit")


def tally() -> Tally:
    return Tally(CHECKS, Remote("f", lambda call: RAISES))


class SkipTest(Exception):
    """Named as unittest's."""


@pytest.mark.parametrize("answer", [SystemExit(0), SystemExit(), SkipTest()])
def test_a_program_cannot_leave_for_the_tests(answer: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Remote, "exception", lambda remote, result: answer)
    kept = tally()
    with kept(0) as one:
        one.at()
        kept.answered(Call("f", b""), RAISES)
    verdict = kept.verdict(finished=True, vacuous=False)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.EXCEPTION, 0)


@pytest.mark.parametrize("leaving", [SystemExit(0), SystemExit(), SkipTest()])
def test_the_tests_themselves_can(leaving: BaseException) -> None:
    kept = tally()
    with pytest.raises(type(leaving)), kept(0):
        raise leaving
    assert kept.unreached == {0}
