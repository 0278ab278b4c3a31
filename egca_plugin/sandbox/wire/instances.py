"""Instances of own classes to bytes: what encoding does with a value whose type is none of the builtin ones.

An instance that can change stands in the value as a number into a table, whatever refers to it, so that lists and trees
of nodes may be long, meet again and run in circles. The table stands in front of the value, the last found first: what
an instance holds is whole before it is hashed.
"""

from __future__ import annotations

import struct
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire import classes
from egca_plugin.sandbox.wire.rich import MAX_DEPTH, MAX_NAME

_pack_count = struct.Struct("<I").pack
# The builtin value of an instance of a subclass, past whatever that overrides.
_BARE: Mapping[str, Callable[[Any], Any]] = {
    "int": int.__int__, "float": float.__float__, "str": str.__str__,
    "complex": lambda v: complex(complex.real.__get__(v), complex.imag.__get__(v)),
    "bytes": lambda v: bytes.__getitem__(v, slice(None)), "tuple": lambda v: tuple(tuple.__iter__(v)),
    "frozenset": lambda v: frozenset(frozenset.__iter__(v)), "set": lambda v: set(set.__iter__(v)),
    "list": lambda v: list(list.__iter__(v)), "dict": lambda v: dict(dict.items(v)),
    "Counter": lambda v: dict(dict.items(v)), "OrderedDict": lambda v: dict(OrderedDict.items(v)),
    "defaultdict": lambda v: defaultdict(v.default_factory, dict.items(v)),
    "deque": lambda v: deque(deque.__iter__(v), v.maxlen), "bytearray": lambda v: bytearray.__getitem__(v, slice(None)),
}  # fmt: skip


class Run(Protocol):
    """The encoding of one value; see :mod:`egca_plugin.sandbox.wire.encoding`."""

    limit: int
    containers: list[Any] | None
    own: Told | None
    within: bool
    telling: bool

    @staticmethod
    def value(value: Any, out: bytearray, depth: int, run: Any) -> None: ...

    @staticmethod
    def pairs(value: Any, out: bytearray, depth: int, run: Any) -> None: ...


def _argument(value: Any) -> Any:
    """Classes among an exception's arguments, which decimal's have, by their names."""
    if type(value) in (list, tuple) and any(isinstance(one, type) for one in value):
        return type(value)([one.__name__ if isinstance(one, type) else one for one in value])
    return value.__name__ if isinstance(value, type) else value


class Told:
    """The classes that one value needs, and the table of its instances. ``every``: not only namedtuples."""

    __slots__ = ("_numbers", "every", "shapes", "table")

    def __init__(self, every: bool) -> None:
        self.every = every
        self.shapes: dict[int, tuple[int, classes.Shape]] = {}  # by the class's id
        self.table: list[Any] = []
        self._numbers: dict[int, int] = {}

    def add(self, value: Any, out: bytearray, depth: int, run: Run) -> bool:
        """Encode ``value`` if it is an instance that can cross."""
        kind = type(value)
        told = self.shapes.get(id(kind)) or self._tell(kind)
        if told is None:
            return False
        index, shape = told
        if shape.kind == classes.IMMUTABLE:
            out += b"u" + _pack_count(index)
            run.value(_BARE[shape.base](value), out, depth, run)
            self._attributes(dict(classes.attributes_of(value)), out, depth, run)
        elif shape.kind == classes.ENUM:
            out += b"k" + _pack_count(index)
            name = value._name_
            run.value(name if name in shape.names else int(value._value_), out, depth, run)
        elif shape.kind == classes.EXCEPTION:
            out += b"x" + _pack_count(index)
            self._exception(value, out, depth, run)
        else:
            number = self._numbers.setdefault(id(value), len(self.table))
            if number == len(self.table):
                self.table.append(value)
            out += b"o" + _pack_count(number)
        return True

    def _tell(self, kind: Any) -> tuple[int, classes.Shape] | None:
        namedtuple = kind.__mro__[1:] == (tuple, object) and type(kind.__dict__.get("_fields")) is tuple
        shape = classes.shape_of(kind) if self.every or namedtuple else None
        if shape is None:
            return None
        if not self.every:
            shape = shape._replace(refused=())
        self.shapes[id(kind)] = told = (len(self.shapes), shape)
        return told

    def _attributes(self, attributes: dict[str, Any], out: bytearray, depth: int, run: Run) -> None:
        within, run.within = run.within, True
        run.pairs(attributes, out, depth, run)
        run.within = within

    def _exception(self, value: BaseException, out: bytearray, depth: int, run: Run) -> None:
        """Arguments, cause, text where its class makes its own, and attributes."""
        own = type(value).__str__ if isinstance(type(value).__str__, types.FunctionType) else None
        text = None if own is None else str(own(value))[: 10 * MAX_NAME]
        run.value((tuple(map(_argument, value.args)), value.__cause__, text), out, depth, run)
        self._attributes(dict(vars(value)), out, depth, run)

    def wrapped(self, root: bytearray, run: Run) -> bytearray:
        """The whole value: classes, the table of instances, and then what it is."""
        found = [(root, run.containers)]
        size = len(root)
        for instance in self.table:  # it grows meanwhile
            run.containers = None if run.containers is None else []
            state = bytearray()
            shape = self.shapes[id(type(instance))][1]
            if shape.kind == classes.MUTABLE:
                run.value(_BARE[shape.base](instance), state, MAX_DEPTH, run)
            self._attributes(dict(classes.attributes_of(instance)), state, MAX_DEPTH, run)
            found.append((state, run.containers))
            size += len(state) + 4
            if size > run.limit:
                raise WireError(f"a value of more than {run.limit:,} bytes cannot cross")
        run.containers, run.own, run.telling = None, None, True
        out = bytearray(b"W" + _pack_count(len(self.shapes)))
        for _, shape in self.shapes.values():
            run.value(tuple(shape if shape.computed else shape[:-1]), out, MAX_DEPTH, run)
        out += _pack_count(len(self.table))
        for instance in self.table:
            out += _pack_count(self.shapes[id(type(instance))][0])
        for part, _ in reversed(found):
            out += part
        run.own, run.telling = self, False
        run.containers = [one for _, noted in reversed(found) for one in noted or ()]
        return out
