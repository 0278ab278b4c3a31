"""Bounds and tables that both directions of the wire share, and the types that exist only for crossing."""

from __future__ import annotations

import builtins
import importlib
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from egca_plugin.errors import WireError

MAX_BYTES = 10 << 20
MAX_DEPTH = 100
MAX_ITEMS = 1_100_000  # of a value; what is dear to build counts as several (COST)
MAX_DRAINED = 10_000  # items taken at once from a generator or iterator
MAX_INT_BYTES = 1 << 16  # arithmetic on larger integers could stall the trusted side
MAX_EXPONENT = 10_000  # of a Decimal, for the same reason
MAX_DIGITS = 1 << 17  # of a Decimal
MAX_FRACTION_BITS = 8_192  # of either part: the greatest common divisor takes quadratic time
MAX_COLLIDING = 32  # values of one hash in one set or dict, and large integers of one hash in one value
MAX_NAME = 100  # characters of a class's name, a field, an attribute
MAX_FIELDS = 256  # names of one class: fields, members, methods
# What building one takes, in items: about 0.2 microseconds each, a list's 0.4.
COST: Mapping[str, int] = {
    "list": 1, "dict": 2, "set": 2, "rich": 26, "fraction": 35, "instance": 9, "object": 22, "again": 7, "array": 18,
    "class": 220, "namedtuple": 4_400, "dataclass": 11_000, "enum": 4_400, "member": 110, "field": 33,
    "method": 18,
}  # fmt: skip
BY_NAME = -1  # the number of a function that is an argument, and stayed in its process under its name
LIVE = -1  # `take` of a call: what it returns stays open in its process (see egca_plugin.sandbox.inside.keeping)
HEARD = -2  # the same, and what it prints is told
LASTING = -3  # the same, and what is one object in it is that object in every other such call of the program
MAX_PRINTED = 1 << 20  # characters of what one call prints, warns of and logs
MAX_NOTES = 1_000  # warnings and log records of one call


FACTORIES: Mapping[str, Callable[[], Any] | None] = {
    "": None, "int": int, "float": float, "str": str, "list": list, "dict": dict, "set": set, "tuple": tuple,
    "bool": bool, "Counter": Counter,
}  # fmt: skip
# What may be passed or returned by name: types, exception types, and functions that cannot touch the outside.
NAMED: Mapping[str, Any] = {
    **{name: value for name, value in vars(builtins).items() if type(value) is type},
    **{f.__name__: f for f in (
        abs, all, any, ascii, bin, chr, divmod, format, hash, hex, len, max, min, oct, ord, pow, repr, round, sorted,
        sum,
    )},
    "NoneType": type(None), "ellipsis": type(Ellipsis), "generator": types.GeneratorType, "Counter": Counter,
    "OrderedDict": OrderedDict, "defaultdict": defaultdict, "deque": deque, "NotImplemented": NotImplemented,
}  # fmt: skip
# Types of modules that a program has to import before it can have one: imported here only then, since every page that
# the zygote holds is paid for by every fork.
MODULE_OF: Mapping[str, str] = {
    "Decimal": "decimal", "Fraction": "fractions", "date": "datetime", "datetime": "datetime", "time": "datetime",
    "timedelta": "datetime", "UUID": "uuid", "array": "array", "ChainMap": "collections", "UserDict": "collections",
    "UserList": "collections", "PosixPath": "pathlib", "PurePosixPath": "pathlib", "PureWindowsPath": "pathlib",
}  # fmt: skip


def imported(name: str) -> Any:
    """The type of MODULE_OF."""
    return vars(importlib.import_module(MODULE_OF[name]))[name]


class Refusal(BaseException):
    """What was asked of a value did not cross with it. Not an Exception: no test means to catch that."""


class Others:
    """Whose the classes and functions are that this side knows as data only. The program's side says otherwise."""

    owner = "the program's own"


class Nodes:
    """The mutable parts of the values of one exchange, numbered alike on both sides of it.

    They tell which parts of what comes next are one object with a part that went before.
    """

    __slots__ = ("_notes", "containers", "objects")

    def __init__(self) -> None:
        self.containers: list[Any] = []
        self.objects: list[Any] = []
        self._notes: Notes | None = None  # most exchanges are two small values

    @property
    def notes(self) -> Notes:
        if self._notes is None:
            self._notes = Notes()
        return self._notes


class Notes:
    """What is known of the parts of an exchange without going through them all.

    ``held``: by their ids, the objects to which the data of others has referred, or one value twice. ``kinds``:
    classes of objects that were passed, by name.
    """

    __slots__ = ("containers", "held", "kinds", "objects")

    def __init__(self) -> None:
        self.containers, self.objects = Firsts(), Firsts()
        self.held: set[int] = set()
        self.kinds: dict[str, Any] = {}


class Firsts:
    """The number at which each part of a list that grows stands first, by its id: ``upto`` that length of the list.

    Kept from value to value, since an exchange may be of thousands.
    """

    __slots__ = ("numbers", "upto")

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.upto = 0


class Match:
    """A regular expression's match as a value: truthy, with ``group``, ``groups``, ``span``, ``start`` and ``end``."""

    __slots__ = ("names", "spans", "string")

    def __init__(self, string: str, spans: tuple[tuple[int, int], ...], names: dict[str, int]) -> None:
        self.string, self.spans, self.names = string, spans, names

    def span(self, group: int | str = 0) -> tuple[int, int]:
        return self.spans[self.names[group] if isinstance(group, str) else group]

    def start(self, group: int | str = 0) -> int:
        return self.span(group)[0]

    def end(self, group: int | str = 0) -> int:
        return self.span(group)[1]

    def group(self, *groups: int | str) -> Any:
        texts = tuple(self._text(group) for group in groups or (0,))
        return texts if len(texts) > 1 else texts[0]

    __getitem__ = group

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        return tuple(default if text is None else text for text in map(self._text, range(1, len(self.spans))))

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        return {name: default if self._text(i) is None else self._text(i) for name, i in self.names.items()}

    def _text(self, group: int | str) -> str | None:
        start, end = self.span(group)
        return None if start < 0 else self.string[start:end]


class Pattern:
    """A compiled regular expression as a value: its text and flags; matching with it could stall the trusted side."""

    __slots__ = ("flags", "pattern")

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern, self.flags = pattern, flags

    def __eq__(self, other: object) -> bool:
        text, flags = getattr(other, "pattern", None), getattr(other, "flags", None)
        return (type(self.pattern), self.pattern, self.flags) == (type(text), text, flags)

    def __hash__(self) -> int:
        return hash((self.pattern, self.flags))

    def __getattr__(self, name: str) -> Any:
        if name in (
            "match",
            "search",
            "fullmatch",
            "findall",
            "finditer",
            "split",
            "sub",
            "subn",
            "groups",
            "groupindex",
        ):
            raise Refusal(f"{name!r} of a compiled regular expression: only its pattern and flags cross")
        raise AttributeError(name)


class Drained:
    """The items of a generator or iterator; if it was cut off it raises rather than pretend to be exhausted."""

    __slots__ = ("_at", "items", "more")

    def __init__(self, items: list[Any], more: bool) -> None:
        self.items, self.more, self._at = items, more, 0

    def __iter__(self) -> Drained:
        return self

    def __next__(self) -> Any:
        if self._at < len(self.items):
            self._at += 1
            return self.items[self._at - 1]
        if self.more:
            raise WireError(f"an iterator was drained for its first {len(self.items):,} items; there were more")
        raise StopIteration
