"""Complexity classes by counted steps; what cannot be measured is not claimed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egca_plugin.program.constraints import Constraint, check
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.tasks.complexity import MAX_STEPS, SIZES, Growth, classify, constrain, grow, growth, violation
from egca_plugin.types import Call, CallResult, CallStatus, Task


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


PROGRAMS = {
    "constant": "def f(xs):\n    return len(xs)\n",
    "linear": "def f(xs):\n    return [x for x in xs if x]\n",
    "quadratic": "def f(xs):\n    for x in xs:\n        for y in xs:\n            x += y\n    return x\n",
    "cubic": "def f(xs):\n    return sum(1 for a in xs for b in xs for c in xs if a + b == c)\n",
    "exponential": "def f(xs):\n    return 1 if not xs else f(xs[1:]) + f(xs[1:])\n",
}
CALLS = (call("f", [3, 1, 2]),)


@pytest.mark.parametrize(("name", "source"), PROGRAMS.items(), ids=PROGRAMS)
def test_classes(name: str, source: str, sandbox: Sandbox) -> None:
    assert classify(sandbox, source, CALLS) == name


def test_numbers_grow_where_nothing_else_does(sandbox: Sandbox) -> None:
    divisors = "def f(n):\n    d = 2\n    while d * d <= n:\n        d += 1\n    return d\n"
    assert classify(sandbox, divisors, (call("f", 5),)) == "root"


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        (PROGRAMS["linear"], ()),
        ("def f(x):\n    return x\n", (call("f", {}),)),  # nothing grows
        ("def f(xs):\n    return {3: 1}[len(xs)]\n", CALLS),  # grown inputs make no sense to it
    ],
)
def test_what_cannot_be_measured_is_not_claimed(source: str, calls: tuple, sandbox: Sandbox) -> None:  # type: ignore[type-arg]
    assert classify(sandbox, source, calls) is None


PAIRS = """
def f(xs):
    for i in range(len(xs)):
        for j in range(i):
            if xs[i] == xs[j]:
                return True
    return False
"""
SORTED = "def f(xs, n):\n    at = 0\n    while at + 1 < n and xs[at] <= xs[at + 1]:\n        at += 1\n    return at\n"


@pytest.mark.parametrize(
    ("source", "call_", "expected"),
    [
        (PAIRS, call("f", [3, 1, 3]), "quadratic"),  # repeated items end it at once, distinct ones do not
        (PAIRS.replace("==", "!="), call("f", [3, 1, 2]), "quadratic"),  # and the other way round
        (SORTED, call("f", [1, 2, 5], 3), "linear"),  # what was sorted stays so, what said the length still does
    ],
    ids=["ends at equals", "ends at others", "sorted, with its length"],
)
def test_the_fastest_growth_of_several_counts(source: str, call_: Call, expected: str, sandbox: Sandbox) -> None:
    assert classify(sandbox, source, (call_,)) == expected


def test_a_program_that_hangs_has_no_class(sandbox: Sandbox) -> None:
    assert classify(sandbox, "def f(xs):\n    while True: pass\n", CALLS) is None


def test_a_program_too_deep_to_be_rewritten_has_no_class(sandbox: Sandbox) -> None:
    source = "def f(xs):\n    return " + "-" * 600 + "1\n"
    compile(source, "deep", "exec")
    assert classify(sandbox, source, CALLS) is None
    assert violation(sandbox, Constraint("complexity", "constant", "f"), source, CALLS) is None


@pytest.mark.parametrize(
    ("power", "least", "most"),
    [
        (0.1, "constant", "constant"),
        (1.15, "linear", "linear"),
        (1.5, "linear", "quadratic"),
        (2.0, "quadratic", "quadratic"),
    ],
)
def test_between_two_classes_both_are_possible(power: float, least: str, most: str) -> None:
    factor = 0.9 * MAX_STEPS / SIZES[-1] ** power
    assert growth([steps(round(factor * size**power)) for size in SIZES]) == Growth(least, most)


@pytest.mark.parametrize(
    "curve",
    [
        [10 * size if size != 127 else 10 for size in SIZES],
        [10**6 // size for size in SIZES],
        [10, 12, 400_000],
    ],
    ids=["erratic", "shrinking", "spent too soon"],
)
def test_what_follows_no_class_has_none(curve: list[int]) -> None:
    assert growth([steps(n) for n in curve]) is None


def steps(number: int) -> CallResult:
    status = CallStatus.VALUE if number <= MAX_STEPS else CallStatus.BUDGET
    return CallResult(status, value=b"N", steps=number)


def test_growing_keeps_the_other_arguments() -> None:
    grown = grow(call("f", "ab", 3, key=1).arguments, 5, lambda value, size: value * size)
    assert grown is not None
    assert wire.decode(grown) == (("ababababab", 3), {"key": 1})
    assert grow(call("f", None, []).arguments, 5, lambda value, size: value) is None


def test_a_loop_in_the_library_counts_for_the_reference(sandbox: Sandbox) -> None:
    """What ``sum`` does is not seen; a candidate that loops instead is no slower."""
    task = Task("t/0", "", "f", "def f(xs):\n    return sum(xs)\n", ("assert f([]) == 0",))
    constraint = constrain(sandbox, task, CALLS)
    assert constraint == Constraint("complexity", "linear", "f")
    loop = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"
    assert violation(sandbox, constraint, loop, CALLS) is None


def test_the_constraint_is_checked_by_running(sandbox: Sandbox) -> None:
    task = Task("t/0", "", "f", PROGRAMS["linear"], ("assert f([]) == []",))
    constraint = constrain(sandbox, task, CALLS)
    assert constraint == Constraint("complexity", "linear", "f")
    assert constraint.phrase == "Aim for linear time or better."
    slower = violation(sandbox, constraint, PROGRAMS["quadratic"], CALLS)
    assert slower is not None
    assert slower.found == "quadratic"
    assert violation(sandbox, constraint, PROGRAMS["constant"], CALLS) is None
    assert violation(sandbox, constraint, task.reference, CALLS) is None
    assert check((constraint,), PROGRAMS["quadratic"]) == ()


def test_what_tests_ask_of_another_function_says_nothing_about_the_entry_point(sandbox: Sandbox) -> None:
    source = f"{PROGRAMS['linear']}{PROGRAMS['cubic'].replace('def f', 'def g')}"
    calls = [*CALLS, call("g", [3, 1, 2])]
    assert constrain(sandbox, Task("t/1", "", "f", source, ""), calls) == Constraint("complexity", "linear", "f")
    assert violation(sandbox, Constraint("complexity", "linear", "f"), source, calls) is None
