"""Complexity classes by counted steps; what cannot be measured is not claimed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egca_plugin.program.constraints import Constraint, check
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox, call
from egca_plugin.tasks.complexity import classify, constrain, grow, violation
from egca_plugin.types import Task


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


def test_a_budget_spent_on_small_inputs_is_exponential(sandbox: Sandbox) -> None:
    assert classify(sandbox, "def f(xs):\n    while True: pass\n", CALLS) == "exponential"


def test_growing_keeps_the_other_arguments() -> None:
    grown = grow(call("f", "ab", 3, key=1).arguments, 5)
    assert grown is not None
    assert wire.decode(grown) == (("ababa", 3), {"key": 1})
    assert grow(call("f", None, []).arguments, 5) is None


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
