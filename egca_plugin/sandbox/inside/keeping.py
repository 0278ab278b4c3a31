"""What a call answers, and what of it stays open in the program's process to be asked further.

A test may take three items of an endless generator, or call the function that it was given. So a live call leaves
iterators, coroutines and functions here, under a number; ``("call", "", arguments, LIVE)`` asks the thing whose number
comes first in its arguments. A call that is not live takes as many items as it says, and no function leaves its
process.

Standard library only: this runs in the candidate's process, and is no more trusted than it.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside import entry, functions, limits
from egca_plugin.sandbox.wire.functions import FIRST

MAX_KEPT = 10_000  # things of one program
MAX_EXCEPTION = 1 << 16  # bytes
MAX_WATCHED, MAX_LOOKED = 1_000, 40  # objects that are looked at around each call, and levels of what they hold
_CONTAINERS = (list, tuple, set, frozenset, deque, dict)
_IMMUTABLE = frozenset({type(None), bool, int, float, complex, str, bytes, range})
_VALUES = frozenset(map(id, (*_IMMUTABLE, list, tuple, dict, set)))
_KINDS: dict[Any, str] = {types.GeneratorType: "generator", map: "map", filter: "filter"}

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Answer = tuple[bytes, bytes]  # the value, and the arguments where they were changed


class Keeper:
    """The functions of one program, and what they left open."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._kept: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._lasting = wire.Nodes()  # of all calls of that kind
        self._watched: dict[int, Any] = {}  # the objects in it, by id
        self._seen = 0  # how many of them that are
        self.after = b""  # the arguments of the last call, where that raised and had changed them

    def answer(self, function: str, arguments: bytes, take: int | None) -> Answer:
        """Make the call. Raises whatever it raises, and WireError for what cannot cross."""
        self.after = b""
        functions.begin()
        limits.begin(own=0 if is_live(take) else 1)  # the last frame of ours stands for the module that calls
        if is_live(take):
            return self._live(function, arguments, self._lasting if take == wire.LASTING else wire.Nodes())
        args, kwargs = wire.decode(arguments, classes=self._namespace)
        value = entry.find(self._namespace, function)(*args, **kwargs)
        functions.given(value)
        value = _taken(value, take)
        return wire.encode(value, objects=True), wire.plain(
            changes((args, kwargs), wire.plain(arguments), wire.Nodes())
        )

    def _live(self, function: str, arguments: bytes, nodes: wire.Nodes) -> Answer:
        args, kwargs = wire.decode(arguments, classes=self._namespace, nodes=nodes, opener=self._thing)
        if function:
            thing = entry.find(self._namespace, function)
        else:
            number, *rest = args
            thing, args = self._kept[number], tuple(rest)
        if nodes is self._lasting or not function:  # as this side has it: classes are told otherwise there
            arguments = wire.encode((_data(args), kwargs), objects=True, keep=self.argument)
        if isinstance(thing, _Open):
            return thing.draw(args[0], self)
        states = self.states(nodes)
        try:
            value = thing(*args, **kwargs)
        except (
            Exception
        ):  # the boundary to the program: whatever it raises is its answer, by then it has changed things
            self.after = changes((args, kwargs), wire.plain(arguments), nodes, self, _changed(states))
            raise
        functions.given(value)
        # One that tests make may have more to it than its items.
        is_object = nodes is self._lasting and not (function == ".__iter__" and value is not args[0])
        kind = _kind(value, own=not is_object)
        if kind:
            name = getattr(value, "__name__", kind)
            encoded = wire.opened(
                self.keep(_Open(value, (args, kwargs), wire.plain(arguments), nodes)), str(name), kind
            )
        else:
            encoded = self.encode(value, nodes)
        return encoded, changes((args, kwargs), wire.plain(arguments), nodes, self, _changed(states))

    def states(self, nodes: wire.Nodes) -> list[tuple[Any, Any]]:
        """The objects that the other side knows from call to call, which one may change by ways of its own, and what
        they hold."""
        if nodes is not self._lasting:
            return []
        self._watched |= {id(one): one for one in (*self._lasting.objects[self._seen :], *functions.held())}
        self._seen = len(self._lasting.objects)
        return [(one, _state(one)) for one, _ in zip(self._watched.values(), range(MAX_WATCHED))]  # noqa: B905

    def encode(self, value: Any, nodes: wire.Nodes) -> bytes:
        return wire.encode(value, objects=True, nodes=nodes, keep=self.keep)

    def keep(self, thing: Any) -> int:
        own = functions.told(thing)
        if own is not None and own.number >= 0:  # the tests' own, which they know by that
            return FIRST - own.number
        number = self._numbers.setdefault(id(thing), len(self._kept))
        if number == MAX_KEPT:
            raise WireError(f"a program of which more than {MAX_KEPT:,} functions and iterators are open")
        if number == len(self._kept):
            self._kept.append(thing)
        return number

    def argument(self, thing: Any) -> int | wire.Code:
        """The same of what an argument holds: a function of the tests' is what it came as."""
        return functions.told(thing) or self.keep(thing)

    def _thing(self, number: int, name: str, kind: str) -> Any:
        return self._named(name) if number == wire.BY_NAME else self._kept[number]

    def _named(self, name: str) -> Any:
        """A function of the program's own; one that it lacks is missed by who calls it."""
        try:
            return entry.find(self._namespace, name)
        except Exception:  # noqa: BLE001 - the boundary: a hostile program's constructors raise anything
            return lambda *args, **kwargs: entry.find(self._namespace, name)(*args, **kwargs)


def is_live(take: int | None) -> bool:
    """Whether what a call returns stays open; its exceptions are told in full then."""
    return take in (wire.LIVE, wire.HEARD, wire.LASTING)


class _Open:
    """An iterator or coroutine of which items will be asked, and the arguments that it may go on to change."""

    def __init__(self, value: Any, arguments: Arguments, before: bytes, nodes: wire.Nodes) -> None:
        self._value, self._arguments, self._before, self._nodes = value, arguments, before, nodes
        self._raised: BaseException | None = None

    def draw(self, count: int, keeper: Keeper) -> Answer:
        """The next ``count`` items, whether these were the last, and what it returned then."""
        if self._raised is not None:
            raise self._raised
        items: list[Any] = []
        done, returned = False, None
        states = keeper.states(self._nodes)
        try:
            if isinstance(self._value, types.CoroutineType):
                done, returned = True, finished(self._value)
            else:
                for _ in range(count):
                    items.append(next(self._value))
        except StopIteration as end:
            done, returned = True, end.value
        except BaseException as err:  # raised when its turn has come
            if not items:
                keeper.after = changes(self._arguments, self._before, self._nodes, keeper, _changed(states))
                raise
            self._raised = err
        encoded = keeper.encode((tuple(items), done, returned), self._nodes)
        after = changes(self._arguments, self._before, self._nodes, keeper, _changed(states))
        self._before = wire.plain(after) or self._before
        return encoded, after


def changes(
    arguments: Arguments,
    before: bytes,
    nodes: wire.Nodes | None = None,
    keeper: Keeper | None = None,
    others: Sequence[Any] = (),
) -> bytes:
    """The arguments' wire form where they are no longer what ``before`` says, else ``b""``; with ``others``, which have
    changed too, behind them.

    Raises WireError where what was put in there cannot cross: a change must not be hidden so.
    """
    args, kwargs = arguments
    args = _data(args)
    if not others and not kwargs and all(type(arg) in _IMMUTABLE for arg in args):
        return b""
    after = wire.encode((args, kwargs), objects=True, keep=keeper.argument if keeper else None)
    if after == before and not others:
        return b""
    args = tuple(None if type(arg) is wire.Code else arg for arg in args)
    told = (args, kwargs, *(one for one in others if not any(one is arg for arg in (*args, *kwargs.values()))))
    return wire.encode(told, objects=True, keep=keeper.keep, nodes=nodes) if keeper else after


def _data(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Without classes: those are the program's own, passed by name. The tests' functions as they came."""
    return tuple(None if isinstance(arg, type) else functions.told(arg) or arg for arg in args)


def _state(value: Any) -> Any:
    """What an object holds, to be compared with what it holds later: of other objects, which they are."""
    if type(value) in functions.CONTAINERS:
        return _held(value)
    return [(name, _held(one)) for name, one in wire.attributes_of(value)]


def _held(value: Any, depth: int = MAX_LOOKED) -> Any:
    """``depth``: levels of containers to look into; below them which one it is must do."""
    kind = type(value)
    if kind in _IMMUTABLE:
        return kind, value
    if kind not in _CONTAINERS or not depth:
        return id(value)
    if kind is dict:
        return kind, [(_held(key, depth - 1), _held(one, depth - 1)) for key, one in value.items()]
    return kind, [_held(one, depth - 1) for one in value]


def _changed(states: Sequence[tuple[Any, Any]]) -> list[Any]:
    return [one for one, state in states if _state(one) != state]


def exception(err: BaseException) -> bytes:
    """``err`` as tests will see it; ``b""`` where it cannot cross and they have to do with its class and its text."""
    try:
        return wire.encode(err, objects=True, max_bytes=MAX_EXCEPTION)
    except BaseException:  # noqa: BLE001 - the boundary: a hostile exception class
        return b""


def finished(coroutine: Any) -> Any:
    """What it returns. A program that did not import asyncio has nothing to wait for."""
    if "asyncio" in sys.modules:
        return sys.modules["asyncio"].run(coroutine)
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def _kind(value: Any, *, own: bool = True) -> str:
    """Of what is asked for its items one by one; empty for what is not. ``own``: iterators of the program's classes
    too."""
    if id(type(value)) in _VALUES:
        return ""
    if isinstance(value, types.CoroutineType):
        return "coroutine"
    if wire.is_iterator(value):
        return _KINDS.get(type(value), "iterator")
    kind = type(value)
    own = own and hasattr(kind, "__next__") and hasattr(kind, "__iter__") and wire.is_own(kind)
    return "iterator" if own else ""


def _taken(value: Any, take: int | None) -> Any:
    kind = _kind(value)
    if kind == "coroutine":
        return finished(value)
    if not kind or (take is None and wire.is_iterator(value)):
        return value
    most = wire.MAX_DRAINED if take is None else take
    items = list(islice(value, most))
    return wire.Drained(items, len(items) == most)
