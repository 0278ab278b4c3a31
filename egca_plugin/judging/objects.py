"""Classes of the program in the tests' hands, where a task is about classes.

An object's data is here, as :mod:`egca_plugin.sandbox.wire` tells it; what its class does is done in the program's
process, which gets the data as it is now and says what has become of it. So tests may read and set attributes, call
methods and use operators as if the class were theirs.

What a program says of its own objects is its claim, and it must not learn what is expected of it. So ``==`` between an
object that it has answered or changed and another goes by their data; its own ``__eq__`` is asked only about objects
that the tests have just made, and when all answers are given: where it then calls equal what had other data, nobody
knows (:meth:`Objects.contradicted`). Arithmetic with what an answer is takes another object, and so does ``in``, unless
the tests know the answer's class. An object that the tests have made becomes an answer when the program gives it back,
in whatever: else ``return self`` would be right wherever a number is expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.likeness import alike, told
from egca_plugin.judging.sessions import Sessions
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import IS, READ
from egca_plugin.sandbox.wire.classes import COMPARISONS, ENUM, PLAIN, SPECIAL, Shape
from egca_plugin.sandbox.wire.standins import MODULE, safe, standin
from egca_plugin.types import Call, CallResult, CallStatus

Ask = Callable[[str, tuple[Any, ...], dict[str, Any]], Any]  # a call in the program's process
Send = Callable[[Call], CallResult]

_YES = wire.encode(True)
MAX_DOUBTS = 30  # pairs of which the program is asked in the end
_MARK = "_egca_object"  # in the class of each of the program's objects
_OBJECTS = "_egca_objects"
_OPERATORS = frozenset(
    f"__{side}{name}__"
    for side in ("", "r", "i")
    for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
    )
) | {"__divmod__", "__rdivmod__"}  # fmt: skip
# What may well give its first argument, on which the tests have asked for it: of `team += 1` they want the team.
_ITSELF = _OPERATORS | {"__enter__", "__iter__"}


class Objects:
    """The program's classes and objects, as one trial of it knows them. ``ask`` makes a call of the program."""

    def __init__(self, ask: Ask, sessions: Sessions | None = None) -> None:
        self._ask, self._sessions = ask, sessions
        self._classes: dict[bytes, Any] = {}
        self._names: set[str] = set()  # of the classes that the tests know
        # Objects by their ids: made by the tests; of these, such as may no longer be as they were made; given by the
        # program, otherwise than when they were made.
        self._made: dict[int, Any] = {}
        self._changed: set[int] = set()
        self._answers: dict[int, Any] = {}
        self._doubts: dict[bytes, str] = {}  # by arguments of `__eq__`, of different data: the class

    def named(self, name: str) -> Named:
        """The class that tests know by its name."""
        self._names.add(name)
        return Named(name, (), {"__module__": MODULE, _OBJECTS: self})

    def class_for(self, shape: Shape) -> Any:
        """What stands for a class that the tests do not define, with methods that are asked."""
        if shape.kind == ENUM or not (shape.refused or shape.kind == PLAIN):
            return standin(shape)
        bare = shape._replace(names=(), extra=()) if shape.kind == PLAIN else shape  # its plain attributes may change
        key = wire.encode(tuple(bare))
        if key not in self._classes:
            base = standin(bare._replace(refused=(), computed=()))
            # An operator that a property gives would be called with the other operand, whatever that is.
            computed = frozenset(shape.computed) - SPECIAL
            body = {name: self._member(name, name in computed) for name in safe(shape.refused)}
            body |= {"__module__": MODULE, "__getattr__": self._missing(), _MARK: True}
            body.setdefault("__setattr__", self._setting())  # its class may allow it or not, and says so
            if self._sessions is not None:
                body["__getattribute__"] = _reading(base, self._sessions)
            self._classes[key] = type(shape.name, (base,), body)
        return self._classes[key]

    def ask(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """A call in the program's process. That of a class gives an instance, made by the tests."""
        return self._ask(function, args, kwargs)

    # --- what a call is given, and gives ---

    def passed(self, function: str, told: Sequence[Any]) -> None:
        """A call of ``function`` gets arguments that hold the objects ``told``, and may change these."""
        if function[-1:] not in (READ, IS) and function[1:] not in COMPARISONS:
            self._changed |= self._made.keys() & set(map(id, told))

    def given(
        self, function: str, arguments: Sequence[Any], value: Any, told: Sequence[Any], nodes: wire.Nodes
    ) -> None:
        """A call of ``function`` with ``arguments`` has given ``value``, which holds the objects ``told``."""
        if function[1:] in _ITSELF and value is arguments[0]:
            return
        for one in told:
            known = id(one) in nodes.notes.held or id(one) in self._made or id(one) in self._answers
            if one is value and function in self._names and is_object(one) and not known:
                self._made[id(one)] = one
            else:
                self._answers[id(one)] = one

    def left(self, arguments: Iterable[Any], also: Iterable[Any], told: Sequence[Any], nodes: wire.Nodes) -> None:
        """A call may have changed its ``arguments``, and has changed ``also``: they now hold the objects ``told``."""
        self._changed |= self._made.keys() & set(map(id, also))
        own = set(map(id, (*arguments, *also))) - nodes.notes.held
        self._answers |= {id(one): one for one in told if id(one) not in own}

    def contradicted(self, send: Send) -> str:
        """The class of which two objects are equal, as the program says, that were taken for different; or ``""``."""
        for arguments in self._doubts:
            result = send(Call(".__eq__", arguments, wire.LIVE))
            if result.status is CallStatus.VALUE and wire.plain(result.value) == _YES:
                return self._doubts[arguments]
        return ""

    # --- what a class defines ---

    def _member(self, name: str, computed: bool) -> Any:
        if computed:
            return self._property(name)
        if name == "__exit__":
            return self._leaving()
        if name in COMPARISONS:
            return self._hash() if name == "__hash__" else self._comparison(name)
        if name == "__contains__":
            return self._contains()
        return self._operator(name) if name in _OPERATORS else self._method(name)

    def _method(self, name: str) -> Any:
        def method(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
            return self.ask(f".{name}", instance, *args, **kwargs)

        method.__name__ = method.__qualname__ = name
        return method

    def _leaving(self) -> Any:
        def leave(instance: Any, kind: Any, error: Any, trace: Any) -> Any:
            return self.ask(".__exit__", instance, None, error, None)  # the rest of it is made there

        return leave

    def _setting(self) -> Any:
        def setting(instance: Any, name: str, value: Any) -> None:
            self.ask(f".{name}=", instance, value)

        return setting

    def _property(self, name: str) -> property:
        return property(
            lambda instance: self.ask(f".{name}?", instance),
            lambda instance, value: self.ask(f".{name}=", instance, value),
            lambda instance: self.ask(".__delattr__", instance, name),
        )

    def _missing(self) -> Any:
        """For an attribute that the object has not itself: its class may."""

        def missing(instance: Any, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return self.ask(f".{name}?", instance)

        return missing

    def _operator(self, name: str) -> Any:
        def operator(instance: Any, other: Any) -> Any:
            if self._is_theirs(instance) or is_object(other):
                return self.ask(f".{name}", instance, other)
            raise _refused(name, instance, "of an answer and a plain value")

        return operator

    def _contains(self) -> Any:
        def contains(instance: Any, item: Any) -> Any:
            if self._is_theirs(instance) or is_object(item) or type(instance).__name__ in self._names:
                return self.ask(".__contains__", instance, item)
            raise _refused("__contains__", instance, "of an answer and a plain value")

        return contains

    def _comparison(self, name: str) -> Any:
        def compare(one: Any, other: Any) -> Any:
            if self._is_fresh(one) and (self._is_fresh(other) or not is_object(other)):
                return self.ask(f".{name}", one, other)
            if name in ("__eq__", "__ne__"):
                return self._same(name, one, other)
            if is_object(other) and (id(one) in self._made) == (id(other) in self._made):
                return self.ask(f".{name}", one, other)  # nothing is expected of one answer by another
            raise _refused(name, one, "of an answer")

        return compare

    def _same(self, name: str, one: Any, other: Any) -> Any:
        """By their data, where the program is not to be asked."""
        if is_object(other):
            for attribute in vars(one):  # what the test has looked at
                getattr(one, attribute)
            if one is other or alike(one, other, is_object):
                return name == "__eq__"
        if len(self._doubts) < MAX_DOUBTS:
            try:
                self._doubts.setdefault(told(((one, other), {})), type(one).__name__)
            except WireError:  # something of the tests', which the program does not know
                pass
        return name == "__ne__" if is_object(other) else NotImplemented

    def _hash(self) -> Any:
        def hashed(instance: Any) -> Any:
            return self.ask(".__hash__", instance)  # equal is what has the same data, whatever this is

        return hashed

    def _is_theirs(self, one: Any) -> bool:
        """Whether the tests have made it, and have not been given it since."""
        return id(one) in self._made and id(one) not in self._answers

    def _is_fresh(self, one: Any) -> bool:
        return self._is_theirs(one) and id(one) not in self._changed


class Named(type):
    """The type of what stands for the program's classes by name: nothing is an instance of them here."""

    def __new__(mcs, name: str, bases: tuple[Any, ...], body: dict[str, Any]) -> Named:
        for base in bases:
            raise wire.Refusal(f"a class derived from {base.__name__!r}, which is the program's, cannot cross to it")
        return super().__new__(mcs, name, bases, body)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return vars(cls)[_OBJECTS].ask(cls.__name__, *args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return vars(cls)[_OBJECTS].ask(f"{cls.__name__}.{name}?")

    def __getitem__(cls, item: Any) -> Any:
        """``Stack[int]``, where the program's class is generic."""
        try:
            vars(cls)[_OBJECTS].ask(f"{cls.__name__}.__class_getitem__?")
        except AttributeError:
            raise TypeError(f"type {cls.__name__!r} is not subscriptable") from None
        return cls

    def __setattr__(cls, name: str, value: Any) -> None:
        vars(cls)[_OBJECTS].ask(f"{cls.__name__}.{name}=", value)

    def __instancecheck__(cls, instance: Any) -> bool:
        return is_object(instance) and bool(vars(cls)[_OBJECTS].ask(f"{cls.__name__}!", instance))

    def __subclasscheck__(cls, other: type) -> bool:
        return isinstance(other, Named) and bool(vars(cls)[_OBJECTS].ask(f"{cls.__name__}!", other))


def is_object(value: Any) -> bool:
    """Whether it stands for an object of the program's."""
    return _MARK in vars(type(value))


def _reading(base: Any, sessions: Sessions) -> Any:
    """What reads an attribute, and notes it where that is the object's own."""

    def read(instance: Any, name: str) -> Any:
        value = base.__getattribute__(instance, name)
        if name[:2] != "__" and name in base.__getattribute__(instance, "__dict__"):
            sessions.read(instance, name, value)
        return value

    return read


def _refused(name: str, instance: Any, of: str) -> wire.Refusal:
    return wire.Refusal(
        f"{name!r} {of} was used: {type(instance).__name__!r} is a class of the program's, which is not asked about it"
    )
