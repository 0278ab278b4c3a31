"""Bytes that a hostile program sends: refused, or decoded at a bounded cost, counted in steps and not in seconds."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.wire import hashing, rich

MAX_LINES = 10_000_000  # of our own Python; 500,000 plain items take four million of them


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def forged(tag: str, *parts: Any) -> bytes:
    """A rich value as a hostile process may spell it, without ever having it."""
    return tag.encode() + wire.encode(parts)


def many(one: bytes, tag: bytes = b"l") -> bytes:
    """A list of as many as the wire's bytes hold."""
    count = wire.MAX_BYTES // len(one)
    return tag + u32(count) + one * count


def told(shapes: list[tuple[Any, ...]], table: list[int], rest: bytes) -> bytes:
    """A value behind its classes and the table of its instances."""
    classes = b"".join(map(wire.encode, shapes))
    return b"W" + u32(len(shapes)) + classes + u32(len(table)) + b"".join(map(u32, table)) + rest


def plain(name: str, refused: tuple[str, ...] = ()) -> tuple[Any, ...]:
    return ("o", name, "", (), refused, ())


COLLIDING = [n * ((1 << 61) - 1) for n in range(1, 200)]  # all with hash 0


def chain(bits: int, length: int, more: int, row: int = 1) -> list[int]:
    """Keys of distinct hashes, of which the last walk along what the first occupy of a table of 2**bits slots.

    ``length`` jumps long, and ``row`` slots at each: a set looks at ten.
    """
    size, slot, arc = 1 << bits, 7, []
    for _ in range(length):
        arc.append(slot)
        slot = (5 * slot + 1) % size
    early = set(arc[: length // 4])
    keys, walkers = dict.fromkeys((one + k) % size for one in arc for k in range(row)), []
    for start in range(size):
        slot, perturb, path = start, size + start, []
        while perturb:
            path.append(slot)
            perturb >>= 5
            slot = (5 * slot + perturb + 1) % size
        if slot in early:
            walkers.append(size + start)
            keys.update(dict.fromkeys((one + k) % size for one in path for k in range(row)))
        if len(walkers) == more:
            break
    return [*keys, *walkers]


@pytest.mark.parametrize(
    "data",
    [
        wire.encode(dict.fromkeys([*COLLIDING, *range(1, 10_000)])),
        wire.encode(COLLIDING),  # a test may make a set of them
        forged("K", tuple(str(n) for n in range(3)) + tuple(COLLIDING)),
        forged("P", tuple((complex(n, 0), None) for n in (0.0,) * 40)),
    ],
    ids=["dict, mostly spread", "list", "keys", "items that are equal"],
)
def test_colliding_values_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="the same hash"):
        wire.decode(data)


@pytest.mark.parametrize("tag", ["d", "e"])
def test_keys_that_share_one_chain_of_slots_are_refused(tag: str) -> None:
    keys = chain(14, 4500, 1500) if tag == "d" else chain(17, 4500, 3000, row=10)
    assert len(set(map(hash, keys))) == len(keys)
    pairs = b"".join(wire.encode(key) + (b"N" if tag == "d" else b"") for key in keys)
    with pytest.raises(WireError, match="one chain"):
        wire.decode(tag.encode() + u32(len(keys)) + pairs)
    assert wire.decode(wire.encode(keys)) == keys  # a list of them is a list


@given(st.integers(), st.integers(1, 64))
def test_honest_keys_are_accepted(seed: int, bits: int) -> None:
    rng = random.Random(seed)
    keys = {rng.getrandbits(bits) for _ in range(2_000)}
    hashing.check_keys(list(keys), of_set=True)
    hashing.check_keys([str(key) for key in keys])
    hashing.check_keys([(key, key) for key in keys])


@pytest.mark.parametrize("step", [1, 2, 7, 64, 1000, 1 << 20, 10**6, 1 << 32, -3])
def test_regular_keys_are_accepted(step: int) -> None:
    for of_set in (False, True):
        hashing.check_keys(range(0, 30_000 * step, step), of_set=of_set)


@pytest.mark.parametrize("long", [range(1000), range(10**9, 0, -1), range(-(10**30), 10**30)])
def test_range_takes_no_room_however_long(long: range) -> None:
    assert wire.decode(wire.encode([long] * 1000)) == [long] * 1000


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
        (b"l\x01\x00\x00\x00i\x04\x01", ""),  # an integer that is cut off
        (b"e\x01\x00\x00\x00l\x00\x00\x00\x00", "malformed"),  # a list in a set
        (b"g" + wire.encode("open"), "malformed"),
        (forged("m", "1E+999999"), "exponent"),
        (forged("m", "1" * 200_000), "Decimal"),
        (forged("r", (1 << 100_000) + 1, 1 << 100_000), "bits"),
        (forged("r", 1, 0), "malformed"),
        (forged("M", "ab", ((0, 9),), {}), "spans"),
        (forged("q", (1,), -5), "malformed"),
        (forged("X", 3, 0), "regular expression"),
        (forged("L", 0, "f", "function"), "stayed in its process"),
        (forged("p", "|O", (1,), b"\0" * 8), "numpy"),
        (forged("p", "<i8", (2,), b"\0" * 8), "numpy"),
        (forged("p", "<i8", (0, 1 << 40), b""), "numpy"),
        (b"o" + u32(0), "not told"),
        (b"S" + u32(1) + b"N" * 9, "shared"),
        (b"S" + u32(4) + u32(0) * 2 + u32(2) + u32(0) + wire.encode([]), "shared"),
        (b"S" + u32(1 << 30) + u32(0) * 9, "shared"),
        (b"S" + u32(5) + u32(0) * 2 + u32(2) + u32(0) + u32(5) + wire.encode([]), "malformed"),
        (told([], [], b"o" + u32(0)), "malformed"),
        (told([("x", 1)], [], b"N"), "not told as one"),
        (told([plain("A" * 101)], [], b"N"), "short text"),
        (told([plain("A")], [0], b"o" + u32(0)), "got tag"),  # an instance without its state
        (told([("t", "P", "tuple", ("x", "__class__"), (), ())], [], b"N"), "malformed"),
        (told([("t", "P", "tuple", ("s", "\u017f"), (), ())], [], b"N"), "malformed"),  # one name, once normalised
        (told([("t", "P", "tuple", ("x",), (), ())], [], b"u" + u32(0) + wire.encode((1, 2)) + u32(0)), "in the place"),
        (told([("t", "I", "int", (), (), ())], [], b"u" + u32(0) + wire.encode("x") + u32(0)), "in the place"),
        (told([("e", "E", "Enum", ("__eq__",), (), (1,))], [], b"N"), "names"),
        (told([("e", "E", "Enum", ("_missing_",), (), (1,))], [], b"N"), "names"),
        (told([("e", "E", "Evil", ("A",), (), (1,))], [], b"N"), "of the kind"),
        (told([("e", "E", "bytes Enum", ("A",), (), (1 << 40,))], [], b"N"), "values"),
        (told([("e", "E", "Flag", ("A",), (), (1 << 500_000,))], [], b"N"), "values"),
        (told([("e", "E", "Enum", tuple(f"A{n}" for n in range(40)), (), ([],) * 40)], [], b"N"), "values"),
        (told([("o", "A", "", ("__eq__",), (), (1,))], [], b"N"), "no plain data"),
        (told([("o", "A", "", ("x",), (), (bool,))], [], b"N"), "no plain data"),
        (told([("o", "A", "", ("x",), (), ())], [], b"N"), "other values than names"),
        (forged("p", "<U0", (1 << 20, 1 << 20), b""), "numpy"),
        (told([("x", "E", "int", (), (), ("m",))], [], b"N"), "exception"),
        (told([("o", "A", "", (), (), ())], [0], u32(1) + wire.encode("__class__") + b"N" + b"N"), "whose name"),
    ],
)
def test_malformed_bytes_are_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        wire.decode(data, classes={})


def test_instances_are_refused_where_no_class_is_asked_for() -> None:
    with pytest.raises(WireError, match="'Evil' cannot cross"):
        wire.decode(told([plain("Evil")], [0], u32(0) + b"o" + u32(0)))


def test_attribute_cannot_take_the_place_of_a_method() -> None:
    class Pair:
        def total(self) -> int:
            return 3

    state = u32(1) + wire.encode("total") + b"g" + wire.encode("int")
    with pytest.raises(WireError, match="'total' in the place"):
        wire.decode(told([plain("Pair")], [0], state + b"o" + u32(0)), classes={"Pair": Pair})


def _met_again(pairs: list[int], value: bytes) -> bytes:
    return b"S" + u32(3 + len(pairs)) + u32(0) * 2 + u32(len(pairs)) + b"".join(map(u32, pairs)) + value


def test_what_is_met_again_takes_as_many_bytes() -> None:
    """Else each level of lists could hold the one below twice for the price of two empty ones."""
    empty = b"l" + u32(0)
    honest = b"l" + u32(2) + (b"l" + u32(1) + b"N") * 2
    one, other = wire.decode(_met_again([1, 0], honest))
    assert one is other
    with pytest.raises(WireError, match="bytes for what took"):
        wire.decode(_met_again([1, 0], b"l" + u32(2) + b"l" + u32(1) + b"N" + empty))


def test_hashing_an_instance_counts_all_that_it_holds() -> None:
    """The hash of a frozen dataclass is made anew for each set that it is put into."""
    shape = ("d", "D", "", ("x",), (), (True, False, True, False, True, ((True, True),)))
    heavy = u32(1) + wire.encode("x") + wire.encode(tuple(range(1_500)))
    sets = b"l" + u32(1_500) + (b"e" + u32(1) + b"o" + u32(0)) * 1_500
    assert len(wire.decode(told([shape], [0], heavy + b"e" + u32(1) + b"o" + u32(0)), classes={})) == 1
    with pytest.raises(WireError, match="items"):
        wire.decode(told([shape], [0], heavy + sets), classes={})


def test_huge_integers_are_refused_on_both_sides() -> None:
    size = rich.MAX_INT_BYTES + 1
    with pytest.raises(WireError, match="integer"):
        wire.encode(1 << (8 * size))
    with pytest.raises(WireError, match="integer"):
        wire.decode(b"I" + size.to_bytes(4, "little") + b"\1" * size)


def test_long_values_are_refused() -> None:
    with pytest.raises(WireError, match="bytes cannot cross"):
        wire.encode("x" * (wire.MAX_BYTES + 1))


# --- cost -------------------------------------------------------------------------------------------------------------


@contextmanager
def counted_lines() -> Iterator[list[int]]:
    """How many lines of Python are run; of C there is no more than a bounded piece a line."""
    lines = [0]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        lines[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


def _tower(height: int) -> bytes:
    """Each instance holds the one below twice."""
    states = [u32(0), *(u32(2) + b"".join(wire.encode(k) + b"o" + u32(n - 1) for k in "ab") for n in range(1, height))]
    return told([plain("A")], [0] * height, b"".join(reversed(states)) + b"o" + u32(height - 1))


HOSTILE = {
    **{repr(value): many(wire.encode(value)) for value in (None, [], (), {}, set(), 7, 1 << 62, "", 1.5, {1: 2}, {3})},
    "fractions": many(forged("r", (1 << 60) + 1, 3**37)),
    "large fractions": many(forged("r", (1 << 8_000) + 1, 3**5_000)),
    "decimals": many(forged("m", "1.5")),
    "dates": many(forged("a", "2024-01-01")),
    "zones": many(forged("A", "2024-01-01", (1, "x"))),
    "identifiers": many(forged("U", 1 << 100)),
    "paths": many(forged("w", "a/b")),
    "path of many parts": forged("1", "a/" * 2_000_000),
    "path of Windows": forged("2", "\\\\" * 2_000_000),
    "machine arrays": many(forged("B", "q", b"\0" * 8)),
    "chains": many(forged("n", ({}, {}))),
    "matches": many(forged("M", "a", ((0, 1),), {})),
    "surrogates": many(wire.encode("\ud800" * 1000)),
    "large integers": many(wire.encode(1 << 500_000)),
    "arrays": many(forged("p", "<i8", (1,), b"\0" * 8)),
    "ranges": many(forged("R", 0, 0, 1)),
    "deep": (b"l" + u32(1)) * 99 + many(b"N"),
    "namedtuples": told([("t", f"P{n}", "tuple", ("x",), (), ()) for n in range(30_000)], [], b"N"),
    "namedtuple of many fields": told([("t", "P", "tuple", tuple(f"f{n}" for n in range(240_000)), (), ())], [], b"N"),
    "dataclasses": told(
        [("d", f"D{n}", "", ("x",), (), (True,) * 5 + (((True, True),),)) for n in range(9_000)], [], b"N"
    ),
    "enumerations": told([("e", f"E{n}", "Enum", ("A",), (), (n,)) for n in range(30_000)], [], b"N"),
    "classes": told([plain(f"C{n}", ("f",) * 9) for n in range(30_000)], [], b"N"),
    "instances": told([plain("A")], [0] * 400_000, u32(0) * 400_000 + b"N"),
    "references": told([plain("A")], [0], u32(0) + many(b"o" + u32(0))),
    "tower": _tower(60),
    "chain": b"d" + u32(60_000) + b"".join(wire.encode(n << 17) + b"N" for n in range(60_000)),
    "shared": b"S" + u32(200_003) + u32(0) * 2 + b"".join(map(u32, range(200_000, 0, -1))) + many(b"l" + u32(0)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_cost_of_a_hostile_value_is_bounded(name: str) -> None:
    data = HOSTILE[name][: 2 * wire.MAX_BYTES]
    with counted_lines() as lines:
        try:
            wire.decode(data, classes={})
        except WireError:
            pass
    assert lines[0] < MAX_LINES


def test_classes_that_are_kept_are_few_and_small() -> None:
    from egca_plugin.sandbox.wire import standins

    assert standins._standin.cache_info().maxsize * rich.MAX_FIELDS * rich.MAX_NAME < 8 << 20


@given(st.binary(max_size=200))
def test_arbitrary_bytes_behind_classes_are_a_value_or_refused(data: bytes) -> None:
    for head in (b"W" + u32(1) + wire.encode(plain("A")) + u32(1) + u32(0), b"S" + u32(8), b"W", b"l" + u32(3)):
        try:
            wire.decode(head + data, classes={})
        except WireError:
            pass
