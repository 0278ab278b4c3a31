"""Instances of a program's own classes, rebuilt from data without any code of that program.

**The rule.** An instance becomes one of the class that this side knows by the same name, if it is built alike: for a
test, its own classes and those of the reference that it names; for a program, its own. Where none is known, or it is
built otherwise, the instance gets a stand-in class: that name, the attributes and, as Python would have made them, the
behaviour of a dataclass, a namedtuple, an enumeration or the builtin type that it extends. What else the class defines
raises :class:`~egca_plugin.sandbox.wire.rich.Refusal`, by name, when it is used.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from _weakref import ref  # ``weakref`` would cost each child its pages
from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, Protocol

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.classes import (
    BASES,
    DATACLASS,
    ENUM,
    EXCEPTION,
    IMMUTABLE,
    MUTABLE,
    PLAIN,
    SPECIAL,
    Shape,
    is_own,
    is_scalar,
    shape_of,
)
from egca_plugin.sandbox.wire.encoding import encode
from egca_plugin.sandbox.wire.rich import COST, MAX_FIELDS, MAX_NAME, Others, Refusal


class Known(Protocol):
    """The classes of one side, by name: a namespace, or what of it counts."""

    def get(self, name: str, /) -> Any: ...


Maker = Callable[[Shape], Any]  # of a class that stands for one that is not known


_PARTS = [str, str, str, tuple, tuple, tuple]  # of a shape that computes nothing
UNTOLD = "_egca_untold"  # in an exception class of which nobody has said what it derives from
MODULE = "program"  # what a stand-in says of its class
TASKS = ("reference", "tests")  # modules whose classes tests know while the program has others of the same names
TEXT = "_egca_text"  # the attribute of an exception whose class makes its own text
_said: dict[int, tuple[Any, str]] = {}  # by the id of a task's exception
_ENUMS = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
_MIXED = ("int", "str", "float", "bytes")
MAX_UNHASHED = 16  # members of an enumeration whose values may be compared one by one
MAX_FLAG_BITS = 64  # it is looked at bit by bit


def checked(parts: Any) -> Shape:
    """A shape as it came over the wire. Raises WireError for what is none."""
    if type(parts) is not tuple or [type(part) for part in parts] not in (_PARTS, [*_PARTS, tuple]):
        raise WireError("a class that is not told as one")
    shape = Shape(*parts)
    names = (*shape.names, *shape.refused)
    if shape.kind not in {IMMUTABLE, MUTABLE, PLAIN, DATACLASS, ENUM, EXCEPTION} or len(names) > 2 * MAX_FIELDS:
        raise WireError(f"a class of the kind {shape.kind[:9]!r} with {len(names):,} names")
    if not all(type(name) is str and len(name) <= MAX_NAME for name in (shape.name, *names)) or "\0" in shape.name:
        raise WireError("a class with names that are not short text")
    if shape.kind in (PLAIN, ENUM) and len(shape.names) != len(shape.extra):
        raise WireError("a class with other values than names")
    if shape.kind == PLAIN and not (all(map(is_scalar, shape.extra)) and not any(map(_is_special, shape.names))):
        raise WireError("a class with attributes that are no plain data")
    if len(shape.computed) > len(shape.refused) or not set(shape.computed) <= set(shape.refused):
        raise WireError("a class that computes what it does not define")
    return shape


def cost(shape: Shape) -> int:
    """Of its class, in items."""
    methods = COST["method"] * len(shape.refused)
    if shape.kind == ENUM:
        return methods + COST["enum"] + COST["member"] * len(shape.names)
    if shape.kind == DATACLASS:
        return methods + COST["dataclass"] + COST["member"] * len(shape.names)
    fields = COST["namedtuple"] + COST["field"] * len(shape.names) if shape.names and shape.base else COST["class"]
    return methods + fields


def is_namedtuple(shape: Shape) -> bool:
    """A namedtuple and nothing more: its class is as good as a builtin one."""
    return shape.kind == IMMUTABLE and shape.base == "tuple" and bool(shape.names) and not shape.refused


def class_for(shape: Shape, known: Known, make: Maker) -> Any:
    """The known class of this shape, else one that is made. Raises WireError, or what a forged shape makes Python
    raise."""
    if shape.kind == PLAIN and shape.base:
        return types.SimpleNamespace
    found = known.get(shape.name)
    if isinstance(found, type) and is_own(found) and _alike(shape, found):
        return found
    return make(shape)


def _alike(shape: Shape, known: type) -> bool:
    mine = shape_of(known)
    if mine is None:
        return False
    if {shape.kind, mine.kind} == {PLAIN, DATACLASS}:
        return True
    names = shape.kind in (PLAIN, EXCEPTION, ENUM) or mine.names == shape.names
    return mine.kind == shape.kind and (mine.base == shape.base or shape.kind == EXCEPTION) and names


def standin(shape: Shape) -> Any:
    """A class of this shape that holds no code of anybody's; the same for the same shape, as far as memory serves."""
    return _standin(_Same(shape))


class _Same:
    """A shape as a key: by its bytes, in which 1, 1.0 and True differ."""

    __slots__ = ("data", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape, self.data = shape, encode(tuple(shape))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)


@lru_cache(maxsize=128)
def _standin(same: _Same) -> Any:
    shape = same.shape
    refusals: dict[str, Any] = {
        "__module__": MODULE,
        **{name: Untold(name, shape.name) for name in safe(shape.refused)},
    }
    if "__getattr__" in refusals:
        refusals["__getattr__"] = _untold_attribute(shape.name)
    if shape.kind == ENUM:
        return _enumeration(shape, refusals)
    if shape.kind == EXCEPTION:
        return _exception_class(shape)
    if shape.kind == DATACLASS:
        return _dataclass(shape, refusals)
    if shape.kind == PLAIN:
        return type(shape.name, (), {**dict(zip(shape.names, shape.extra, strict=True)), **refusals})
    base = BASES[shape.base]
    if shape.names and base is tuple:
        plain = namedtuple(shape.name, shape.names)  # type: ignore[misc]
        plain.__module__ = MODULE
        return plain if not shape.refused else type(shape.name, (plain,), {**refusals, "__slots__": ()})
    return type(shape.name, (base,), refusals)


class Untold:
    """Stands for a function or property of a class that crosses as data."""

    __slots__ = ("_class", "_name")

    def __init__(self, name: str, of: str) -> None:
        self._name, self._class = name, of

    def __get__(self, instance: Any, owner: Any = None) -> Untold:
        if instance is None or self._name in SPECIAL:  # the interpreter takes an error here for "not defined"
            return self
        return self()

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise Refusal(
            f"{self._name!r} of {Others.owner} class {self._class!r} was used: its instances cross as data, without "
            "their methods and properties"
        )


def _untold_attribute(of: str) -> Any:
    def __getattr__(self: Any, name: str) -> NoReturn:
        raise Refusal(f"{name!r} of {Others.owner} class {of!r} was used: its `__getattr__` does not cross")

    return __getattr__


def safe(names: tuple[str, ...]) -> list[str]:
    """Without those that mean something to the interpreter itself, when it makes a class or looks at one."""
    return [name for name in names if name in SPECIAL or not _is_special(name)]


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _enumeration(shape: Shape, refusals: dict[str, Any]) -> Any:
    """A real enumeration. Names that begin with an underscore mean something to :mod:`enum`, so they are refused."""
    import enum

    mixed, _, base = shape.base.rpartition(" ")
    if base not in _ENUMS or (mixed and (mixed not in _MIXED or base != "Enum")) or not shape.names:
        raise WireError(f"an enumeration {shape.name!r} of the kind {shape.base[:20]!r}")
    if not all(name.isidentifier() and name[0] != "_" and name != "mro" for name in shape.names):
        raise WireError(f"an enumeration {shape.name!r} with names that its members cannot have")
    if not _has_values(base, BASES.get(mixed, object), shape.extra):
        raise WireError(f"an enumeration {shape.name!r} with values that its members cannot have")
    parent = getattr(enum, base)
    if len(refusals) > 1:  # besides the module
        body = type(parent).__prepare__(shape.name, (parent,))
        body.update(refusals)
        parent = type(parent)(shape.name, (parent,), body)
    members = list(zip(shape.names, shape.extra, strict=True))
    return parent(shape.name, members, module=MODULE, type=BASES[mixed] if mixed else None)


def _has_values(base: str, mixed: type, values: tuple[Any, ...]) -> bool:
    """Whether they are what the members of such an enumeration are made of, without any cost."""
    kind = {"IntEnum": int, "IntFlag": int, "Flag": int, "StrEnum": str}.get(base, mixed)
    if kind is not object and not all(type(value) is kind for value in values):
        return False
    if "Flag" in base and not all(value.bit_length() <= MAX_FLAG_BITS for value in values):
        return False
    return all(map(is_scalar, values[MAX_UNHASHED:]))


def _dataclass(shape: Shape, refusals: dict[str, Any]) -> Any:
    dataclasses = importlib.import_module("dataclasses")  # a zygote without it is a tenth smaller
    match shape.extra:
        case (
            bool() as eq,
            bool() as order,
            bool() as frozen,
            bool() as unsafe_hash,
            bool() as repr_,
            tuple() as shown,
        ):
            flags = {"eq": eq, "order": order, "frozen": frozen, "unsafe_hash": unsafe_hash, "repr": repr_}
        case _:
            raise WireError(f"a dataclass {shape.name!r} with options that are none")
    fields = [
        (name, Any, dataclasses.field(repr=bool(in_repr), compare=bool(compared)))
        for name, (in_repr, compared) in zip(shape.names, shown, strict=True)
    ]
    return dataclasses.make_dataclass(shape.name, fields, namespace=refusals, **flags)


def _exception_class(shape: Shape) -> Any:
    base = vars(builtins).get(shape.base)
    if not (isinstance(base, type) and issubclass(base, BaseException)):
        raise WireError(f"an exception of the class {shape.base[:MAX_NAME]!r}")
    if shape.name == shape.base:
        return base

    def __str__(self: Any) -> str:
        told = self.__dict__.get(TEXT)
        return base.__str__(self) if told is None else str(told)

    return type(shape.name, (base,), {"__module__": MODULE, "__str__": __str__})


def is_plain_enumeration(kind: Any) -> bool:
    """Whether its members are no more than a name and a value."""
    ours = [one for one in kind.__mro__ if one.__module__ == "enum"]
    made = any({"__init__", "_missing_"} & vars(one).keys() for one in kind.__mro__ if one not in (*ours, object))
    simple = kind._member_type_ is object and kind._new_member_ is object.__new__
    return simple and not made and all(one.__name__ != "Flag" for one in ours)


def speaking(kind: Any) -> None:
    """Have instances of a task's exception say the text that was told of the program's, where one was."""
    own = kind.__str__
    if getattr(own, "says_what_is_told", False):
        return

    def __str__(self: Any) -> str:
        told = _said.get(id(self))
        return str(own(self)) if told is None else told[1]

    __str__.says_what_is_told = True  # type: ignore[attr-defined]
    kind.__str__ = __str__


def say(error: BaseException, text: str) -> None:
    """What such an instance says. Its attributes are the program's, so it is kept beside it."""
    key = id(error)
    _said[key] = ref(error, lambda _: _said.pop(key, None)), text


def exception_class(shape: Shape, known: Known) -> Any:
    """The nearest of an exception's classes that this side knows: by its name, or of the standard library. Of classes
    that it knows by their names alone (``UNTOLD``), one that derives from all of them and from the nearest builtin."""
    untold = [kind for name in (shape.name, *shape.names) if hasattr(kind := known.get(name), UNTOLD)]
    if untold:
        builtin: Any = vars(builtins).get(shape.base)
        derived: list[Any] = [builtin] if _is_exception(builtin) and builtin is not Exception else []
        return type(shape.name, (*untold, *derived), {"__module__": MODULE})
    for name in (shape.name, *shape.names):
        found = known.get(name)
        if isinstance(found, type) and issubclass(found, BaseException) and vars(builtins).get(name) is not found:
            return found
    module = shape.extra[0] if shape.extra and type(shape.extra[0]) is str else ""
    if module in sys.modules and module.partition(".")[0] in (*sys.stdlib_module_names, "numpy"):
        found = vars(sys.modules[module]).get(shape.name)
        if isinstance(found, type) and issubclass(found, BaseException) and _is_simple(found):
            return found
    return standin(shape)


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def _is_simple(kind: Any) -> bool:
    return any(kind.__new__ is base.__new__ for base in kind.__mro__ if base.__module__ == "builtins") and not hasattr(
        kind, "__del__"
    )


def set_attributes(instance: Any, attributes: Mapping[str, Any]) -> None:
    """Put data in place of the instance's attributes, past any code of its class. Raises WireError.

    Nothing may take the place of a function: a method that tests call must stay what it is.
    """
    own = getattr(instance, "__dict__", None)
    if own is not None:
        own.clear()
    for name, value in attributes.items():
        if type(name) is not str or len(name) > MAX_NAME or (_is_special(name) and name != "__notes__"):
            raise WireError("an attribute whose name is none")
        defined = next((vars(one)[name] for one in type(instance).__mro__ if name in vars(one)), None)
        if type(defined) is types.MemberDescriptorType:
            defined.__set__(instance, value)
        elif type(defined).__name__ == "cached_property":
            continue
        elif own is None:
            raise WireError(f"an attribute {name!r} for which a {type(instance).__name__!r} has no place")
        elif isinstance(defined, Untold) or not (callable(defined) or hasattr(type(defined), "__get__")):
            own[name] = value
        else:
            raise WireError(f"an attribute {name!r} in the place of what the class {type(instance).__name__!r} defines")
