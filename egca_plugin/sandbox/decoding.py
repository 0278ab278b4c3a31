"""Bytes to values: strict and bounded, since the bytes come from a hostile process (see the module ``wire``)."""

from __future__ import annotations

import struct
import sys
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.rich import (
    FACTORIES,
    MAX_BYTES,
    MAX_COLLIDING,
    MAX_DEPTH,
    MAX_EXPONENT,
    MAX_FRACTION_BITS,
    MAX_INT_BYTES,
    MAX_ITEMS,
    MODULE_OF,
    NAMED,
    NAMEDTUPLE_COST,
    Drained,
    Match,
    imported,
)

_unpack_count = struct.Struct("<I").unpack_from
_unpack_float = struct.Struct("<d").unpack
_unpack_complex = struct.Struct("<dd").unpack

Builder = Callable[[str, dict[str, Any]], Any]


def decode(data: bytes, *, build: Builder | None = None) -> Any:
    """The one value that ``data`` spells. Raises WireError for anything else.

    ``build(class_name, attributes)`` makes the objects that ``encode(objects=True)`` let through; without it they are
    refused.
    """
    if len(data) > 2 * MAX_BYTES:
        raise WireError(f"got {len(data):,} bytes, expected at most {2 * MAX_BYTES:,}")
    decoder = _Decoder(data, build)
    try:
        value = decoder.value(MAX_DEPTH + 2)
    except WireError:
        raise
    except (struct.error, IndexError, ValueError, TypeError, KeyError, ArithmeticError, SyntaxError) as err:
        raise WireError(f"malformed value near byte {decoder.at}: {type(err).__name__}: {err}") from err
    if decoder.at != len(data):
        raise WireError(f"got {len(data) - decoder.at:,} bytes after the value, expected none")
    return value


class _Decoder:
    """One pass over ``data``; ``at`` is the next byte, ``budget`` the items still allowed."""

    __slots__ = ("at", "budget", "build", "data")

    def __init__(self, data: bytes, build: Builder | None) -> None:
        self.data, self.at, self.budget, self.build = data, 0, MAX_ITEMS, build

    def value(self, depth: int) -> Any:
        if depth < 0:
            raise WireError(f"a value nested more than {MAX_DEPTH} deep")
        at = self.at
        read = _DECODERS.get(self.data[at])
        if read is None:
            raise WireError(f"byte {at}: got tag {self.data[at]}, expected one of {bytes(sorted(_DECODERS))!r}")
        self.at = at + 1
        return read(self, depth - 1)

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise WireError(f"byte {self.at}: got {len(self.data) - self.at:,} more bytes, expected {size:,}")
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def count(self) -> int:
        (count,) = _unpack_count(self.data, self.at)
        self.at += 4
        return int(count)

    def blob(self) -> bytes:
        return self.take(self.count())

    def spend(self, items: int) -> None:
        self.budget -= items
        if self.budget < 0:
            raise WireError(f"a value of more than {MAX_ITEMS:,} items")

    def items(self, depth: int) -> list[Any]:
        count, value = self.count(), self.value
        self.spend(count)
        return [value(depth) for _ in range(count)]

    def distinct(self, depth: int) -> list[Any]:
        return _spread(self.items(depth))

    def pairs(self, depth: int) -> dict[Any, Any]:
        count = self.count()
        self.spend(2 * count)
        pairs = [(self.value(depth), self.value(depth)) for _ in range(count)]
        _spread([key for key, _ in pairs])
        return dict(pairs)

    def parts(self, depth: int, *kinds: type) -> tuple[Any, ...]:
        """A tuple of exactly these types, in this order."""
        parts = self.value(depth)
        if type(parts) is not tuple or len(parts) != len(kinds):
            raise WireError(f"byte {self.at}: got {type(parts).__name__}, expected {len(kinds)} parts")
        for part, kind in zip(parts, kinds, strict=True):
            if type(part) is not kind and kind is not object:
                raise WireError(f"byte {self.at}: got {type(part).__name__}, expected {kind.__name__}")
        return parts


def _spread(keys: list[Any]) -> list[Any]:
    """Refuse keys made to collide: a hash table of them would take quadratic time to build on the trusted side.

    Equal keys collide too, so a forger's repeated ones are refused with them.
    """
    if len(keys) > MAX_COLLIDING and max(Counter(map(hash, keys)).values()) > MAX_COLLIDING:
        raise WireError(f"{len(keys):,} keys, of which more than {MAX_COLLIDING} have the same hash")
    return keys


def _read_int(d: _Decoder, depth: int) -> int:
    start = d.at + 1
    end = d.at = start + d.data[start - 1]
    if end > len(d.data):
        raise WireError(f"byte {start}: got {len(d.data) - start:,} more bytes, expected {end - start:,}")
    return int.from_bytes(d.data[start:end], "little", signed=True)


def _read_long(d: _Decoder, depth: int) -> int:
    digits = d.blob()
    if len(digits) > MAX_INT_BYTES:
        raise WireError(f"an integer of {len(digits):,} bytes; at most {MAX_INT_BYTES:,}")
    return int.from_bytes(digits, "little", signed=True)


def _read_defaultdict(d: _Decoder, depth: int) -> Any:
    factory, items = d.parts(depth, str, dict)
    return defaultdict(FACTORIES[factory], items)


def _read_deque(d: _Decoder, depth: int) -> Any:
    items, maxlen = d.parts(depth, list, object)
    return deque(items, maxlen)


def _read_namedtuple(d: _Decoder, depth: int) -> Any:
    name, fields, values = d.parts(depth, str, tuple, tuple)
    d.spend(NAMEDTUPLE_COST)
    if len(name) > 100 or not all(type(field) is str and len(field) <= 100 for field in fields):
        raise WireError("a namedtuple with names that are not short strings")
    return _namedtuple(name, fields)._make(values)


@lru_cache(maxsize=64)
def _namedtuple(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


def _read_decimal(d: _Decoder, depth: int) -> Any:
    number = imported("Decimal")(*d.parts(depth, str))
    if number.is_finite() and abs(number.adjusted()) > MAX_EXPONENT:
        raise WireError(f"a Decimal with exponent {number.adjusted():,}; at most {MAX_EXPONENT:,}")
    return number


def _read_fraction(d: _Decoder, depth: int) -> Any:
    parts = d.parts(depth, int, int)
    if max(map(int.bit_length, parts)) > MAX_FRACTION_BITS:
        raise WireError(f"a Fraction with a part of more than {MAX_FRACTION_BITS:,} bits")
    return imported("Fraction")(*parts)


def _read_range(d: _Decoder, depth: int) -> range:
    """Counts as many items as it has: a test that makes a list of it must not fill the trusted side's memory."""
    read = range(*d.parts(depth, int, int, int))
    d.spend(len(read))
    return read


def _moment(name: str) -> Callable[[_Decoder, int], Any]:
    def read(d: _Decoder, depth: int) -> Any:
        text, utc = d.parts(depth, str, bool)
        moment = imported(name).fromisoformat(text)
        return moment.replace(tzinfo=sys.modules["datetime"].timezone.utc if utc else None)

    return read


def _read_match(d: _Decoder, depth: int) -> Match:
    string, spans, names = d.parts(depth, str, tuple, dict)
    for span in spans:
        if type(span) is not tuple or [type(end) for end in span] != [int, int] or max(span) > len(string):
            raise WireError("a match with spans that are not pairs within its string")
    if not all(type(key) is str and type(group) is int and 0 < group < len(spans) for key, group in names.items()):
        raise WireError("a match whose names are not its groups")
    return Match(string, spans, names)


def _read_named(d: _Decoder, depth: int) -> Any:
    name = d.value(depth)
    return imported(name) if name in MODULE_OF else NAMED[name]


def _read_iterator(d: _Decoder, depth: int) -> Drained:
    return Drained(*d.parts(depth, list, bool))


def _read_object(d: _Decoder, depth: int) -> Any:
    name, attributes = d.parts(depth, str, dict)
    if d.build is None:
        raise WireError(f"an instance of {name!r} cannot cross")
    return d.build(name, attributes)


def _read_view(d: _Decoder, depth: int) -> Any:
    return dict.fromkeys(_spread(d.parts(depth, list)[0])).keys()


def _read_items_view(d: _Decoder, depth: int) -> Any:
    pairs = [(key, value) for key, value in d.parts(depth, list)[0]]
    _spread([key for key, _ in pairs])
    return dict(pairs).items()


_DECODERS: Mapping[int, Callable[[_Decoder, int], Any]] = {
    ord(tag): read
    for tag, read in {
        "N": lambda d, depth: None,
        "T": lambda d, depth: True,
        "F": lambda d, depth: False,
        "i": _read_int,
        "I": _read_long,
        "f": lambda d, depth: _unpack_float(d.take(8))[0],
        "c": lambda d, depth: complex(*_unpack_complex(d.take(16))),
        "s": lambda d, depth: d.blob().decode("utf-8", "surrogatepass"),
        "y": lambda d, depth: d.blob(),
        "Y": lambda d, depth: bytearray(d.blob()),
        "l": _Decoder.items,
        "t": lambda d, depth: tuple(d.items(depth)),
        "e": lambda d, depth: set(d.distinct(depth)),
        "z": lambda d, depth: frozenset(d.distinct(depth)),
        "d": _Decoder.pairs,
        "C": lambda d, depth: Counter(d.pairs(depth)),
        "O": lambda d, depth: OrderedDict(d.pairs(depth)),
        "D": _read_defaultdict,
        "q": _read_deque,
        "n": _read_namedtuple,
        "m": _read_decimal,
        "r": _read_fraction,
        "R": _read_range,
        "E": lambda d, depth: ... if d.parts(depth) == () else None,
        "a": lambda d, depth: imported("date").fromisoformat(*d.parts(depth, str)),
        "A": _moment("datetime"),
        "h": _moment("time"),
        "H": lambda d, depth: imported("timedelta")(*d.parts(depth, int, int, int)),
        "M": _read_match,
        "K": _read_view,
        "V": lambda d, depth: dict(enumerate(d.parts(depth, list)[0])).values(),
        "P": _read_items_view,
        "G": _read_iterator,
        "g": _read_named,
        "o": _read_object,
    }.items()
}
