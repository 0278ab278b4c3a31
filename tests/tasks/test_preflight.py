from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.preflight import Fault, Health, examine
from egca_plugin.types import Task

GOOD = Task(
    "t/clamp",
    "Limit n to 0..9.",
    "clamp",
    "def clamp(n):\n    if n < 0:\n        return 0\n    return min(n, 9)\n",
    ("assert clamp(-1) == 0", "assert clamp(5) == 5", "assert clamp(10) == 9", "assert clamp(9) == 9"),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(timeout_s=2.0)) as sandbox:
        yield sandbox


def only_fault(health: Health) -> tuple[Fault, str]:
    (fault,) = health.faults
    return fault


def test_a_sound_task_has_its_numbers(sandbox: Sandbox) -> None:
    health = examine(sandbox, GOOD)
    assert health.faults == ()
    assert health.tests == 4
    assert health.steps == 8  # four calls: the condition, and one return each
    assert health.mutants >= 4
    assert health.mutation_score is not None
    assert health.mutation_score >= 0.5
    assert health.ms > 0


def test_a_reference_that_fails_its_own_tests_is_unsound(sandbox: Sandbox) -> None:
    fault, reason = only_fault(examine(sandbox, replace(GOOD, tests=(*GOOD.tests, "assert clamp(3) == 4"))))
    assert fault is Fault.UNSOUND
    assert "test 4" in reason


def test_a_reference_that_does_not_compile_is_unsound(sandbox: Sandbox) -> None:
    fault, reason = only_fault(examine(sandbox, replace(GOOD, reference="def clamp(n:\n")))
    assert fault is Fault.UNSOUND
    assert reason


def test_a_setup_that_needs_the_reference_is_unsound(sandbox: Sandbox) -> None:
    task = replace(GOOD, reference=GOOD.reference + "class Node: pass\n", setup="root = Node()")
    fault, reason = only_fault(examine(sandbox, task))
    assert fault is Fault.UNSOUND
    assert reason == "the setup fails on its own: NameError: name 'Node' is not defined"


NODES = Task(
    "t/chain",
    "Make a chain of Node objects.",
    "chain",
    "class Node:\n    def __init__(self, val, next):\n        self.val, self.next = val, next\n\n"
    "def chain(xs):\n    head = None\n    for x in xs:\n        head = Node(x, head)\n    return head\n",
    ("assert chain([1]).val == 1", "assert chain([1, 2]).next.val == 1", "assert chain([]) is None"),
)


def test_results_of_a_class_that_programs_are_not_told_of_are_unsound(sandbox: Sandbox) -> None:
    assert Fault.UNSOUND not in examine(sandbox, NODES).kinds
    untold = examine(sandbox, replace(NODES, prompt="Make a chain."))
    (reason,) = (reason for fault, reason in untold.faults if fault is Fault.UNSOUND)
    assert "the class 'Node', which neither the prompt nor the preamble gives" in reason


def test_what_cannot_cross_is_named(sandbox: Sandbox) -> None:
    stack = "class Stack:\n    def push(self, x): pass\n\ndef make(): return Stack()\n"
    pushed = "def check(candidate):\n    assert candidate().push(1) is None\n"
    for reference, tests, named in (
        (stack, pushed, "'push' of the program's own class 'Stack'"),
        ("import sys\ndef make(): return sys\n", ("assert make()",), "a 'module' cannot cross"),
        (
            "def make(f): return f(1)\n",
            ("from unittest.mock import Mock\nassert not make(Mock())",),
            "the function 'Mock' cannot cross",
        ),
    ):
        task = replace(GOOD, entry_point="make", reference=reference, tests=tests)
        fault, reason = only_fault(examine(sandbox, task))
        assert fault is Fault.UNSOUND
        assert named in reason


def test_tests_that_assert_nothing_of_what_is_right_are_weak(sandbox: Sandbox) -> None:
    loop = "for digit in clamp(5):\n    assert digit < 10"
    task = Task("t/digits", "", "clamp", "def clamp(n):\n    return [n for _ in range(0)]\n", (loop,))
    fault, reason = only_fault(examine(sandbox, task))
    assert fault is Fault.WEAK
    assert reason == "no assertion was reached by what the reference gives"


def test_tests_that_notice_little_are_weak(sandbox: Sandbox) -> None:
    fault, reason = only_fault(examine(sandbox, replace(GOOD, tests=("assert clamp(5) is not None",))))
    assert fault is Fault.WEAK
    assert reason.startswith("the tests notice ")


def test_an_assertion_that_nothing_satisfies_is_named(sandbox: Sandbox) -> None:
    hollow = "assert clamp(4) != 5"
    fault, reason = only_fault(examine(sandbox, replace(GOOD, tests=(*GOOD.tests, hollow))))
    assert fault is Fault.VACUOUS
    assert reason == f"holds for a function that returns None: test 4 ({hollow})"
    check = "def check(candidate):\n" + "".join(f"    {test}\n" for test in (*GOOD.tests, hollow))
    numbered = replace(GOOD, tests=check.replace("clamp", "candidate"))
    assert only_fault(examine(sandbox, numbered)) == (Fault.VACUOUS, reason.split(" (")[0])


def test_an_assertion_about_another_function_is_named_too(sandbox: Sandbox) -> None:
    two = replace(
        GOOD,
        reference=f"{GOOD.reference}def lowest():\n    return 0\n",
        tests="from solution import clamp, lowest\ndef test_them():\n    assert clamp(-1) == lowest() == 0\n"
        "    assert lowest() != 1\n",
    )
    assert (Fault.VACUOUS, "holds for a function that returns None: test 1") in examine(sandbox, two).faults


def test_where_nothing_is_the_answer_it_may_be_asserted(sandbox: Sandbox) -> None:
    reference = GOOD.reference.replace("    if", "    if n is None:\n        return None\n    if", 1)
    task = replace(GOOD, reference=reference, tests=(*GOOD.tests, "assert clamp(None) is None"))
    assert Fault.VACUOUS not in examine(sandbox, task).kinds


def test_a_reference_near_the_time_limit_is_slow() -> None:
    slow = GOOD.reference.replace("    if", "    sum(range(3_000_000))\n    if")
    with Sandbox(SandboxConfig(timeout_s=0.05)) as sandbox:
        faults = dict(examine(sandbox, replace(GOOD, reference=slow, tests=("assert clamp(-1) == 0",))).faults)
    assert faults[Fault.SLOW].endswith("of the 50 ms allowed")


def test_a_reference_that_rolls_dice_is_unstable(sandbox: Sandbox) -> None:
    task = replace(
        GOOD,
        reference="import random\n\ndef clamp(n):\n    return random.random()\n",
        tests=("assert 0 <= clamp(1) < 1",),
    )
    faults = dict(examine(sandbox, task).faults)
    assert faults[Fault.UNSTABLE].startswith("the reference's results change")


def test_tests_that_roll_dice_are_told_apart(sandbox: Sandbox) -> None:
    task = replace(GOOD, setup="import random", tests=("assert clamp(random.random()) < 1", *GOOD.tests))
    faults = dict(examine(sandbox, task).faults)
    assert faults == {Fault.UNSTABLE: "the tests draw random inputs"}


def test_all_of_humaneval_is_sound(sandbox: Sandbox) -> None:
    from egca_plugin.judging.referee import judge
    from egca_plugin.tasks.layouts import humaneval

    verdicts = {task.task_id: judge(sandbox, task.reference, task, timeout_s=30.0) for task in humaneval.load()}
    assert [task_id for task_id, verdict in verdicts.items() if not verdict.passed] == []


def test_every_starter_task_is_sound_and_strong(sandbox: Sandbox) -> None:
    from egca_plugin.tasks import starter

    for task in starter.load():
        assert examine(sandbox, task).faults == (), task.task_id
