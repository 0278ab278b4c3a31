"""Bytes to values: strict and bounded, since the bytes come from a hostile process (see the module ``wire``)."""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire import arrays, library, sharing, standins
from egca_plugin.sandbox.wire.classes import DATACLASS, ENUM, PLAIN, SIMPLE
from egca_plugin.sandbox.wire.functions import Code, Sides
from egca_plugin.sandbox.wire.hashing import check_keys
from egca_plugin.sandbox.wire.rebuilding import Classes, refill
from egca_plugin.sandbox.wire.rich import (
    COST,
    MAX_BYTES,
    MAX_COLLIDING,
    MAX_DEPTH,
    MAX_INT_BYTES,
    MAX_ITEMS,
    MODULE_OF,
    NAMED,
    Nodes,
    imported,
)

_unpack_count = struct.Struct("<I").unpack_from
_unpack_float = struct.Struct("<d").unpack
_unpack_complex = struct.Struct("<dd").unpack
_INT = ord("i")
_NOTHING: Mapping[int, int] = {}
_WRAPPED = (b"S", b"W")
_RICH, _LIST, _DICT, _SET = COST["rich"], COST["list"], COST["dict"], COST["set"]

Opener = Callable[[int, str, str], Any]


def decode(
    data: bytes,
    *,
    classes: standins.Known | None = None,
    nodes: Nodes | None = None,
    opener: Opener | None = None,
    make: standins.Maker = standins.standin,
    codes: bool = True,
) -> Any:
    """The one value that ``data`` spells. Raises WireError for anything else.

    ``classes`` are those that this side knows, by name, for instances that ``encode(objects=True)`` let through;
    without it they are refused, but for namedtuples. ``nodes`` are those of the exchange: what is one object with one
    of them is that object, changed in place; new ones are added. ``opener(number, name, kind)`` makes what stands for a
    function or an iterator that stayed on the other side; ``make(shape)`` a class that stands for one which
    ``classes`` lacks. ``codes``: whether a function may be told by its code, as one of the tests' own is.
    """
    if len(data) > 2 * MAX_BYTES:
        raise WireError(f"got {len(data):,} bytes, expected at most {2 * MAX_BYTES:,}")
    decoder = _Decoder()
    decoder.data, decoder.opener, decoder.make, decoder.codes = data, opener, make, codes
    if nodes is not None:
        decoder.nodes, decoder.containers = nodes, nodes.containers
    else:
        decoder.containers = []
    try:
        value = decoder.whole(classes) if data[:1] in _WRAPPED else decoder.value(MAX_DEPTH + 2)
    except WireError:
        raise
    except Exception as err:  # the boundary: forged parts, and code of the task's own classes that meets them
        raise WireError(f"malformed value near byte {decoder.at}: {type(err).__name__}: {err}") from err
    if decoder.at != len(data):
        raise WireError(f"got {len(data) - decoder.at:,} bytes after the value, expected none")
    return value


def own_classes(data: bytes) -> tuple[str, ...]:
    """The classes of which the value holds instances that no builtin value stands for, by name. Raises WireError."""
    data = sharing.plain(data)
    if data[:1] != b"W":
        return ()
    decoder = _Decoder()
    decoder.data, decoder.containers, decoder.at = data, [], 1
    shapes = [standins.checked(decoder.value(MAX_DEPTH)) for _ in range(decoder.count())]
    return tuple(shape.name for shape in shapes if shape.kind in (PLAIN, DATACLASS, ENUM) and shape.base != SIMPLE)


class _Decoder:
    """One pass over ``data``; ``at`` is the next byte, ``budget`` the items still allowed."""

    data: bytes
    containers: list[Any]  # in the order in which they were done
    nodes: Nodes | None = None
    at, budget = 0, MAX_ITEMS
    hashed = 0  # how many sets and keys what is read now lies within
    large: dict[int, set[int]] | None = None  # large integers by their hash
    classes: Classes | None = None
    opener: Opener | None = None
    codes = True
    make: standins.Maker = staticmethod(standins.standin)

    def whole(self, known: standins.Known | None) -> Any:
        """The value with what stands in front of it: what is shared, and the classes."""
        data = self.data
        if self.nodes is None:
            self.nodes = Nodes()
            self.containers = self.nodes.containers
        objects: Mapping[int, int] = _NOTHING
        if data[:1] == b"S":
            shared = sharing.told(data)
            self.at = shared.end
            self.spend(len(shared.containers) + len(shared.objects))
            if shared.before == (len(self.containers), len(self.nodes.objects)):
                objects = shared.objects
                if shared.containers:
                    self.value = Shared(self, shared.containers).value  # type: ignore[method-assign]
            elif self.containers or self.nodes.objects:
                raise WireError(f"got a value of an exchange with {shared.before} parts before it, expected another")
        if data[self.at : self.at + 1] != b"W":
            return self.value(MAX_DEPTH + 2)
        self.at += 1
        self.classes = Classes(self, self.nodes, known, self.make, objects)
        return self.classes.whole()

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
        count, data, value = self.count(), self.data, self.value
        self.spend(count)
        if count > len(data) - self.at:  # so an index cannot run far beyond the end
            raise WireError(f"byte {self.at}: got {len(data) - self.at:,} more bytes, expected {count:,} items")
        found: list[Any] = []
        add = found.append
        for _ in range(count):
            at = self.at
            if data[at] == _INT and (size := data[at + 1]) < 8:
                if size == 1:
                    byte = data[at + 2]
                    add(byte if byte < 128 else byte - 256)
                    self.at = at + 3
                else:
                    end = self.at = at + 2 + size
                    add(int.from_bytes(data[at + 2 : end], "little", signed=True))
            else:
                add(value(depth))
        return found

    def distinct(self, depth: int) -> list[Any]:
        self.spend(_SET)
        before = len(self.containers)
        self.hashed += 1
        items = self.items(depth)
        self.hashed -= 1
        del self.containers[before:]  # their order within a set is not theirs
        self.spend(check_keys(items, of_set=True))
        return items

    def pairs(self, depth: int) -> list[tuple[Any, Any]]:
        count, value = self.count(), self.value
        self.spend(2 * count + _DICT)
        if self.classes is None:
            pairs = [(value(depth), value(depth)) for _ in range(count)]
        else:
            pairs = [(self._key(depth), value(depth)) for _ in range(count)]
        if count > MAX_COLLIDING:
            self.spend(check_keys([key for key, _ in pairs]))
        return pairs

    def _key(self, depth: int) -> Any:
        self.hashed += 1
        key = self.value(depth)
        self.hashed -= 1
        return key

    def noted(self, container: Any) -> Any:
        """A mutable container that is done."""
        self.containers.append(container)
        return container

    def parts(self, depth: int, *kinds: type) -> tuple[Any, ...]:
        """A tuple of exactly these types, in this order."""
        self.spend(_RICH)
        parts = self.value(depth)
        if type(parts) is not tuple or len(parts) != len(kinds):
            raise WireError(f"byte {self.at}: got {type(parts).__name__}, expected {len(kinds)} parts")
        for part, kind in zip(parts, kinds, strict=True):
            if type(part) is not kind and kind is not object:
                raise WireError(f"byte {self.at}: got {type(part).__name__}, expected {kind.__name__}")
        return parts


class Shared:
    """Reading of a value in which containers are met again, or were known before.

    One that is met again is the first, which keeps what it held then. It has to be spelled as long: what is shared
    takes as many bytes as if it were not, so nothing grows by it. One that was known before is changed in place.
    """

    def __init__(self, decoder: _Decoder, same: Mapping[int, int]) -> None:
        self._decoder, self._same = decoder, same
        self._sizes: dict[int, int] = {}  # in bytes, by the number of the first

    def value(self, depth: int) -> Any:
        d = self._decoder
        start, before = d.at, len(d.containers)
        found = _Decoder.value(d, depth)
        number = len(d.containers) - 1
        if number >= before and d.containers[number] is found:
            found = d.containers[number] = self._first(number, found, d.at - start)
        return found

    def _first(self, number: int, found: Any, size: int) -> Any:
        first = self._same.get(number, number)
        if first != number:
            known = self._decoder.containers[first]
            if type(known) is not type(found):
                raise WireError(f"got a {type(found).__name__}, expected the {type(known).__name__} that it is")
            if first not in self._sizes:
                refill(known, found)
            found = known
        if self._sizes.setdefault(first, size) != size:
            raise WireError(f"got {size:,} bytes for what took {self._sizes[first]:,} before")
        return found


def _read_int(d: _Decoder, depth: int) -> int:
    start = d.at + 1
    end = d.at = start + d.data[start - 1]
    if end > len(d.data):
        raise WireError(f"byte {start}: got {len(d.data) - start:,} more bytes, expected {end - start:,}")
    number = int.from_bytes(d.data[start:end], "little", signed=True)
    return number if end - start < 8 else _large(d, number)


def _read_long(d: _Decoder, depth: int) -> int:
    digits = d.blob()
    if len(digits) > MAX_INT_BYTES:
        raise WireError(f"an integer of {len(digits):,} bytes; at most {MAX_INT_BYTES:,}")
    return _large(d, int.from_bytes(digits, "little", signed=True))


def _large(d: _Decoder, number: int) -> int:
    """Only large integers can have one hash; many of them would stall a test that makes a set of them."""
    d.spend(1 + (number.bit_length() >> 9))
    if d.large is None:
        d.large = {}
    alike = d.large.setdefault(hash(number), set())
    alike.add(number)
    if len(alike) > MAX_COLLIDING:
        raise WireError(f"more than {MAX_COLLIDING} integers with the same hash")
    return number


def _read_str(d: _Decoder, depth: int) -> str:
    data = d.blob()
    try:
        return data.decode()
    except UnicodeDecodeError:  # surrogates, each of them dear
        d.spend(2 * data.count(b"\xed"))
        return data.decode("utf-8", "surrogatepass")


def _read_list(d: _Decoder, depth: int) -> Any:
    d.spend(_LIST)
    found = d.items(depth)
    d.containers.append(found)
    return found


def _read_dict(d: _Decoder, depth: int) -> Any:
    return d.noted(dict(d.pairs(depth)))


def _read_counter(d: _Decoder, depth: int) -> Any:
    d.spend(2 * _DICT)
    return d.noted(Counter(dict(d.pairs(depth))))


def _read_named(d: _Decoder, depth: int) -> Any:
    name = d.value(depth)
    return imported(name) if name in MODULE_OF else NAMED[name]


def _read_function(d: _Decoder, depth: int) -> Any:
    number, name, kind = d.parts(depth, int, str, str)
    if d.opener is None:
        raise WireError(f"the {kind} {name!r}, which stayed in its process")
    return d.opener(number, name, kind)


def _read_code(d: _Decoder, depth: int) -> Any:
    d.spend(COST["object"])
    if not d.codes:
        raise WireError("a function by its code, which programs do not give")
    parts = d.parts(depth, str, bytes, object, object, tuple, tuple, object, int)
    return Sides.made(Code(*parts))


def _read_array(d: _Decoder, depth: int) -> Any:
    kind, shape, data = d.parts(depth, str, object, bytes)
    if shape is not None and type(shape) is not tuple:
        raise WireError("a numpy value of no shape")
    d.spend(COST["array"])
    value = arrays.join(kind, shape, data)
    return value if shape is None else d.noted(value)


def _joined(tag: bytes) -> Callable[[_Decoder, int], Any]:
    kinds, join = library.JOINS[tag]

    def read(d: _Decoder, depth: int) -> Any:
        value = join(d.spend, *d.parts(depth, *kinds))
        return d.noted(value) if tag in library.MUTABLE else value

    return read


def _instance(read: str) -> Callable[[_Decoder, int], Any]:
    def of_class(d: _Decoder, depth: int) -> Any:
        if d.classes is None:
            raise WireError("an instance of a class that was not told")
        return getattr(d.classes, read)(depth)

    return of_class


_DECODERS: Mapping[int, Callable[[_Decoder, int], Any]] = {
    **{ord(tag): _joined(tag) for tag in library.JOINS},
    **{ord(tag): read for tag, read in {
        "N": lambda d, depth: None,
        "T": lambda d, depth: True,
        "F": lambda d, depth: False,
        "i": _read_int,
        "I": _read_long,
        "f": lambda d, depth: _unpack_float(d.take(8))[0],
        "c": lambda d, depth: complex(*_unpack_complex(d.take(16))),
        "s": _read_str,
        "y": lambda d, depth: d.blob(),
        "Y": lambda d, depth: d.noted(bytearray(d.blob())),
        "l": _read_list,
        "t": lambda d, depth: tuple(d.items(depth)),
        "e": lambda d, depth: d.noted(set(d.distinct(depth))),
        "z": lambda d, depth: frozenset(d.distinct(depth)),
        "d": _read_dict,
        "C": _read_counter,
        "O": lambda d, depth: d.noted(OrderedDict(d.pairs(depth))),
        "L": _read_function,
        "Z": _read_code,
        "p": _read_array,
        "g": _read_named,
        "u": _instance("extended"),
        "k": _instance("member"),
        "x": _instance("exception"),
        "o": _instance("reference"),
    }.items()},
}  # fmt: skip
