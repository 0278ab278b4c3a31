"""Inputs near the tests': other values of the same types, and what the reference says to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.trial.inputs import ASKED_STEPS, FurtherInputs, neighbours
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.types import CallStatus

PLAIN = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=4))
def test_neighbours_are_new_distinct_and_of_the_same_types(inputs: list[tuple[Any, Any]]) -> None:
    calls = [call("f", *arguments) for arguments in inputs]
    found = neighbours(calls, 12)
    assert len(found) <= 12
    assert len({*found, *calls}) == len(found) + len(set(calls))
    types = [{type(arguments[place]) for arguments in inputs} for place in (0, 1)]
    for one in found:
        args, kwargs = wire.decode(one.arguments)
        assert [type(value) in kinds for value, kinds in zip(args, types, strict=True)] == [True, True]
        assert (one.function, kwargs) == ("f", {})


def test_the_same_calls_have_the_same_neighbours() -> None:
    calls = [call("f", [3, 1, 2], "abc"), call("f", [], "")]
    assert neighbours(calls, 20) == neighbours(calls, 20)
    assert len(neighbours(calls, 20)) == 20


def test_calls_without_arguments_have_none() -> None:
    assert neighbours([call("f")], 5) == []
    assert neighbours([], 5) == []


def test_only_values_of_the_reference_are_expected(sandbox: Sandbox) -> None:
    reference = "def f(n):\n    if n < 0:\n        raise ValueError(n)\n    while n > 9:\n        pass\n    return n\n"
    expected = FurtherInputs().of(reference, [call("f", n) for n in (-2, 3, 8, 11)], sandbox)
    assert expected
    for expectation in expected:
        ((n,), _) = wire.decode(expectation.call.arguments)
        (accepted,) = expectation.accepted
        assert accepted.status is CallStatus.VALUE
        assert 0 <= n <= 9
        assert wire.decode(accepted.value) == n


def test_a_reference_is_asked_once(sandbox: Sandbox) -> None:
    further = FurtherInputs(kept=1)
    calls = [call("f", [1, 2]), call("f", [3])]
    first = further.of("def f(x): return x[::-1]", calls, sandbox)
    assert further.of("def f(x): return x[::-1]", calls[::-1], sandbox) is first
    further.of("def f(x): return x", calls, sandbox)
    assert further.of("def f(x): return x[::-1]", calls, sandbox) is not first


def test_patches_are_tried_on_the_calls_that_the_reference_ends_within_the_budget(sandbox: Sandbox) -> None:
    reference = "def f(n):\n    k = 0\n    while k < n:\n        k += 1\n    return k\n"
    calls = {n: call("f", n) for n in (5, 70_000, 40, 10**9, 50_000)}
    affordable = FurtherInputs().affordable(reference, list(calls.values()), sandbox)
    assert {5, 40} <= {n for n, one in calls.items() if one in affordable}
    assert calls[10**9] not in affordable
    assert sum(affordable.values()) <= ASKED_STEPS
    assert affordable[calls[40]] == pytest.approx(40, abs=5)
