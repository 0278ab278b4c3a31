"""Added tests: what the reference says on inputs like those of the task's own, and none where that is unsafe."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.strengthen import MORE, strengthen
from egca_plugin.types import Task

TOTAL = Task(
    "t/total",
    "Add up the first n items.",
    "total",
    "def total(items, n):\n    return sum(items[:n])\n",
    ("assert total([1, 2, 3], 3) == 6", "assert total([], 0) == 0", "assert total([4, 5, 6, 7], 4) == 22"),
)
WEAKLY_RIGHT = "def total(items, n):\n    return {0: 0, 3: 6, 4: 22}.get(n, 0)\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def test_the_reference_passes_and_a_program_that_fits_the_tests_alone_does_not(sandbox: Sandbox) -> None:
    stronger = strengthen(sandbox, TOTAL)
    assert len(stronger.tests) == len(TOTAL.tests) + MORE
    assert judge(sandbox, TOTAL.reference, stronger).passed
    assert judge(sandbox, WEAKLY_RIGHT, TOTAL).passed
    assert not judge(sandbox, WEAKLY_RIGHT, stronger).passed


def test_a_number_that_is_always_a_length_stays_one(sandbox: Sandbox) -> None:
    for test in strengthen(sandbox, TOTAL).tests:
        statement = ast.parse(test).body[0]
        assert isinstance(statement, ast.Assert)
        items, n = (ast.literal_eval(arg) for arg in statement.test.left.args)  # type: ignore[attr-defined]
        assert n == len(items)
        assert len(items) <= 4
        assert items == sorted(items), "all of the task's own were sorted"


def test_the_same_tests_every_time(sandbox: Sandbox) -> None:
    assert strengthen(sandbox, TOTAL) == strengthen(sandbox, TOTAL)


def test_humanevals_form_keeps_its_check_and_gets_more(sandbox: Sandbox) -> None:
    body = "".join(f"    assert candidate({x!r}) == {x[::-1]!r}\n" for x in ("abc", "", "xyzw", "a{}"))
    task = Task("t/rev", "Turn it round.", "rev", "def rev(s):\n    return s[::-1]\n", f"def check(candidate):\n{body}")
    stronger = strengthen(sandbox, task)
    verdict = judge(sandbox, task.reference, stronger)
    assert verdict.passed
    assert verdict.tests_total > 4


def test_a_float_is_compared_with_room(sandbox: Sandbox) -> None:
    tests = ("assert half(1.5) == 0.75", "assert half(4.5) == 2.25")
    task = Task("t/half", "Halve it.", "half", "def half(x):\n    return x / 2\n", tests)
    stronger = strengthen(sandbox, task)
    assert len(stronger.tests) > 2
    assert judge(
        sandbox, "def half(x):\n    return x * 0.5 + 1e-9\n", replace(stronger, tests=stronger.tests[2:])
    ).passed


@pytest.mark.parametrize(
    ("reference", "tests"),
    [
        (
            "def f(x):\n    return {x}\n",
            ("assert sorted(f(1)) == [1]", "assert sorted(f(9)) == [9]"),
        ),  # any order will do
        ("def f(x):\n    return x\n", ("assert f(1) == 1 or f(1) == 2",)),
        ("def f(x):\n    return x + 1\n", ("assert f(1) == 1", "assert f(5) == 5")),  # the reference is wrong
        ("import random\ndef f(x):\n    return 0 * x or random.random()\n", ("assert f(1) != 7",)),
    ],
)
def test_left_alone_where_more_tests_could_be_unfair(sandbox: Sandbox, reference: str, tests: tuple[str, ...]) -> None:
    task = Task("t/f", "f", "f", reference, tests)
    assert strengthen(sandbox, task) is task


def test_inputs_that_the_reference_refuses_or_changes_are_not_used(sandbox: Sandbox) -> None:
    refuses = "def f(x):\n    assert x in (1, 50)\n    return x\n"
    task = Task("t/f", "f", "f", refuses, ("assert f(1) == 1", "assert f(50) == 50"))
    assert strengthen(sandbox, task).tests == task.tests
    changes = "def f(x):\n    x.append(1)\n    return len(x)\n"
    task = Task("t/f", "f", "f", changes, ("assert f([3]) == 2", "assert f([4, 9, 2]) == 4"))
    assert strengthen(sandbox, task).tests == task.tests


@pytest.mark.parametrize(
    "body",
    ["tuple(set(a) & set(a))", "tuple({x for x in a})", "list(frozenset(a).union(a))", "set(a).pop()"],
)
def test_no_added_test_fixes_the_order_of_a_set(sandbox: Sandbox, body: str) -> None:
    first = eval(body, {"a": [3, 4]})  # one of those above
    task = Task("t/1", "", "f", f"def f(a):\n    return {body}", (f"assert f([3, 4]) == {first!r}",))
    added = [test for test in strengthen(sandbox, task).tests if test not in task.tests]
    given = [ast.literal_eval(test.removeprefix("assert f(").partition(") == ")[0]) for test in added]
    assert all(len(set(one)) == 1 for one in given)


def test_sets_themselves_and_sorted_ones_are_still_tested(sandbox: Sandbox) -> None:
    for body, expected in (("set(a) & set(b)", "{3, 4}"), ("sorted(set(a) | {*b})", "[3, 4]")):
        task = Task("t/1", "", "f", f"def f(a, b):\n    return {body}", (f"assert f([3, 4], [4, 3]) == {expected}",))
        assert len(strengthen(sandbox, task).tests) > 1


def test_results_that_no_literal_spells_add_nothing(sandbox: Sandbox) -> None:
    reference = "class Total(int): pass\ndef total(items, n):\n    return Total(sum(items[:n]))\n"
    assert strengthen(sandbox, replace(TOTAL, reference=reference)).tests == TOTAL.tests
