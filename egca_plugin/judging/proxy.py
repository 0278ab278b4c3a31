"""The candidate's function as the tests see it: every call goes to the candidate's process and comes back as values.

What the tests get is what a run in one process would give them, as far as data can say it: the argument itself where
the function returns it, changed in place where it changed it; rows that are one list as one list; an exception of
their own class where the program raised one of that name; a generator that runs as far as they ask. Names of classes
mean what the tests mean by them (see :mod:`egca_plugin.sandbox.wire.standins`), never the entry point, which is the
candidate's own to define.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import replace
from types import FunctionType, MappingProxyType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.given import Given
from egca_plugin.judging.objects import Named, Objects
from egca_plugin.judging.opened import Opened, relay
from egca_plugin.judging.sessions import Sessions
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import DRAW
from egca_plugin.sandbox.wire.functions import FIRST
from egca_plugin.types import Call, CallResult, CallStatus

_HERE = __file__.rpartition("/")[0] + "/"
_NONE = wire.encode(None)
_PYTEST = f"{__package__}.forms.standin"  # an `approx` of the program's making would be close to anything
_NUMBER = "_egca_number"  # of a function of the candidate's, on what stands for it


class CandidateError(Exception):
    """The candidate raised something for which there is no builtin Exception."""


class CallFailed(BaseException):
    """A call gave neither a value nor an exception: out of time, dead, refused. No test means to catch that."""


class Remote:
    """Callable like the candidate's function. ``send`` makes the call; the tests' own arguments change in place.

    ``namespace`` is where the tests run: the classes that they know, but for ``classes``, which are the program's.
    ``take`` is that of its calls. ``process`` says which of its processes the program is in, where that matters;
    ``sessions`` are told each call.
    """

    __slots__ = (
        "_function", "_given", "_identity", "_known", "_lazies", "_lock", "_make", "_results", "_send", "_take",
        "objects", "sessions",
    )  # fmt: skip

    def __init__(
        self,
        function: str,
        send: Callable[[Call], CallResult],
        namespace: Mapping[str, Any] = MappingProxyType({}),
        take: int = wire.LIVE,
        classes: Iterable[str] = (),
        process: Callable[[], int] = int,
        sessions: Sessions | None = None,
    ) -> None:
        self._function, self._send, self._take = function, send, take
        self._known = _Known(namespace, {function.partition(".")[0], *classes})
        self.sessions = sessions
        self.objects = Objects(self.ask, self.sessions)
        self._make = self.objects.class_for if classes else wire.standin
        self._lock = threading.RLock()  # what both sides know of objects grows by one call after the other
        self._identity = _Identity(process if take == wire.LASTING else None)
        self._given = Given(shared=take == wire.LASTING, objects=bool(classes))
        self._results: dict[int, tuple[BaseException, CallResult]] = {}  # by the exception's id, while it lives
        self._lazies: dict[int, tuple[CallResult, Opened]] = {}  # by the result's id

    @property
    def __name__(self) -> str:
        return self._function.rpartition(".")[2]

    def __getattr__(self, name: str) -> Any:
        """What else a function has, ``cache_info`` or attributes of its own, stays in its process."""
        if name.startswith("__") or name in Remote.__slots__:
            raise AttributeError(f"{name!r} of the program's function is not told")
        raise wire.Refusal(f"the attribute {name!r} of the program's function {self.__name__!r} was asked for")

    def of(self, function: str) -> Remote:
        """Another function of the same program, whose calls are settled here as well."""
        other = copy(self)
        other._function = function
        return other

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Raises WireError for arguments that cannot cross, Refusal for results that do not, and what ``send`` does."""
        return self.ask(self._function, args, kwargs)

    def ask(self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any], thing: Any = None) -> Any:
        """A call of ``function``; of ``thing``, which stayed open under the number ``args[0]``, where that is empty."""
        told = args if function else (thing, *args[1:])
        return self._noted(function, told, kwargs, lambda: self._ask(function, args, kwargs))

    def _noted(self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """What the ``call`` gives, as a step of the session where there is one."""
        if self.sessions is None:
            return call()
        with self._lock:
            step = self.sessions.asked(function, args, kwargs)
            try:
                value = call()
            except BaseException as err:  # the boundary to the program: noted, whatever it is, and raised again
                self.sessions.failed(step, self._results.get(id(err), (err, None))[1])
                raise
            self.sessions.answered(step, value)
            return value

    def _ask(self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = tuple(map(_named, args)), {name: _named(value) for name, value in kwargs.items()}
        nodes = self._identity.nodes()
        self._given.begin()
        before = len(nodes.objects)
        arguments = wire.encode((args, kwargs), objects=True, nodes=nodes, keep=self._number_of)
        self._given.check()
        told = nodes.objects[before:]
        if told:
            nodes.notes.kinds.update((type(one).__name__, type(one)) for one in told)
            self.objects.passed(function, told)
        given = (*args, *kwargs.values())
        try:
            result = self._send(Call(function, arguments, self._take))
        except BaseException as err:  # a StopIteration too has a frame of ours outermost, until a test has met it
            self._read_changes(err, nodes, function, given)
            self._given.end(None)
            raise
        value = self.read(result, nodes, function, given)
        self._given.end(value)
        return value

    def _number_of(self, function: Any) -> int | wire.Code:
        """Of one of the candidate's functions, given back to it. Raises WireError for one of the tests' own that cannot
        be told by its code."""
        number = vars(function).get(_NUMBER) if isinstance(function, FunctionType) else None
        return number if type(number) is int else self._given.told(function)

    def _read_changes(self, err: BaseException, nodes: wire.Nodes, function: str, given: Sequence[Any]) -> None:
        """What a call that raised ``err`` had done to its arguments by then."""
        result = self._results.get(id(err), (err, None))[1]
        if result is not None and result.arguments_after:
            self.read(replace(result, value=_NONE), nodes, function, given)

    def read(self, result: CallResult, nodes: wire.Nodes, function: str = "", given: Sequence[Any] = ()) -> Any:
        """The value, and what the call did to the parts that ``nodes`` holds. ``given``: its arguments."""

        def opener(number: int, name: str, kind: str) -> Any:
            if kind == "function" and number <= FIRST:
                return self._given.back(number)
            if kind == "function":
                return _function(self, number, name)
            opened = Opened(lambda count, held: self._draw(thing, number, count, held), nodes)
            self._lazies[id(result)] = (result, opened)
            thing = relay(opened, kind)
            return thing

        def decoded(data: bytes) -> Any:
            return wire.decode(data, classes=known, nodes=nodes, opener=opener, make=self._make, codes=False)

        objects, before = nodes.objects, len(nodes.objects)
        known = self._known.and_also(nodes.notes.kinds) if objects else self._known
        try:
            value = decoded(result.value)
            self.objects.given(function, given, value, objects[before:], nodes)
            if result.arguments_after:
                before = len(objects)
                after = decoded(result.arguments_after)
                if len(objects) > before:
                    also = after[2:] if type(after) is tuple else ()
                    self.objects.left(given, also, objects[before:], nodes)
        except WireError as err:
            raise wire.Refusal(f"the program's answer: {err}") from err
        return value

    def _draw(self, thing: Any, number: int, count: int, nodes: wire.Nodes) -> Any:
        return self._noted(DRAW, (thing, count), {}, lambda: self._drawn(number, count, nodes))

    def _drawn(self, number: int, count: int, nodes: wire.Nodes) -> Any:
        self._given.begin()
        self._given.check()
        try:
            result = self._send(Call("", wire.encode(((number, count), {}), nodes=self._identity.nodes()), self._take))
        except BaseException as err:  # as in :meth:`_ask`
            self._read_changes(err, nodes, "", ())
            self._given.refresh()
            raise
        value = self.read(result, nodes)
        self._given.refresh()
        return value

    def exception(self, result: CallResult) -> BaseException:
        """What a test sees raised for a ``result`` that is no value."""
        error = _exception(result, self._known)
        self._results[id(error)] = (error, result)
        return error

    def settled(self, call: Call, result: CallResult) -> tuple[Call, CallResult]:
        """A call as it can be made again: with as many items as the tests took, and no more told than its value."""
        lazy = self._lazies.get(id(result))
        if lazy is not None:
            return lazy[1].settled(call, result, self._results)
        value, after = wire.plain(result.value), wire.plain(result.arguments_after)
        if result.status is not CallStatus.VALUE:
            value = after = b""
        settled = CallResult(
            result.status, value, after, result.error_type, result.error_message, result.line, result.steps,
            result.error_base,
        )  # fmt: skip
        return Call(call.function, call.arguments, seeds=call.seeds), settled


class _Identity:
    """What the two sides know of each other's objects before a call: nothing, unless it lasts as long as a process."""

    __slots__ = ("_nodes", "_number", "_process")

    def __init__(self, process: Callable[[], int] | None) -> None:
        self._process, self._number, self._nodes = process, 0, wire.Nodes()

    def nodes(self) -> wire.Nodes:
        number = 0 if self._process is None else self._process()
        if self._process is None or number != self._number:
            self._number, self._nodes = number, wire.Nodes()
        return self._nodes


def names(entry_point: str, remote: Remote, classes: Iterable[str]) -> dict[str, Any]:
    """What tests may name: ``f``; for ``Solution.f`` also the class, each instance of which is a fresh one far away;
    and the program's ``classes``."""
    known = {name: remote.objects.named(name) for name in classes}
    owner, _, last = entry_point.rpartition(".")
    return {last: remote, **known, **({owner: type(owner, (), {last: staticmethod(remote)})} if owner else {})}


class _Known:
    """The tests' classes by name, and those of their arguments. Not the candidate's own, by the names of the entry
    point and its like: they would be judged by the reference's methods."""

    __slots__ = ("_hidden", "_namespace")

    def __init__(self, namespace: Mapping[str, Any], hidden: Set[str]) -> None:
        self._namespace, self._hidden = namespace, hidden

    def get(self, name: str, /) -> Any:
        found = None if name in self._hidden else self._namespace.get(name)
        return None if isinstance(found, type) and found.__module__ == _PYTEST else found

    def and_also(self, kinds: Mapping[str, Any]) -> _Known:
        return _Known({**kinds, **self._namespace}, self._hidden)


def unseen(error: BaseException) -> bool:
    """Whether a StopIteration that a call raised ended a loop, where the tests should have seen it.

    ``all(map(candidate, inputs))`` takes it for the end of its inputs, and holds. What only such a loop met has passed
    no frame but ours.
    """
    trace = error.__traceback__
    return isinstance(error, StopIteration) and (trace is None or trace.tb_frame.f_code.co_filename.startswith(_HERE))


def _exception(result: CallResult, known: wire.Known) -> BaseException:
    """The candidate's exception with all that crossed of it, else of its nearest builtin class with its text."""
    if result.status not in (CallStatus.EXCEPTION, CallStatus.MEMORY):
        return CallFailed(f"{result.status.value}: {result.error_message}")
    if result.value:
        try:
            error = wire.decode(result.value, classes=known, codes=False)
            if isinstance(error, BaseException) and not isinstance(error, GeneratorExit):
                return error
        except WireError:  # what follows is what is left of it
            pass
    kind = vars(builtins).get(result.error_base)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(result.error_message)
        except TypeError:  # UnicodeDecodeError and its like want more arguments
            pass
    return CandidateError(f"{result.error_type}: {result.error_message}")


def _function(remote: Any, number: int, name: str) -> Callable[..., Any]:
    """A function that is asked in the candidate's process."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return remote.ask("", (number, *args), kwargs, function)

    function.__name__ = function.__qualname__ = name
    vars(function)[_NUMBER] = number
    return function


def _named(value: Any) -> Any:
    """What crosses of an argument: of a function or class that the program defines its name."""
    if isinstance(value, Named):
        return _function(None, wire.BY_NAME, value.__name__)
    return _function(value, wire.BY_NAME, value._function) if isinstance(value, Remote) else value
