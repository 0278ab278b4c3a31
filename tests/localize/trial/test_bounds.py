"""Nothing runs away: loops count steps, numbers cannot explode, and what is not stopped computes what it always did."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egca_plugin.localize.compare.evidence import Expectation
from egca_plugin.localize.trial.bounds import DEFINITIONS, bounded
from egca_plugin.localize.trial.driver import SWEEP
from egca_plugin.localize.trial.slots import slotted
from egca_plugin.localize.trial.sweep import Effort, Met, agreement, sweep
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import CallResult, CallStatus

_SMALL = st.integers(-50, 50)
_VALUES = st.one_of(_SMALL, st.floats(-9, 9), st.text(max_size=5), st.lists(_SMALL, max_size=5), st.booleans())


def namespace(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__egca_step__": lambda line: None}
    exec(DEFINITIONS, names)
    tree = ast.parse(source)
    tree.body = [bounded(node) for node in tree.body]
    exec(compile(ast.fix_missing_locations(tree), "<test>", "exec"), names)
    return names


def outcome(function: Any, *arguments: Any) -> tuple[type, str]:
    try:
        value = function(*arguments)
    except (TypeError, ZeroDivisionError, OverflowError, ValueError) as err:
        return type(err), ""
    return type(value), repr(value)


@pytest.mark.parametrize("body", ["a * b", "a ** b", "a << b", "(a * b) * a", "[x * b for x in [a]][0]"])
@given(a=_VALUES, b=_VALUES)
@settings(deadline=None)
def test_bounded_operators_compute_what_the_plain_ones_do(body: str, a: Any, b: Any) -> None:
    plain: dict[str, Any] = {}
    exec(f"def f(a, b):\n    return {body}", plain)
    assert outcome(namespace(f"def f(a, b):\n    return {body}")["f"], a, b) == outcome(plain["f"], a, b)


@given(a=_VALUES, b=_VALUES)
@settings(deadline=None)
def test_bounded_updates_change_in_place_what_the_plain_ones_do(a: Any, b: Any) -> None:
    source = "def f(a, b):\n    other = a\n    a *= b\n    return a, other"
    plain: dict[str, Any] = {}
    exec(source, plain)
    copied = list(a) if isinstance(a, list) else a
    assert outcome(namespace(source)["f"], a, b) == outcome(plain["f"], copied, b)


@pytest.mark.parametrize(
    "body", ["7 ** 10**9", "1 << 10**9", "[0] * 10**9", "10**9 * 'x'", "2 ** 90_000 * 2 ** 90_000"]
)
def test_what_would_take_seconds_or_gigabytes_is_stopped(body: str) -> None:
    names = namespace(f"def f():\n    return {body}")
    with pytest.raises(names["__egca_stop__"]):
        names["f"]()


def expectation(value: object, *arguments: Any) -> Expectation:
    return Expectation(call("f", *arguments), (CallResult(CallStatus.VALUE, wire.encode(value)),))


def test_a_sweep_tells_right_from_wrong_from_cut_short(sandbox: Sandbox) -> None:
    code = slotted(ast.parse("def f(n):\n    while n > 9:\n        pass\n    return n * n\n"), ()).compile()
    with Workshop(sandbox) as workshop:

        def ask(effort: Effort, *expectations: Expectation) -> list[Met] | None:
            return sweep(workshop, code, [(), ()], expectations, effort)

        assert ask(Effort(100, 1_000), expectation(9, 3)) == [Met.YES] * 2
        assert ask(Effort(100, 1_000), expectation(9, 3), expectation(8, 4)) == [Met.NO] * 2
        assert ask(Effort(100, 1_000), expectation(9, 3), expectation(1, 10)) == [Met.STOPPED] * 2
        assert ask(Effort(100, 1_000), expectation(1, 3), expectation(1, 10)) == [Met.NO] * 2
        assert ask(Effort(100, 1_000), expectation(1, 10), expectation(9, 3)) == [Met.STOPPED] * 2
        scarce = Effort(100, 102)
        assert ask(scarce, expectation(9, 3), expectation(1, 10)) == [Met.STOPPED, Met.UNTRIED]
        assert scarce.work == 0


def test_a_comprehension_without_an_end_is_stopped(sandbox: Sandbox) -> None:
    source = "import itertools\ndef f(n):\n    return sum(k for k in itertools.count() if k < n)\n"
    with Workshop(sandbox) as workshop:
        code = slotted(ast.parse(source), ()).compile()
        assert sweep(workshop, code, [()], [expectation(0, 3)], Effort(1_000, 10_000)) == [Met.STOPPED]
        assert workshop.alive
        code = slotted(ast.parse(source.replace("count()", "islice(range(99), 9)")), ()).compile()
        assert sweep(workshop, code, [()], [expectation(3, 3)], Effort(10, 10)) == [Met.YES]


def test_what_is_not_plain_data_is_not_for_a_sweep_to_say(sandbox: Sandbox) -> None:
    code = slotted(ast.parse("def f(n):\n    return n\n"), ()).compile()
    with Workshop(sandbox) as workshop:
        assert sweep(workshop, code, [(), ()], [expectation(1, 1), expectation(1j, 1)], Effort(9, 99)) == [
            Met.UNKNOWN,
            Met.UNKNOWN,
        ]


def test_further_inputs_that_nobody_had_time_for_do_not_count(sandbox: Sandbox) -> None:
    code = slotted(ast.parse("def f(n):\n    while n > 9:\n        pass\n    return n\n"), ()).compile()
    inputs = [*(expectation(n, n) for n in range(6)), expectation(10, 10), *(expectation(n, n) for n in range(20, 60))]
    with Workshop(sandbox) as workshop:
        assert agreement(workshop, code, [()], inputs, Effort(100, 150)) == [6 / 8]
        assert agreement(workshop, code, [()], inputs[:3], Effort(100, 150)) is None


def test_a_driver_that_was_tampered_with_tells_nothing(sandbox: Sandbox) -> None:
    source = f"def f(n):\n    return n\ndef forged(*_):\n    return [([(0, 1)], b'\\x07')], 10**30\n{SWEEP} = forged\n"
    code = slotted(ast.parse(source), ()).compile()
    effort = Effort(100, 1_000)
    with Workshop(sandbox) as workshop:
        assert sweep(workshop, code, [()], [expectation(1, 1)], effort) is None
    assert effort.work <= 1_000
