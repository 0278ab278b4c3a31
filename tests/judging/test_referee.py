"""Verdicts: both forms of tests, every assertion counted, and nothing a program says but values believed."""

from __future__ import annotations

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.sandbox import referee
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.referee import judge
from egca_plugin.types import CallStatus, Outcome, Task

CHECK = """
def check(candidate):
    assert candidate(1) == 2
    assert candidate(2) == 3, "two"
    for n in range(5):
        assert candidate(n) == n + 1
"""
ASSERTS = ("assert f(1) == 2", "assert f(2) == 3", "assert f(3) == 4")
GOOD = "def f(x): return x + 1"


def task(tests: str | tuple[str, ...], reference: str = GOOD, setup: str = "") -> Task:
    return Task("t/1", "", "f", reference, tests, setup)


@pytest.mark.parametrize("tests", [CHECK, ASSERTS], ids=["check function", "asserts"])
class TestBothForms:
    def test_right(self, sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
        verdict = judge(sandbox, GOOD, task(tests))
        assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (Outcome.OK, 3, 3)

    def test_every_assertion_is_evaluated(self, sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
        verdict = judge(sandbox, "def f(x): return 0 if x == 1 else x + 1", task(tests))
        assert (verdict.outcome, verdict.tests_total) == (Outcome.WRONG_ANSWER, 3)
        assert verdict.tests_passed == (1 if tests is CHECK else 2)

    def test_exception(self, sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
        verdict = judge(sandbox, "def f(x):\n    return [][x]", task(tests))
        assert (verdict.outcome, verdict.tests_passed) == (Outcome.EXCEPTION, 0)
        assert verdict.error is not None
        assert (verdict.error.type, verdict.error.line) == ("IndexError", 2)

    def test_hang(self, sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
        verdict = judge(sandbox, "def f(x):\n    while x == 2: pass\n    return x + 1", task(tests), timeout_s=0.3)
        assert (verdict.outcome, verdict.tests_passed) == (Outcome.TIMEOUT, 1)

    @pytest.mark.parametrize(
        ("source", "outcome"),
        [
            ("def f(x", Outcome.COMPILE_ERROR),
            ("import nothing_of_the_kind", Outcome.EXCEPTION),
            ("def g(x): return x + 1", Outcome.EXCEPTION),
            ("import os; os._exit(0)", Outcome.EXCEPTION),
            ("while True: pass", Outcome.TIMEOUT),
            ("def f(x): return [0] * 10**9", Outcome.MEMORY),
            ("def f(x): return lambda: x", Outcome.REFUSED),
            ("def f(x): return str(x + 1)", Outcome.WRONG_ANSWER),
            ("def f(x): return None", Outcome.WRONG_ANSWER),
        ],
    )
    def test_other_outcomes(
        self, sandbox: Sandbox, tests: str | tuple[str, ...], source: str, outcome: Outcome
    ) -> None:
        verdict = judge(sandbox, source, task(tests), timeout_s=0.5)
        assert (verdict.outcome, verdict.tests_passed) == (outcome, 0)


def test_tests_after_a_death_are_heard(sandbox: Sandbox) -> None:
    source = "import os\ndef f(x):\n    if x == 2: os._exit(0)\n    return x + 1"
    verdict = judge(sandbox, source, task(ASSERTS))
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.EXCEPTION, 2)


def test_calls_are_kept_with_their_tests(sandbox: Sandbox) -> None:
    verdict = judge(sandbox, "def f(x): return x * 2", task(ASSERTS))
    assert [(c.test, c.passed, c.result.status) for c in verdict.calls] == [
        (0, True, CallStatus.VALUE),
        (1, False, CallStatus.VALUE),
        (2, False, CallStatus.VALUE),
    ]


def test_expected_exception(sandbox: Sandbox) -> None:
    tests = """
def check(candidate):
    try:
        candidate(-1)
        assert False
    except ValueError:
        pass
    assert candidate(1) == 2
"""
    right = "def f(x):\n    if x < 0: raise ValueError\n    return x + 1"
    assert judge(sandbox, right, task(tests)).tests_passed == 2
    assert judge(sandbox, GOOD, task(tests)).tests_passed == 1


def test_dying_is_no_expected_exception(sandbox: Sandbox) -> None:
    tests = """
def check(candidate):
    try:
        candidate(1)
        assert False
    except Exception:
        pass
"""
    assert judge(sandbox, "import os\ndef f(x): os._exit(0)", task(tests)).outcome is Outcome.EXCEPTION
    assert judge(sandbox, "def f(x):\n    while True: pass", task(tests), timeout_s=0.2).outcome is Outcome.TIMEOUT


def test_arguments_changed_in_place(sandbox: Sandbox) -> None:
    tests = """
def check(candidate):
    inner = [2, 1]
    data = {"xs": inner}
    candidate(data)
    assert inner == [1, 2] and data == {"xs": [1, 2], "done": True}
"""
    source = "def f(d):\n    d['xs'].sort()\n    d['done'] = True"
    assert judge(sandbox, source, task(tests, source)).passed


def test_helpers_come_from_the_reference(sandbox: Sandbox) -> None:
    """HumanEval/38's shape: a program cannot redefine the function that the tests encode with."""
    reference = "def encode(s): return s[::-1]\ndef f(s): return encode(s)"
    tests = "def check(candidate):\n    assert candidate(encode('ab')) == 'ab'\n"
    assert judge(sandbox, reference, task(tests, reference)).passed
    cheat = "def encode(s): return s\ndef f(s): return s"
    assert not judge(sandbox, cheat, task(tests, reference)).passed


def test_setup_runs_in_the_referee_only(sandbox: Sandbox) -> None:
    assert judge(sandbox, GOOD, task(("assert f(ONE) == 2",), setup="ONE = 1")).passed
    seen = "def f(x): return 2 if 'ONE' in globals() else x"
    assert not judge(sandbox, seen, task(("assert f(ONE) == 2",), setup="ONE = 1")).passed


@pytest.mark.parametrize(
    ("tests", "setup"),
    [("def check(", ""), ("x = 1", ""), (("assert f(1) ==",), ""), (("assert f(1) == 2",), "root = Node(1)")],
)
def test_unsound_tests_are_the_tasks_error(sandbox: Sandbox, tests: str | tuple[str, ...], setup: str) -> None:
    with pytest.raises(TaskError, match="t/1"):
        judge(sandbox, GOOD, task(tests, setup=setup))


def test_unstable_program(sandbox: Sandbox) -> None:
    lucky = "import time\ndef f(x): return x + 1 if time.time() < 1_700_050_000 else 0"
    assert judge(sandbox, lucky, task(ASSERTS)).passed
    verdict = judge(sandbox, lucky, task(ASSERTS), check_stable=True)
    assert (verdict.stable, verdict.passed) == (False, False)
    assert judge(sandbox, GOOD, task(ASSERTS), check_stable=True).stable


def test_stop_iteration_does_not_end_a_tests_loop(sandbox: Sandbox) -> None:
    tests = ("assert all(map(f, [1, 2]))",)
    assert not judge(sandbox, "def f(x): raise StopIteration", task(tests)).passed


def test_no_assertion_reached_is_no_pass(sandbox: Sandbox) -> None:
    tests = "def check(candidate):\n    for item in candidate(2):\n        assert item == 1\n"
    verdict = judge(sandbox, "def f(x): return []", task(tests, "def f(x): return [1] * x"))
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 0)


def test_tests_that_never_call_the_candidate_are_the_tasks_fault(sandbox: Sandbox) -> None:
    with pytest.raises(TaskError, match="expected calls of the candidate"):
        judge(sandbox, "def f(x): return 0", task("def check(candidate):\n    assert f(1) == 2\n"))


def test_endless_result_does_not_fill_the_judges_memory(sandbox: Sandbox) -> None:
    tests = ("assert tuple(f(1)) == (2,)",)
    assert judge(sandbox, "def f(x): return range(10**10)", task(tests)).outcome is Outcome.REFUSED


@pytest.mark.parametrize("tests", ["assert {2: 3}[candidate(1)] == 3", "x = {2: 3}[candidate(1)]; assert x == 3"])
def test_value_that_cannot_be_printed_is_a_wrong_answer(sandbox: Sandbox, tests: str) -> None:
    verdict = judge(sandbox, "def f(x): return 1 << 100_000", task(f"def check(candidate): {tests}"))
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 0)


def test_change_of_an_argument_cannot_be_hidden_by_what_cannot_cross(sandbox: Sandbox) -> None:
    tests = "def check(candidate):\n    xs = [1, 2]\n    candidate(xs)\n    assert xs == [1, 2]\n"
    assert judge(sandbox, "def f(xs): return None", task(tests)).passed
    assert judge(sandbox, "def f(xs): xs.append(3)", task(tests)).outcome is Outcome.WRONG_ANSWER
    assert judge(sandbox, "def f(xs): xs.append(lambda: 0)", task(tests)).outcome is Outcome.REFUSED


def test_answer_that_keeps_the_tests_busy_is_the_programs_failure(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referee, "TESTS_CPU_S", 0.3)
    tests = "def check(candidate):\n    for _ in range(candidate(1)): pass\n    assert candidate(1) == 1\n"
    verdict = judge(sandbox, "def f(x): return 10 ** 12", task(tests), timeout_s=0.2)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.TIMEOUT, 0)
    assert "over the answers" in verdict.detail
    assert judge(sandbox, "def f(x): return x", task(tests)).passed
    stuck = "def check(candidate):\n    assert candidate(1) == 2\n    while True: candidate(1)\n"
    assert judge(sandbox, GOOD, task(stuck), timeout_s=0.5).outcome is Outcome.TIMEOUT
