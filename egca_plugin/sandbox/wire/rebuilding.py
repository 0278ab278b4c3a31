"""Bytes to instances of own classes (see :mod:`~egca_plugin.sandbox.wire.instances`), and values changed in place."""

from __future__ import annotations

import builtins
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire import standins
from egca_plugin.sandbox.wire.classes import BASES, DATACLASS, ENUM, EXCEPTION, IMMUTABLE, MUTABLE, PLAIN, Shape
from egca_plugin.sandbox.wire.rich import COST, MAX_DEPTH, MAX_ITEMS, Nodes

_BRANCHES = (list, tuple, set, frozenset, deque, dict)


class Decoder(Protocol):
    """As much of it as instances need; see :mod:`egca_plugin.sandbox.wire.decoding`."""

    containers: list[Any]
    budget: int
    hashed: int

    def value(self, depth: int) -> Any: ...

    def count(self) -> int: ...

    def pairs(self, depth: int) -> list[tuple[Any, Any]]: ...

    def parts(self, depth: int, *kinds: type) -> tuple[Any, ...]: ...

    def spend(self, items: int) -> None: ...


def refill(known: Any, found: Any) -> None:
    """Make a container equal to another of its type, in place."""
    if isinstance(known, (dict, set)):
        known.clear()
        known.update(found)
    elif isinstance(known, deque):
        known.clear()
        known.extend(found)
    elif isinstance(known, (list, bytearray)):
        known[:] = found
    elif hasattr(known, "typecode"):
        if known.typecode != found.typecode:
            raise WireError(f"got an array of {found.typecode!r}, expected one of {known.typecode!r}")
        known[:] = found
    elif (known.shape, known.dtype) == (found.shape, found.dtype):
        known[...] = found
    else:
        raise WireError(f"got an array of {found.dtype} {found.shape}, expected one of {known.dtype} {known.shape}")


class Classes:
    """The classes and the table of instances of one value."""

    def __init__(
        self,
        decoder: Decoder,
        nodes: Nodes,
        known: standins.Known | None,
        make: standins.Maker,
        same: Mapping[int, int],
    ) -> None:
        self._decoder, self._nodes, self._known, self._make, self._same = decoder, nodes, known, make, same
        self._shapes: list[tuple[Shape, Any]] = []
        self._table: list[tuple[Shape, Any]] = []
        self._referred: set[int] = set()
        self._shared = False  # whether an instance is met twice
        self._filling = False  # whether what is read is an instance's data
        self._sizes: dict[int, int] = {}  # in items, with all that it refers to, of the instances that are whole
        self._size = 0  # of what is referred to by what is read now

    def whole(self) -> Any:
        """Classes, table, and then the value itself."""
        d = self._decoder
        self._shapes = [self._shape() for _ in range(d.count())]
        count = d.count()
        d.spend(COST["object"] * count)
        before, objects = len(self._nodes.objects), self._nodes.objects
        for number in range(before, before + count):
            shape, kind = self._shapes[d.count()]
            objects.append(self._blank(shape, kind, number))
            self._table.append((shape, objects[-1]))
        self._filling = True
        states = [self._fill(number) for number in range(count - 1, -1, -1)]
        self._filling = False
        value = d.value(MAX_DEPTH + 2)
        if self._shared:
            _check_size(
                value, {id(instance): state for (_, instance), state in zip(reversed(self._table), states, strict=True)}
            )
        return value

    def _shape(self) -> tuple[Shape, Any]:
        before = len(self._decoder.containers)
        shape = standins.checked(self._decoder.value(MAX_DEPTH))
        del self._decoder.containers[before:]
        self._decoder.spend(standins.cost(shape))
        if self._known is None and not standins.is_namedtuple(shape):
            raise WireError(f"an instance of {shape.name!r} cannot cross")
        known: standins.Known = {} if self._known is None else self._known
        if shape.kind == EXCEPTION:
            return shape, standins.exception_class(shape, known)
        return shape, standins.class_for(shape, known, self._make)

    def _of(self, *kinds: str) -> tuple[Shape, Any]:
        self._decoder.spend(COST["instance"])
        shape, kind = self._shapes[self._decoder.count()]
        if shape.kind not in kinds:
            raise WireError(f"an instance of {shape.name!r} that its class has none of")
        return shape, kind

    def _blank(self, shape: Shape, kind: Any, number: int) -> Any:
        """An instance without data yet, or the one that it is the same as."""
        if shape.kind not in (MUTABLE, PLAIN, DATACLASS):
            raise WireError(f"an instance of {shape.name!r} that cannot change")
        first = self._same.get(number)
        if first is None:
            base = BASES[shape.base] if shape.kind == MUTABLE else object
            return (kind if kind is SimpleNamespace else base).__new__(kind)
        known = self._nodes.objects[first]
        if not isinstance(known, kind) and type(known).__name__ != shape.name:
            raise WireError(f"got an instance of {shape.name!r}, expected the {type(known).__name__!r} that it is")
        return known

    def _fill(self, number: int) -> tuple[Any, dict[str, Any]]:
        d = self._decoder
        shape, instance = self._table[number]
        budget, self._size = d.budget, 0
        content: Any = None
        if shape.kind == MUTABLE:
            content = d.value(MAX_DEPTH)
            _put(instance, content, BASES[shape.base])
        attributes = dict(d.pairs(MAX_DEPTH))
        standins.set_attributes(instance, attributes)
        self._sizes[number] = min(MAX_ITEMS, self._size + budget - d.budget)
        return content, attributes

    # --- instances within a value ---

    def reference(self, depth: int) -> Any:
        number = self._decoder.count()
        instance, size = self._table[number][1], self._sizes.get(number, 1)
        if number in self._referred:
            self._shared = True
            self._decoder.spend(COST["again"])
        if self._filling or number in self._referred:
            self._nodes.notes.held.add(id(instance))
        self._referred.add(number)
        self._size += size
        kind: Any = type(instance)
        if self._decoder.hashed and kind.__hash__ is not object.__hash__:
            self._decoder.spend(size)  # its hash is made of all that it holds
        return instance

    def extended(self, depth: int) -> Any:
        """An instance of a subclass of a builtin type that cannot change."""
        shape, kind = self._of(IMMUTABLE)
        base = BASES[shape.base]
        value = self._decoder.value(depth)
        attributes = dict(self._decoder.pairs(depth))
        if type(value) is not base or (base is tuple and shape.names and len(value) != len(shape.names)):
            raise WireError(f"a {type(value).__name__} in the place of the {shape.base} that a {shape.name!r} is")
        instance: Any = base.__new__(kind, value)
        if attributes:
            standins.set_attributes(instance, attributes)
        return instance

    def member(self, depth: int) -> Any:
        """Of an enumeration: by name, and of flags also by the number that several make."""
        shape, kind = self._of(ENUM)
        told = self._decoder.value(depth)
        if type(told) is int and told.bit_length() <= standins.MAX_FLAG_BITS:
            return kind(told)
        found = kind.__members__.get(told) if type(told) is str else None
        if found is None or told not in shape.names:
            raise WireError(f"an enumeration {shape.name!r} without that member")
        mine = shape.extra[shape.names.index(told)]
        if (type(found._value_), found._value_) == (type(mine), mine) or kind.__module__ == standins.MODULE:
            return found
        if not standins.is_plain_enumeration(kind):
            return standins.standin(shape).__members__[told]
        if kind.__module__ in standins.TASKS:  # it is the program's, of which tests know the name
            found._value_ = mine
        return found

    def exception(self, depth: int) -> BaseException:
        _, kind = self._of(EXCEPTION)
        self._decoder.spend(COST["object"])
        args, cause, text = self._decoder.parts(depth, tuple, object, object)
        attributes = dict(self._decoder.pairs(depth))
        base: Any = next(one for one in kind.__mro__ if vars(builtins).get(one.__name__) is one)
        error: BaseException = base.__new__(kind, *args)
        base.__init__(error, *args)
        error.args = args
        if isinstance(cause, BaseException):
            error.__cause__ = cause
        if kind.__module__ in standins.TASKS:
            standins.speaking(kind)
            standins.say(error, text if type(text) is str else base.__str__(error))
        if type(text) is str and kind.__module__ == standins.MODULE:
            attributes[standins.TEXT] = text
        standins.set_attributes(error, attributes)
        return error


def _put(instance: Any, content: Any, base: Any) -> None:
    """Fill an instance of a subclass of a builtin container, past what its class overrides."""
    expected: Any = dict if issubclass(base, dict) and not isinstance(content, defaultdict) else base
    if type(content) is not expected:
        raise WireError(f"a {type(content).__name__} in the place of a {base.__name__}")
    if issubclass(base, dict):
        dict.clear(instance)
        if isinstance(content, defaultdict):
            instance.default_factory = content.default_factory
        for key, value in content.items():
            base.__setitem__(instance, key, value)
    elif base is deque:
        deque.__init__(instance, content, content.maxlen)
    else:
        base.__init__(instance, content)


def _check_size(root: Any, states: Mapping[int, Any]) -> None:
    """Refuse a value that is too large once all that it shares is counted as often as it is reached.

    Comparing two such values, or printing one, would take that long. What lies in a circle counts once in it.
    """
    sizes: dict[int, int] = {}
    stack: list[tuple[Any, bool]] = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            size = _length(node, states) + sum(sizes.get(id(part), 1) for part in _within(node, states))
            sizes[id(node)] = size
            if size > MAX_ITEMS:
                raise WireError(f"a value of more than {MAX_ITEMS:,} items, with what it shares counted each time")
        elif id(node) not in sizes:
            sizes[id(node)] = 1
            stack.append((node, True))
            stack += [(part, False) for part in _within(node, states) if id(part) not in sizes]


def _within(node: Any, states: Mapping[int, Any]) -> Iterator[Any]:
    """What of ``node`` may hold something itself."""
    state = states.get(id(node))
    if state is not None:
        content, attributes = state
        yield from (part for part in (content, *attributes.values()) if _is_branch(part, states))
    elif isinstance(node, dict):
        yield from (part for pair in dict.items(node) for part in pair if _is_branch(part, states))
    elif isinstance(node, _BRANCHES):
        yield from (part for part in _builtin(node).__iter__(node) if _is_branch(part, states))


def _length(node: Any, states: Mapping[int, Any]) -> int:
    state = states.get(id(node))
    return 1 + (_builtin(node).__len__(node) if state is None else len(state[1]) + len(state[0] or ()))


def _builtin(node: Any) -> Any:
    """The type that it is, past what a class of its own says of its items."""
    return next(kind for kind in _BRANCHES if isinstance(node, kind))


def _is_branch(part: Any, states: Mapping[int, Any]) -> bool:
    return isinstance(part, _BRANCHES) or id(part) in states
