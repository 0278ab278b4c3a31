"""The wire: what crosses comes out equal and of the same type; what is malformed, hostile or too big is refused."""

from __future__ import annotations

import datetime
import re
import uuid
from array import array as numbers
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.wire import Nodes

Point = namedtuple("Point", "x y")
CET = datetime.timezone(datetime.timedelta(hours=1), "CET")

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
    assert same(wire.decode(wire.encode(value, nodes=Nodes()), nodes=Nodes()), value)


@given(values, values)
def test_values_are_encoded_alike_exactly_when_they_are_the_same(one: Any, other: Any) -> None:
    if same(one, other):
        assert wire.encode(one) == wire.encode(other) or "-0.0" in repr(one) + repr(other)
    else:
        assert wire.encode(one) != wire.encode(other)


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
        {"a": 1}.keys(), {"a": 1}.items(), slice(1, None), NotImplemented, memoryview(b"ab"),
        datetime.datetime(2024, 1, 1, tzinfo=CET), datetime.time(1, tzinfo=CET), uuid.UUID(int=1 << 127),
        MappingProxyType({"a": [1]}), ChainMap({"a": 1}, OrderedDict(b=2)), UserList([1, [2]]), UserDict({1: 2}),
        numbers("d", [1.5, -0.0]), numbers("q"), PurePosixPath("/a/../b"), Path("a/b"), PureWindowsPath("c:\\a"),
        "lone \ud800 surrogate", float("inf"), -(1 << 4000), complex(0, -1),
    ],
    ids=lambda value: f"{type(value).__name__}",
)  # fmt: skip
def test_rich_types_cross(value: Any) -> None:
    back = wire.decode(wire.encode(value))
    assert back == value
    assert type(back).__name__ == type(value).__name__


def test_zones_cross_with_their_names() -> None:
    moment = datetime.datetime(2024, 1, 1, 12, tzinfo=CET)
    back = wire.decode(wire.encode(moment))
    assert (back.utcoffset(), back.tzname(), repr(back)) == (moment.utcoffset(), "CET", repr(moment))


@pytest.mark.parametrize("value", [ChainMap(UserDict()), numbers("u", "ab")], ids=repr)
def test_what_is_rare_among_them_is_refused(value: Any) -> None:
    with pytest.raises(WireError, match="cannot cross"):
        wire.decode(wire.encode(value))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-0.0"])
def test_floats_keep_their_bits(text: str) -> None:
    assert str(wire.decode(wire.encode(float(text)))) == text


def test_default_that_is_the_programs_own_function_is_refused_when_asked_for() -> None:
    back = wire.decode(wire.encode(defaultdict(lambda: 1, {"a": 2})))
    assert back == {"a": 2}
    with pytest.raises(wire.Refusal, match="default"):
        back["b"]


def test_matching_with_a_programs_pattern_is_refused() -> None:
    back = wire.decode(wire.encode(re.compile("(a+)+$")))
    assert (back.pattern, back == re.compile("(a+)+$"), back == re.compile("a")) == ("(a+)+$", True, False)
    with pytest.raises(wire.Refusal, match="'search'"):
        back.search("a" * 40 + "b")


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


def test_value_within_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(WireError, match="nested"):
        wire.encode(loop)
    with pytest.raises(WireError, match="nested"):
        wire.encode(loop, nodes=Nodes())


def test_numpy_values_cross_as_what_they_are() -> None:
    numpy = pytest.importorskip("numpy")
    for array in (numpy.arange(6).reshape(2, 3).T, numpy.zeros((0, 3)), numpy.array(["a", "bc"]), numpy.array(1.5)):
        back = wire.decode(wire.encode(array))
        assert type(back) is numpy.ndarray
        assert (back.dtype, back.shape, back.tolist()) == (array.dtype, array.shape, array.tolist())
        back.flags.writeable  # noqa: B018 - it is the tests' own to change
    for scalar in (numpy.int64(-3), numpy.float32(1.5), numpy.bool_(True), numpy.datetime64("2024-01-01")):
        back = wire.decode(wire.encode(scalar))
        assert (type(back), back) == (type(scalar), scalar)
    with pytest.raises(WireError, match="object cannot cross"):
        wire.encode(numpy.array([object()]))


# --- what is one object with what -------------------------------------------------------------------------------------


def crossed(*values: Any) -> list[Any]:
    """The values, one after the other over one exchange."""
    there, here = Nodes(), Nodes()
    return [wire.decode(wire.encode(value, nodes=there), nodes=here) for value in values]


def test_rows_that_are_one_list_stay_one() -> None:
    row = [0, 0]
    ((one, other, apart),) = crossed([row, row, [0, 0]])
    assert one is other
    assert one is not apart
    assert wire.encode([row, row]) == wire.encode([[0, 0], [0, 0]])  # but equal values are encoded alike


def test_part_of_an_earlier_value_is_that_part_as_it_is_now() -> None:
    xs: list[Any] = [1]
    there, here = Nodes(), Nodes()
    arrived = wire.decode(wire.encode((xs,), nodes=here), nodes=there)[0]
    arrived.append({"new": arrived[:]})
    answer = wire.decode(wire.encode([arrived, arrived[1]], nodes=there), nodes=here)
    assert answer[0] is xs
    assert xs == [1, {"new": [1]}]
    assert answer[1] is xs[1]


@given(st.lists(st.lists(st.integers()), min_size=1), st.data())
def test_sharing_is_kept_whatever_is_shared(rows: list[list[int]], data: Any) -> None:
    picks = data.draw(st.lists(st.sampled_from(range(len(rows))), max_size=8))
    value = {"rows": [rows[pick] for pick in picks], "all": tuple(rows)}
    (back,) = crossed(value)
    assert back == value
    mine, theirs = [*value["rows"], *value["all"]], [*back["rows"], *back["all"]]
    assert [[x is y for y in theirs] for x in theirs] == [[x is y for y in mine] for x in mine]


def test_value_of_an_exchange_can_be_looked_at_by_itself() -> None:
    nodes, xs = Nodes(), [1]
    wire.encode((xs,), nodes=nodes)
    answer = wire.encode([xs, xs], nodes=nodes)
    assert wire.decode(answer) == [[1], [1]]
    assert wire.plain(answer) == wire.encode([[1], [1]])


# --- functions and iterators that stay --------------------------------------------------------------------------------


def test_function_stays_under_a_number() -> None:
    kept: list[Any] = []

    def keep(function: Any) -> int:
        kept.append(function)
        return len(kept) - 1

    data = wire.encode([abs, keep, open], objects=True, keep=keep)
    assert wire.decode(data, opener=lambda *told: told) == [abs, (0, "keep", "function"), (1, "open", "function")]
    with pytest.raises(WireError, match="'keep', which stayed"):
        wire.decode(data)
