"""The standard library's types on the wire: each as a tuple of builtin values that it is split into and joined from.

A ``join`` is given ``spend``, which counts what it takes in items and raises WireError where that is too much.
"""

from __future__ import annotations

import re
import sys
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from itertools import islice
from typing import Any, NoReturn

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.hashing import check_keys
from egca_plugin.sandbox.wire.rich import (
    COST,
    FACTORIES,
    MAX_DIGITS,
    MAX_DRAINED,
    MAX_EXPONENT,
    MAX_FRACTION_BITS,
    MODULE_OF,
    Drained,
    Match,
    Others,
    Pattern,
    Refusal,
    imported,
)

Split = Callable[[Any], tuple[Any, ...]]
Spend = Callable[[int], None]
Join = Callable[..., Any]

_FACTORY_NAMES: Mapping[int, str] = {id(factory): name for name, factory in FACTORIES.items()}
MUTABLE = (b"D", b"q", b"B")
_ARRAYS = "bBhHiIlLqQfd"  # the types of array.array but text


def library_name(kind: Any) -> str | None:
    """The name of exactly one of the types in MODULE_OF."""
    if not isinstance(kind, type):
        return None
    name = type.__dict__["__name__"].__get__(kind)  # `kind.__name__` would ask a hostile metaclass
    module = sys.modules.get(MODULE_OF.get(name, ""))
    return name if module is not None and vars(module).get(name) is kind else None


def split_iterator(value: Any) -> tuple[Any, ...]:
    """Drain it, up to a bound."""
    items = tuple(islice(value, MAX_DRAINED + 1))
    return items[:MAX_DRAINED], len(items) > MAX_DRAINED


def _split_defaultdict(value: Any) -> tuple[Any, ...]:
    """With a factory that cannot cross named ``?``: what asks for it is refused."""
    return _FACTORY_NAMES.get(id(value.default_factory), "?"), tuple(value.items())


def _split_moment(value: Any) -> tuple[Any, ...]:
    """With its zone as microseconds from UTC, and the name if it has one of its own."""
    datetime, zone = sys.modules["datetime"], value.tzinfo
    if zone is None:
        return value.isoformat(), ()
    if type(zone) is not datetime.timezone:
        raise WireError(f"a {type(value).__name__} in a zone of the class {type(zone).__name__!r} cannot cross")
    offset, *name = zone.__getinitargs__()
    return value.replace(tzinfo=None).isoformat(), (offset // datetime.timedelta(microseconds=1), *name)


def _split_match(value: Any) -> tuple[Any, ...]:
    if type(value) is Match:
        return value.string, value.spans, value.names
    if type(value.string) is not str:
        raise WireError("a match on bytes cannot cross")
    spans = tuple(value.span(group) for group in range(value.re.groups + 1))
    return value.string, spans, dict(value.re.groupindex)


def _split_pattern(value: Any) -> tuple[Any, ...]:
    return value.pattern, int(value.flags)


def _split_view(value: memoryview) -> tuple[Any, ...]:
    if value.ndim != 1 or value.format != "B":
        raise WireError("a memoryview of anything but bytes cannot cross")
    return (value.tobytes(), value.readonly)


def _join_defaultdict(spend: Spend, factory: str, pairs: tuple[Any, ...]) -> Any:
    spend(check_keys([key for key, _ in pairs]))
    return defaultdict(_untold_factory if factory == "?" else FACTORIES[factory], pairs)


def _untold_factory() -> NoReturn:
    raise Refusal(f"a missing key of a defaultdict was asked for, whose default is {Others.owner} function")


def _join_decimal(spend: Spend, text: str) -> Any:
    spend(len(text) >> 6)
    number = imported("Decimal")(text)
    if len(text) > MAX_DIGITS or (number.is_finite() and abs(number.adjusted()) > MAX_EXPONENT):
        raise WireError(f"a Decimal of {len(text):,} characters or with an exponent beyond {MAX_EXPONENT:,}")
    return number


def _join_fraction(spend: Spend, numerator: int, denominator: int) -> Any:
    bits = max(numerator.bit_length(), denominator.bit_length())
    if bits > MAX_FRACTION_BITS:
        raise WireError(f"a Fraction with a part of more than {MAX_FRACTION_BITS:,} bits")
    spend(COST["fraction"] + (bits >> 3))
    return imported("Fraction")(numerator, denominator)


def _moment(name: str) -> Join:
    def join(spend: Spend, text: str, zone: tuple[Any, ...]) -> Any:
        moment = imported(name).fromisoformat(text)
        if not zone:
            return moment
        offset, *its_name = zone
        datetime = sys.modules["datetime"]
        return moment.replace(tzinfo=datetime.timezone(datetime.timedelta(microseconds=offset), *its_name))

    return join


def _split_array(value: Any) -> tuple[Any, ...]:
    if value.typecode not in _ARRAYS:
        raise WireError(f"an array of the type {value.typecode!r} cannot cross")
    return value.typecode, value.tobytes()


def _join_array(spend: Spend, typecode: str, data: bytes) -> Any:
    if len(typecode) != 1 or typecode not in _ARRAYS:
        raise WireError("an array of no type")
    spend(len(data) >> 3)
    return imported("array")(typecode, data)


def _join_chain(spend: Spend, maps: tuple[Any, ...]) -> Any:
    if not all(isinstance(one, dict) for one in maps):
        raise WireError("a ChainMap of anything but dicts cannot cross")
    return imported("ChainMap")(*maps)


def _user(name: str) -> Join:
    """Around the very container that crossed."""

    def join(spend: Spend, data: Any) -> Any:
        around = imported(name)()
        around.data = data
        return around

    return join


def _path(name: str) -> Join:
    def join(spend: Spend, text: str) -> Any:
        spend(len(text) >> 1)  # parts
        return imported(name)(text)

    return join


def _join_match(spend: Spend, string: str, spans: tuple[Any, ...], names: dict[str, int]) -> Match:
    for span in spans:
        if type(span) is not tuple or [type(end) for end in span] != [int, int] or max(span) > len(string):
            raise WireError("a match with spans that are not pairs within its string")
    if not all(type(key) is str and type(group) is int and 0 < group < len(spans) for key, group in names.items()):
        raise WireError("a match whose names are not its groups")
    return Match(string, spans, names)


def _join_pattern(spend: Spend, pattern: Any, flags: int) -> Pattern:
    if type(pattern) not in (str, bytes):
        raise WireError("a regular expression that is no text")
    return Pattern(pattern, flags)


def _join_keys(spend: Spend, keys: tuple[Any, ...]) -> Any:
    spend(check_keys(keys))
    return dict.fromkeys(keys).keys()


def _join_items(spend: Spend, items: tuple[Any, ...]) -> Any:
    pairs = [(key, value) for key, value in items]
    spend(check_keys([key for key, _ in pairs]))
    return dict(pairs).items()


SPLITS: Mapping[type, tuple[bytes, Split]] = {
    defaultdict: (b"D", _split_defaultdict),
    deque: (b"q", lambda v: (tuple(v), v.maxlen)),
    range: (b"R", lambda v: (v.start, v.stop, v.step)),
    slice: (b"b", lambda v: (v.start, v.stop, v.step)),
    memoryview: (b"v", _split_view),
    type(...): (b"E", lambda v: ()),
    re.Match: (b"M", _split_match),
    Match: (b"M", _split_match),
    re.Pattern: (b"X", _split_pattern),
    Pattern: (b"X", _split_pattern),
    **{
        kind: (tag, lambda v: (tuple(v),))
        for tag, kinds in (
            (b"K", (type({}.keys()), type(OrderedDict().keys()), KeysView)),
            (b"V", (type({}.values()), type(OrderedDict().values()), ValuesView)),
            (b"P", (type({}.items()), type(OrderedDict().items()), ItemsView)),
        )
        for kind in kinds
    },
    types.MappingProxyType: (b"Q", lambda v: (dict(v),)),
    Drained: (b"G", lambda v: (tuple(v.items), v.more)),
}
SPLITS_BY_NAME: Mapping[str, tuple[bytes, Split]] = {
    "Decimal": (b"m", lambda v: (str(v),)),
    "Fraction": (b"r", lambda v: (v.numerator, v.denominator)),
    "date": (b"a", lambda v: (v.isoformat(),)),
    "datetime": (b"A", _split_moment),
    "time": (b"h", _split_moment),
    "timedelta": (b"H", lambda v: (v.days, v.seconds, v.microseconds)),
    "UUID": (b"U", lambda v: (v.int,)),
    "array": (b"B", _split_array),
    "ChainMap": (b"n", lambda v: (tuple(v.maps),)),
    "UserDict": (b"j", lambda v: (v.data,)),
    "UserList": (b"J", lambda v: (v.data,)),
    "PosixPath": (b"w", lambda v: (str(v),)),
    "PurePosixPath": (b"1", lambda v: (str(v),)),
    "PureWindowsPath": (b"2", lambda v: (str(v),)),
}
# The types of the parts, `object` for any, and what is made of them.
JOINS: Mapping[bytes, tuple[tuple[type, ...], Join]] = {
    b"D": ((str, tuple), _join_defaultdict),
    b"q": ((tuple, object), lambda spend, items, most: deque(items, most)),
    b"R": ((int, int, int), lambda spend, *ends: range(*ends)),  # lazy: what tests make of it is theirs to bound
    b"b": ((object, object, object), lambda spend, *ends: slice(*ends)),
    b"v": ((bytes, bool), lambda spend, data, fixed: memoryview(data if fixed else bytearray(data))),
    b"E": ((), lambda spend: ...),
    b"M": ((str, tuple, dict), _join_match),
    b"X": ((object, int), _join_pattern),
    b"K": ((tuple,), _join_keys),
    b"V": ((tuple,), lambda spend, values: dict(enumerate(values)).values()),
    b"P": ((tuple,), _join_items),
    b"G": ((tuple, bool), lambda spend, items, more: Drained(list(items), more)),
    b"m": ((str,), _join_decimal),
    b"r": ((int, int), _join_fraction),
    b"a": ((str,), lambda spend, text: imported("date").fromisoformat(text)),
    b"A": ((str, tuple), _moment("datetime")),
    b"h": ((str, tuple), _moment("time")),
    b"H": ((int, int, int), lambda spend, *parts: imported("timedelta")(*parts)),
    b"Q": ((dict,), lambda spend, pairs: types.MappingProxyType(pairs)),
    b"U": ((int,), lambda spend, number: imported("UUID")(int=number)),
    b"B": ((str, bytes), _join_array),
    b"n": ((tuple,), _join_chain),
    b"j": ((dict,), _user("UserDict")),
    b"J": ((list,), _user("UserList")),
    b"w": ((str,), _path("PosixPath")),
    b"1": ((str,), _path("PurePosixPath")),
    b"2": ((str,), _path("PureWindowsPath")),
}
