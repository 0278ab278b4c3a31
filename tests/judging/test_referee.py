"""Verdicts: both forms of tests, every assertion counted, and nothing a program says but values believed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging import referee
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallStatus, Kind, Limits, Outcome, Task

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
        total = 7 if tests is CHECK else 3  # each pass of a loop counts
        assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (Outcome.OK, total, total)

    def test_every_assertion_is_evaluated(self, sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
        verdict = judge(sandbox, "def f(x): return 0 if x == 1 else x + 1", task(tests))
        assert verdict.outcome is Outcome.WRONG_ANSWER
        assert (verdict.tests_passed, verdict.tests_total) == ((5, 7) if tests is CHECK else (2, 3))

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
            ("import sys\ndef f(x): return sys", Outcome.REFUSED),
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


def test_assertions_cut_out_of_a_function_keep_their_indentation(sandbox: Sandbox) -> None:
    tests = ("    assert f(1) == 2", "\tfor x in (2, 3):\n\t    assert f(x) == x + 1", "# nothing")
    assert judge(sandbox, GOOD, task(tests)).tests_passed == 3
    assert judge(sandbox, "def f(x): return 2", task(tests)).tests_passed == 1


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
        judge(sandbox, "def f(x): return 0", task("def check(candidate):\n    assert g(1) == 2\n"))


def test_endless_result_does_not_fill_the_judges_memory(sandbox: Sandbox) -> None:
    tests = ("assert tuple(f(1)) == (2,)",)
    assert judge(sandbox, "def f(x): return range(10**10)", task(tests)).outcome is Outcome.MEMORY


def test_a_range_is_a_value_however_long(sandbox: Sandbox) -> None:
    tests = ("assert len(f(range(10**9))) == 10**9 - 1", "assert f(range(10**6)) == range(1, 10**6)")
    assert judge(sandbox, "def f(x): return x[1:]", task(tests)).passed


@pytest.mark.parametrize("tests", ["assert {2: 3}[candidate(1)] == 3", "x = {2: 3}[candidate(1)]; assert x == 3"])
def test_value_that_cannot_be_printed_is_a_wrong_answer(sandbox: Sandbox, tests: str) -> None:
    verdict = judge(sandbox, "def f(x): return 1 << 100_000", task(f"def check(candidate): {tests}"))
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 0)


def test_change_of_an_argument_cannot_be_hidden_by_what_cannot_cross(sandbox: Sandbox) -> None:
    tests = "def check(candidate):\n    xs = [1, 2]\n    candidate(xs)\n    assert xs == [1, 2]\n"
    assert judge(sandbox, "def f(xs): return None", task(tests)).passed
    assert judge(sandbox, "def f(xs): xs.append(3)", task(tests)).outcome is Outcome.WRONG_ANSWER
    assert judge(sandbox, "import sys\ndef f(xs): xs.append(sys)", task(tests)).outcome is Outcome.REFUSED


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


METHOD = Task(
    "t/two_sum",
    "",
    "Solution.twoSum",
    "class Solution:\n    def twoSum(self, nums, target): return [0, 1]",
    "def check(candidate):\n    assert candidate(nums=[2, 7], target=9) == [0, 1]\n",
    kind=Kind.METHOD,
)


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        ("class Solution:\n    def twoSum(self, nums, target): return [0, 1]", True),
        ("def twoSum(nums, target): return [0, 1]", True),
        ("class Solution:\n    def twoSum(self, nums, target): return [1, 0]", False),
        ("class Solution:\n    def two_sum(self, nums, target): return [0, 1]", False),
    ],
)
@pytest.mark.parametrize(
    "tests",
    [
        METHOD.tests,
        ("assert Solution().twoSum([2, 7], 9) == [0, 1]",),
        ("s = Solution()\nassert s.twoSum([2, 7], 9) == [0, 1]",),
        ("assert twoSum([2, 7], target=9) == [0, 1]",),
    ],
)
def test_methods(sandbox: Sandbox, program: str, passed: bool, tests: str | tuple[str, ...]) -> None:
    verdict = judge(sandbox, program, replace(METHOD, tests=tests))
    assert (verdict.passed, verdict.tests_total) == (passed, 1)
    assert [tested.call.function for tested in verdict.calls] == ["Solution.twoSum"]


def test_nodes_reach_a_method_by_their_attributes(sandbox: Sandbox) -> None:
    node = "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val, self.next = val, next\n"
    program = node + (
        "class Solution:\n    def total(self, head):\n        s = 0\n        while head:\n"
        "            assert isinstance(head, ListNode)\n            s, head = s + head.val, head.next\n        return s"
    )
    tests = ("assert Solution().total(ListNode(1, ListNode(2))) == 3",)
    task = replace(METHOD, entry_point="Solution.total", reference=program, setup=node, tests=tests)
    assert judge(sandbox, program, task).passed


def test_a_task_may_have_a_limit_of_memory_of_its_own(sandbox: Sandbox) -> None:
    takes = "import mmap\ndef f(x):\n    held = mmap.mmap(-1, {} << 20)\n    return x + 1"  # and uses none of it
    assert judge(sandbox, takes.format(600), task(ASSERTS)).outcome is Outcome.EXCEPTION
    assert judge(sandbox, takes.format(600), replace(task(ASSERTS), limits=Limits(memory_mb=1024))).passed
    assert judge(sandbox, takes.format(100), task(ASSERTS)).passed
    less = replace(task(ASSERTS), limits=Limits(memory_mb=64))
    assert judge(sandbox, takes.format(100), less).outcome is Outcome.EXCEPTION


BUSY = """
import time
def f(x):
    n = 0
    while n < {loops}:
        n += 1
    return x
"""


def test_a_tasks_own_time_may_be_longer_than_the_settings() -> None:
    """In CPU time, so no busy host decides."""
    slow = Task("t/1", "", "f", BUSY.format(loops=10), ("assert f(1) == 1",))
    took = _loops_of(0.4)
    with Sandbox(SandboxConfig(timeout_s=0.1)) as hasty:
        verdict = judge(hasty, BUSY.format(loops=took), slow)
        assert (verdict.outcome, "CPU" in verdict.detail) == (Outcome.TIMEOUT, True)
        assert judge(hasty, BUSY.format(loops=took), replace(slow, limits=Limits(time_s=20.0))).passed


def _loops_of(cpu_s: float) -> int:
    """How often a loop goes round in so much CPU time, roughly."""
    began, n = time.process_time(), 0
    while n < 1_000_000:
        n += 1
    return int(1_000_000 * cpu_s / (time.process_time() - began))
