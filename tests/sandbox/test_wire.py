"""The wire: what crosses comes out equal and of the same type; what is malformed, hostile or too big is refused."""

from __future__ import annotations

import datetime
import re
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import WireError
from egca_plugin.sandbox import rich, wire

Point = namedtuple("Point", "x y")

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
    | st.complex_numbers(allow_nan=False)
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(scalars)
        | st.sets(scalars)
    ),
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all through."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, (list, tuple)):
        return all(map(same, one, other))
    if isinstance(one, dict):
        return all(map(same, one, other)) and all(map(same, one.values(), other.values()))
    return True


@given(values)
def test_what_crosses_is_the_same(value: Any) -> None:
    assert same(wire.decode(wire.encode(value)), value)


@given(st.frozensets(st.integers() | st.text()), st.randoms())
def test_equal_sets_have_equal_bytes(items: frozenset[Any], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert wire.encode(set(shuffled)) == wire.encode(set(items))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        value = wire.decode(data)
    except WireError:
        return
    wire.encode(value)


@given(values, st.data())
def test_damaged_bytes_are_a_value_or_refused(value: Any, data: Any) -> None:
    encoded = bytearray(wire.encode(value))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] = data.draw(st.integers(0, 255))
    try:
        wire.decode(bytes(encoded))
    except WireError:
        pass


@pytest.mark.parametrize(
    "value",
    [
        Counter("abca"), OrderedDict([("b", 1), ("a", 2)]), defaultdict(list, {"a": [1]}), deque([1, 2], maxlen=3),
        Point(1, [2]), Decimal("1.50"), Fraction(1, 3), datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4),
        datetime.datetime(2024, 1, 1, 12), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=-1, microseconds=5), range(3, 9, 2), ..., int, ValueError, len, bytearray(b"ab"),
        {"a": 1}.keys(), {"a": 1}.items(), "lone \ud800 surrogate", float("inf"), -(1 << 4000), complex(0, -1),
    ],
    ids=lambda value: f"{type(value).__name__}",
)  # fmt: skip
def test_rich_types_cross(value: Any) -> None:
    back = wire.decode(wire.encode(value))
    assert back == value
    assert type(back).__name__ == type(value).__name__


def test_counter_keeps_being_a_counter() -> None:
    assert wire.decode(wire.encode(Counter("aab"))).most_common(1) == [("a", 2)]


def test_namedtuple_keeps_its_fields() -> None:
    assert wire.decode(wire.encode(Point(1, 2))).y == 2


def test_ordered_dict_keeps_its_order() -> None:
    ordered = OrderedDict([("a", 1), ("b", 2)])
    ordered.move_to_end("a")
    assert list(wire.decode(wire.encode(ordered))) == ["b", "a"]


def test_match_can_be_asked() -> None:
    match = wire.decode(wire.encode(re.search(r"(?P<word>b+)(x)?", "abbc")))
    assert match
    assert (match.group(), match.group("word"), match.span(), match.groups()) == ("bb", "bb", (1, 3), ("bb", None))


def test_generator_is_drained_within_bounds() -> None:
    assert list(wire.decode(wire.encode(n * n for n in range(4)))) == [0, 1, 4, 9]


def test_endless_generator_says_that_there_was_more() -> None:
    items = wire.decode(wire.encode(iter(int, 1)))
    with pytest.raises(WireError, match="there were more"):
        list(items)


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Meta(type):
    def __hash__(cls) -> int:
        raise AssertionError("asked a hostile metaclass")


class Hostile(metaclass=Meta):
    pass


@pytest.mark.parametrize("value", [Liar(1), Hostile(), object(), lambda: 1, open, [Liar(1)], {"a": Liar(1)}])
def test_strangers_are_refused_by_name(value: Any) -> None:
    with pytest.raises(WireError, match="cannot cross"):
        wire.encode(value)


def _forged(tag: str, *parts: Any) -> bytes:
    """A rich value as a hostile process may spell it, without ever having it."""
    return tag.encode() + wire.encode(parts)


_COLLIDING = [n * ((1 << 61) - 1) for n in range(1, 200)]  # all with hash 0


@pytest.mark.parametrize(
    "data",
    [
        wire.encode(set(_COLLIDING)),
        wire.encode(dict.fromkeys([*_COLLIDING, *range(1, 10_000)])),
        _forged("K", _COLLIDING),
        _forged("P", [(key, None) for key in _COLLIDING]),
    ],
    ids=["set", "dict, mostly spread", "keys", "items"],
)
def test_colliding_keys_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="the same hash"):
        wire.decode(data)


def test_range_counts_its_items() -> None:
    assert wire.decode(wire.encode(range(1000))) == range(1000)
    for long in (range(10**6), range(-(10**30), 10**30)):
        with pytest.raises(WireError):
            wire.decode(wire.encode(long))


def test_fraction_of_huge_parts_is_refused() -> None:
    with pytest.raises(WireError, match="bits"):
        wire.decode(_forged("r", (1 << 100_000) + 1, 1 << 100_000))


def test_value_within_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(WireError, match="nested"):
        wire.encode(loop)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "malformed"),
        (b"?", "got tag"),
        (b"NN", "after the value"),
        (b"s\xff\xff\xff\xff", "expected 4,294,967,295"),
        (b"l\xff\xff\xff\xff", "items"),
        (b"l\x01\x00\x00\x00" * 500, "nested"),
        (b"s\x01\x00\x00\x00\xff", "malformed"),
        (b"e\x01\x00\x00\x00l\x00\x00\x00\x00", "malformed"),  # a list in a set
        (b"g" + wire.encode("open"), "malformed"),
        (b"o" + wire.encode(("Evil", {})), "cannot cross"),
        (b"n" + wire.encode(("P", ("x", "__class__"), (1, 2))), "malformed"),
        (b"m" + wire.encode(("1E+999999",)), "exponent"),
        (b"M" + wire.encode(("ab", ((0, 9),), {})), "spans"),
        (b"q" + wire.encode(([1], -5)), "malformed"),
        (b"n" + wire.encode(("P", ("s", "\u017f"), (1, 2))), "malformed"),  # one name, once the parser normalises it
    ],
)
def test_malformed_bytes_are_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        wire.decode(data)


def test_huge_integers_are_refused_on_both_sides() -> None:
    size = rich.MAX_INT_BYTES + 1
    with pytest.raises(WireError, match="integer"):
        wire.encode(1 << (8 * size))
    with pytest.raises(WireError, match="integer"):
        wire.decode(b"I" + size.to_bytes(4, "little") + b"\1" * size)


def test_long_values_are_refused() -> None:
    with pytest.raises(WireError, match="bytes cannot cross"):
        wire.encode("x" * (wire.MAX_BYTES + 1))
