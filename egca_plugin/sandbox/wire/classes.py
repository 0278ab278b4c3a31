"""A class that is a program's own (or a test's own), told as data: what its instances look like, never what they do.

A class crosses as a :class:`Shape`; its instances as their data beside it: the items of the builtin value that they
are, their attributes, the name of an enumeration's member, an exception's arguments. Its functions stay where they are;
only their names cross, so that :mod:`~egca_plugin.sandbox.wire.standins` can refuse them by name.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.rich import MAX_FIELDS, MAX_NAME

IMMUTABLE, MUTABLE, PLAIN, DATACLASS, ENUM, EXCEPTION = "tmodex"  # kinds of classes
VALUES: tuple[type, ...] = (int, float, complex, str, bytes, tuple, frozenset)
CONTAINERS: tuple[type, ...] = (Counter, OrderedDict, defaultdict, dict, list, set, deque, bytearray)
BASES: Mapping[str, Any] = {kind.__name__: kind for kind in (*VALUES, *CONTAINERS)}
# Special methods that a stand-in refuses where a program's class has its own. Those of comparison are refused only
# where the class has no builtin value: a subclass of int compares as its int, whatever it says itself.
COMPARISONS = frozenset(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "hash"))
SPECIAL = COMPARISONS | frozenset(f"__{name}__" for name in (
    "str", "repr", "format", "bool", "len", "iter", "next", "reversed", "contains", "getitem", "setitem", "delitem",
    "missing", "call", "enter", "exit", "int", "float", "complex", "index", "round", "trunc", "floor", "ceil", "abs",
    "neg", "pos", "invert", "getattr", "bytes", "length_hint", "add", "sub", "mul", "truediv", "floordiv", "mod",
    "divmod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift", "radd", "rsub", "rmul", "rtruediv", "rfloordiv",
    "rmod", "rdivmod", "rpow", "rmatmul", "rand", "ror", "rxor", "rlshift", "rrshift", "iadd", "isub", "imul", "ior",
    "iand", "ixor", "await", "aiter", "anext", "setattr", "delattr",
))  # fmt: skip
SIMPLE = "SimpleNamespace"  # a plain class that every program has
_SCALARS = frozenset(map(id, (type(None), bool, int, float, str, bytes)))
_LIBRARY = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
_GENERATED = ("dataclasses.py", "enum.py", "typing.py", os.path.join("collections", "__init__.py"))
_MODULE: Callable[[Any], Any] = type.__dict__["__module__"].__get__
_NAME: Callable[[Any], str] = type.__dict__["__name__"].__get__
_MRO: Callable[[Any], tuple[Any, ...]] = type.__dict__["__mro__"].__get__
_FLAGS: Callable[[Any], int] = type.__dict__["__flags__"].__get__
_HEAP_TYPE = 1 << 9


class Shape(NamedTuple):
    """``kind``: one of the six above. ``base``: the builtin type that an instance is, or the kind of enumeration.

    ``names``: fields, an enumeration's members, or an exception's further classes, nearest first. ``refused``: what it
    defines and cannot cross; ``computed``: which of that is read and not called, as a property is. ``extra``: the
    members' values, a dataclass' options, the plain attributes of a plain class, an exception's module.
    """

    kind: str
    name: str
    base: str
    names: tuple[str, ...]
    refused: tuple[str, ...]
    extra: tuple[Any, ...]
    computed: tuple[str, ...] = ()


def is_scalar(value: Any) -> bool:
    """Whether it holds nothing else, and is of a builtin type."""
    return id(type(value)) in _SCALARS


def is_own(kind: type) -> bool:
    """Whether ``kind`` is defined in Python, and not by the standard library."""
    module = _MODULE(kind) if _FLAGS(kind) & _HEAP_TYPE else "builtins"
    if module == "types":  # what `make_dataclass` says of the classes that it makes
        return vars(types).get(_NAME(kind)) is not kind
    return type(module) is str and module.partition(".")[0] not in sys.stdlib_module_names


def shape_of(kind: type) -> Shape | None:
    """None for a class of no kind that can cross. Raises WireError for one with too many names."""
    shape = _shape_of(kind)
    if shape is None or not shape.refused:
        return shape
    return shape._replace(computed=tuple(name for name in shape.refused if _is_computed(kind, name)))


def _is_computed(kind: type, name: str) -> bool:
    value = next(vars(one)[name] for one in _MRO(kind) if name in vars(one))
    return not callable(value) and not isinstance(value, (classmethod, staticmethod))


def _shape_of(kind: type) -> Shape | None:
    mro, name = _MRO(kind), _NAME(kind)[:MAX_NAME]
    own = [one for one in mro if is_own(one)]
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(kind, enum.EnumMeta):
        return _enumeration(kind, name, own, enum)
    if BaseException in mro:
        return _exception(kind, name, mro)
    base = next((one for one in BASES.values() if one in mro), None)
    if base is not None:
        return _extension(kind, name, base, own) if is_own(kind) else None
    if kind is types.SimpleNamespace:
        return Shape(PLAIN, name, name, (), (), ())
    if not is_own(kind) or not all(_FLAGS(one) & _HEAP_TYPE for one in mro[:-1]) or type in mro:
        return None
    return _plain(kind, name, own, _refused(mro, SPECIAL))


def _enumeration(kind: Any, name: str, own: Sequence[Any], enum: Any) -> Shape:
    members = _few(name, kind.__members__)
    values = tuple(_bare(member._value_) for member in kind.__members__.values())
    refused = [
        one for one in _refused(own, SPECIAL) if one not in members and not (one[0] == one[-1] == "_" != one[1:2])
    ]
    return Shape(ENUM, name, _enum_base(kind, enum), members, tuple(refused), values)


def _exception(kind: type, name: str, mro: tuple[Any, ...]) -> Shape:
    more = [_NAME(one)[:MAX_NAME] for one in mro[1:] if vars(builtins).get(_NAME(one)) is not one]
    base = next(_NAME(one) for one in mro if vars(builtins).get(_NAME(one)) is one)
    return Shape(EXCEPTION, name, base, tuple(more[:MAX_FIELDS]), (), (str(_MODULE(kind))[:MAX_NAME],))


def _extension(kind: Any, name: str, base: Any, own: Sequence[Any]) -> Shape:
    fields = _few(name, getattr(kind, "_fields", ())) if base is tuple else ()
    refused = tuple(one for one in _refused(own, SPECIAL - COMPARISONS) if one not in fields)
    return Shape(MUTABLE if base in CONTAINERS else IMMUTABLE, name, _NAME(base), fields, refused, ())


def _plain(kind: type, name: str, own: Sequence[Any], refused: tuple[str, ...]) -> Shape:
    fields = kind.__dict__.get("__dataclass_fields__")
    options = kind.__dict__.get("__dataclass_params__")
    if type(fields) is dict and options is not None:
        chosen = tuple(bool(getattr(options, option)) for option in ("eq", "order", "frozen", "unsafe_hash", "repr"))
        told = [label for label, field in fields.items() if field._field_type.name == "_FIELD"]
        shown = tuple((bool(fields[label].repr), bool(fields[label].compare)) for label in told)
        return Shape(DATACLASS, name, "", _few(name, told), refused, (*chosen, shown))
    statics = {
        label: value
        for one in reversed(own)
        for label, value in vars(one).items()
        if is_scalar(value) and not label.startswith("__")
    }
    return Shape(PLAIN, name, "", _few(name, statics), refused, tuple(statics.values()))


def _bare(value: Any) -> Any:
    """A member's value without its own class: that would have to be told before it."""
    return value if is_scalar(value) or not is_own(type(value)) else repr(value)[:MAX_NAME]


def _enum_base(kind: Any, enum: Any) -> str:
    """``IntEnum`` and the like, or the builtin type that the members also are in front of it: ``str Enum``."""
    bases = [_NAME(one) for one in _MRO(kind) if vars(enum).get(_NAME(one)) is one]
    known = next(name for name in bases if name in ("IntFlag", "Flag", "IntEnum", "StrEnum", "Enum"))
    mixed = kind._member_type_ if known in ("Enum", "Flag") else object
    return known if mixed is object else f"{_NAME(mixed)} {known}"


def _few(name: str, names: Any) -> tuple[str, ...]:
    told = tuple(names)
    if len(told) > MAX_FIELDS:
        raise WireError(f"the class {name!r} with {len(told):,} names cannot cross; at most {MAX_FIELDS}")
    return told


def _refused(mro: Iterable[Any], special: frozenset[str]) -> tuple[str, ...]:
    """The functions, properties and the like that the classes define themselves, by name."""
    found: dict[str, None] = {}
    for one in mro:
        if _FLAGS(one) & _HEAP_TYPE and _NAME(one) not in ("Generic", "Protocol", "ABC"):
            found.update((name, None) for name, value in vars(one).items() if _is_refused(name, value, special))
    return tuple(found)[:MAX_FIELDS]


def _is_refused(name: str, value: Any, special: frozenset[str]) -> bool:
    if name.startswith("__") and name.endswith("__"):
        if name not in special or value is None:
            return False
    elif type(value) in (types.MemberDescriptorType, types.GetSetDescriptorType):
        return False
    function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
    if not callable(function) and not hasattr(type(function), "__get__"):
        return False
    code = getattr(function, "__code__", None)
    return not isinstance(code, types.CodeType) or not _is_generated(code.co_filename)


def _is_generated(filename: str) -> bool:
    """Written by the standard library for any such class: what a stand-in of the same shape has too."""
    return filename == "<string>" or filename.removeprefix(_LIBRARY) in _GENERATED


def attributes_of(instance: Any) -> Iterator[tuple[str, Any]]:
    """The instance's own, in slots and in its dict."""
    for one in _MRO(type(instance)):
        for name, slot in vars(one).items():
            if type(slot) is types.MemberDescriptorType and is_own(one):
                try:
                    yield name, slot.__get__(instance)
                except AttributeError:  # not set
                    continue
    try:
        yield from object.__getattribute__(instance, "__dict__").items()
    except AttributeError:  # slots only
        return
