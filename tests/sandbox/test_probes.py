"""Digests: bounded, hashable, equal where Python says equal, and taken without asking the candidate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.probes import Budget, BudgetSpent, Probes, freeze


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (True, 1),
        ([1, 2], (1, 2)),
        ({1, 2}, frozenset({2, 1})),
        ({"a": [1]}, {"a": (1,)}),
        (b"a", bytearray(b"a")),
    ],
)
def test_equal_digests(one: Any, other: Any) -> None:
    assert freeze(one) == freeze(other)
    assert hash(freeze(one)) == hash(freeze(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), ("1", 1), ([1], {1}), ([1, 2], [2, 1]), ([0] * 300, [0] * 301), ("a" * 300, "b" * 300), (None, False)],
)
def test_different_digests(one: Any, other: Any) -> None:
    assert freeze(one) != freeze(other)


class Hostile:
    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked the candidate")

    __hash__ = __repr__ = __len__ = __iter__ = __eq__  # type: ignore[assignment]


class Sub(list):  # type: ignore[type-arg]
    __len__ = __iter__ = Hostile.__eq__  # type: ignore[assignment]


@pytest.mark.parametrize("value", [Hostile(), Sub([1]), [Hostile()], {1: Hostile()}])
def test_strangers_are_known_by_type_only(value: Any) -> None:
    hash(freeze(value))
    assert freeze(Sub()) == ("?", "Sub")


def test_bounds() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for big in ([1] * 10**6, "x" * 10**6, loop, {n: n for n in range(10**5)}, 1 << 10**6, [[[[1] * 199] * 9] * 9] * 9):
        assert len(wire.encode(freeze(big))) < 3_000_000


@given(st.recursive(st.integers() | st.text() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_digests_cross_the_wire(value: Any) -> None:
    digest = freeze(value)
    assert wire.decode(wire.encode(digest)) == digest


def test_spent_probes_keep_raising() -> None:
    probes = Probes(Budget(max_events=10, max_steps=2, max_bytes=1000))
    functions = probes.functions()
    functions["__egca_step"](1)
    functions["__egca_step"](2)
    for _ in range(3):
        with pytest.raises(BudgetSpent):
            functions["__egca_step"](3)
        with pytest.raises(BudgetSpent):
            functions["__egca_value"](0, 1)
    assert probes.lines == {1, 2}


def test_bytes_are_a_budget() -> None:
    probes = Probes(Budget(max_events=1000, max_steps=1000, max_bytes=4000))
    see = probes.functions()["__egca_value"]
    for _ in range(3):
        see(0, list(range(100)))
    with pytest.raises(BudgetSpent):
        see(0, list(range(100)))
