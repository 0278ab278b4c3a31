"""Whole programs judged: right ones however they are written, wrong ones whatever they try."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.referee import judge
from egca_plugin.judging.stdin import MAX_SHOWN
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.preflight import Fault, examine
from egca_plugin.types import CallCase, Compare, FailedTest, Kind, Limits, Outcome, StdinCase, Task


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(timeout_s=1.0)) as sandbox:
        yield sandbox


def task(*cases: tuple[str, str], **fields: Any) -> Task:
    made = tuple(StdinCase(stdin, (stdout,)) for stdin, stdout in cases)
    return Task("t/1", "", "", "", (), kind=Kind.STDIN, cases=made, **fields)


SUMS = task(("2\n1 2\n", "3\n"), ("3\n1 2 3\n", "6\n"), ("1\n-5\n", "-5\n"))
PAIRS = task(("3\n5 1 4\n", "1 4 5\n"), ("2\n2 1\n", "1 2\n"))


@pytest.mark.parametrize(
    ("program", "one"),
    [
        ("import sys\nd = sys.stdin.buffer.read().split()\nprint(sum(map(int, d[1:])))", SUMS),
        ("import sys\ninput = sys.stdin.buffer.readline\ninput()\nprint(sum(map(int, input().split())))", SUMS),
        ("n, *xs = map(int, open(0).read().split())\nprint(sum(xs))", SUMS),
        ("import sys\nfor line in sys.stdin: last = line\nprint(sum(map(int, last.split())))", SUMS),
        ("input()\nprint(sum(map(int, input().split())))\nexit()", SUMS),
        ("t = 0\ndef add(x):\n    global t\n    t+=x\ninput()\nfor x in input().split(): add(int(x))\nprint(t)", SUMS),
        ("from collections import *\ninput()\nd = deque(input().split())\nprint(sum(map(int, d)))", SUMS),
        ("input()\nprint(*sorted(map(int, input().split())), sep='  ')", PAIRS),
    ],
    ids=["stdin.buffer", "kept readline", "open(0)", "iterated stdin", "exit", "global", "star import", "two blanks"],
)  # fmt: skip
def test_right_programs_that_scorers_call_wrong(box: Sandbox, program: str, one: Task) -> None:
    verdict = judge(box, program, one)
    assert (verdict.outcome, verdict.tests_passed, verdict.failed) == (Outcome.OK, verdict.tests_total, None)


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("pass", Outcome.WRONG_ANSWER),
        ("print(3)", Outcome.WRONG_ANSWER),
        ("print('nan')", Outcome.WRONG_ANSWER),
        ("import os\nos._exit(0)", Outcome.WRONG_ANSWER),
        ("print(3, end='')\n1 / 0", Outcome.EXCEPTION),
        ("input()\nprint(sum(map(int, input().split())))\nraise SystemExit(1)", Outcome.EXCEPTION),
        ("input()\nprint(sum(map(int, input().split())))\n1 / 0", Outcome.EXCEPTION),
        ("import threading\ndef f(): print(int(input()) // 0)\nthreading.Thread(target=f).start()", Outcome.EXCEPTION),
        ("while True: print(3)", Outcome.WRONG_ANSWER),
        ("while True: pass", Outcome.TIMEOUT),
        ("x = [0] * 10 ** 9", Outcome.MEMORY),
        ("print(", Outcome.COMPILE_ERROR),
    ],
)
def test_wrong_programs(box: Sandbox, program: str, outcome: Outcome) -> None:
    verdict = judge(box, program, SUMS)
    assert (verdict.outcome, verdict.passed) == (outcome, False)
    assert verdict.tests_passed < verdict.tests_total == 3


def test_a_crash_with_nothing_expected_is_no_success(box: Sandbox) -> None:
    assert not judge(box, "1 / 0", task(("", ""))).passed
    assert judge(box, "pass", task(("", ""))).passed


def test_the_first_failed_test_is_told(box: Sandbox) -> None:
    program = "input()\nxs = list(map(int, input().split()))\nprint(sum(xs) if len(xs) < 3 else 7)"
    verdict = judge(box, program, SUMS)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 2)
    assert verdict.detail == "test 1: token 1: got '7', expected '6'"
    assert verdict.failed == FailedTest(1, stdin="3\n1 2 3\n", expected="6\n", got="7\n")


def test_a_crash_is_told_with_what_was_written(box: Sandbox) -> None:
    verdict = judge(box, "n = int(input())\nprint('so far')\nprint(1 // (n - 2))", SUMS)
    assert verdict.error is not None
    assert (verdict.error.type, verdict.error.line) == ("ZeroDivisionError", 3)
    assert verdict.failed is not None
    assert verdict.failed.got == "so far\n"
    assert verdict.failed.exception.startswith("ZeroDivisionError: ")


def test_what_is_told_is_bounded(box: Sandbox) -> None:
    verdict = judge(box, "print('é' * 100_000)", task(("x" * 100_000, "y" * 100_000)))
    assert verdict.failed is not None
    texts = (verdict.failed.stdin, verdict.failed.expected, verdict.failed.got, verdict.detail)
    assert all(len(text) < MAX_SHOWN + 50 for text in texts)


def test_the_cheapest_test_comes_first_and_keeps_its_number(box: Sandbox) -> None:
    """A program out of time is not asked again: the short test, the last of the task, was heard before."""
    slow = task(("9" * 50, "1"), ("9" * 20, "1"), ("1", "1"))
    program = "x = input()\nwhile len(x) > 1: pass\nprint(1)"
    verdict = judge(box, program, slow, timeout_s=0.2)
    assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (Outcome.TIMEOUT, 1, 3)
    assert verdict.failed is not None
    assert verdict.failed.test == 1
    assert [call.test for call in verdict.calls] == [1, 2]


def test_the_first_failure_may_end_it() -> None:
    with Sandbox(SandboxConfig(tests="first_failure")) as sandbox:
        verdict = judge(sandbox, "print(3)", SUMS)
    assert (verdict.tests_passed, verdict.tests_total, len(verdict.calls)) == (0, 3, 1)


def test_calls_hold_inputs_and_outputs(box: Sandbox) -> None:
    verdict = judge(box, "input()\nprint(sum(map(int, input().split())))", SUMS)
    assert [wire.decode(tested.call.arguments) for tested in verdict.calls] == [
        ((case.stdin,), {}) for case in SUMS.cases if isinstance(case, StdinCase)
    ]
    assert [wire.decode(tested.result.value) for tested in verdict.calls] == ["3\n", "6\n", "-5\n"]
    assert {tested.call.function for tested in verdict.calls} == {""}


def test_several_outputs_and_a_checker(box: Sandbox) -> None:
    several = replace(SUMS, cases=(StdinCase("", ("1 2", "2 1")),))
    assert judge(box, "print(2, 1)", several).passed
    assert not judge(box, "print(1, 1)", several).passed
    divisor = "def check(stdin, output, expected):\n    return int(stdin) % int(output) == 0 and int(output) > 1"
    free = replace(SUMS, cases=(StdinCase("12", ()), StdinCase("35", ())), checker=divisor)
    assert judge(box, "n = int(input())\nprint(min(d for d in range(2, n + 1) if n % d == 0))", free).passed
    verdict = judge(box, "print('seven')", free)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 0)
    assert verdict.detail.startswith("test 0: the checker raised ValueError")


def test_limits_of_the_task(box: Sandbox) -> None:
    two = replace(SUMS, limits=Limits(tests=2))
    assert judge(box, "print(0)", two).tests_total == 2
    hog = "x = bytearray(200 << 20)\nprint(3)"
    small = task(("", "3"), limits=Limits(memory_mb=100))
    assert judge(box, hog, small).outcome is Outcome.MEMORY
    assert judge(box, hog, replace(small, limits=Limits())).passed
    brief = task(("", "3"), limits=Limits(time_s=0.1))
    slow = "for i in range(10 ** 7): pass\nprint(3)"
    assert judge(box, slow, brief).outcome is Outcome.TIMEOUT


def test_many_tests_may_take_longer_together(box: Sandbox) -> None:
    """Thirty tests, each of less than half its limit, that take more than ten times that."""
    loop = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\nprint(input())"
    many = replace(SUMS, cases=tuple(StdinCase(f"{n}\n", (f"{n}\n",)) for n in range(30)), limits=Limits(time_s=0.2))
    assert judge(box, loop.format(0.08), many).passed  # 2.4 s, twelve times the limit of one


def test_an_unstable_program_is_found(box: Sandbox) -> None:
    verdict = judge(box, "import random\nprint(random.random())", task(("", "0.5")), check_stable=True)
    assert not verdict.stable


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (replace(SUMS, cases=()), "field tests: got no cases"),
        (replace(SUMS, cases=(CallCase("[]", "{}", "1"),)), "field tests: got no cases"),
        (replace(SUMS, cases=(StdinCase("", ()),)), "field tests: got a case without stdout"),
        (replace(SUMS, compare=Compare("value")), "field compare.mode"),
        (replace(SUMS, checker="x ="), "field checker"),
    ],
)
def test_tasks_that_cannot_be_judged(box: Sandbox, broken: Task, field: str) -> None:
    with pytest.raises(TaskError, match=f"t/1, {field}"):
        judge(box, "print(1)", broken)


def test_the_expected_output_is_nowhere_in_the_process(box: Sandbox) -> None:
    """Objects, frames and descriptors: the program writes down all the text that it can reach."""
    program = """
import gc, os, sys
def tell(value):
    if type(value) in (str, bytes): print(repr(value)[:200])
for one in gc.get_objects():
    if type(one) is dict:
        for value in list(one.values()): tell(value)
    elif type(one) in (list, tuple):
        for value in one: tell(value)
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()): tell(value)
    frame = frame.f_back
for fd in range(64):
    try: os.lseek(fd, 0, 0); tell(os.read(fd, 1 << 16))
    except OSError: pass
"""
    (tested,) = judge(box, program, task(("given\n", "expected47\n"))).calls
    reached = wire.decode(tested.result.value)
    assert "given" in reached
    assert "expected47" not in reached


def test_preflight_reads_whole_programs(box: Sandbox) -> None:
    """The reference is judged like any program: a checker that never works and one that always does are found."""
    sound = replace(SUMS, reference="input()\nprint(sum(map(int, input().split())))")
    assert examine(box, sound).faults == ()
    broken = replace(sound, checker="def check(stdin, output, expected): return int('x')")
    ((fault, why),) = examine(box, broken).faults
    assert (fault, "checker raised ValueError" in why) == (Fault.UNSOUND, True)
    silent = replace(sound, checker="def check(stdin, output, expected): return True")
    assert Fault.VACUOUS in examine(box, silent).kinds
