"""The standard library's types on the wire: each as a tuple of builtin values that it is split into and joined from.

A ``join`` is given ``spend``, which counts what it takes in items and raises WireError where that is too much.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
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
MUTABLE = (b"D", b"q")


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
    utc = sys.modules["datetime"].timezone.utc
    if value.tzinfo not in (None, utc):
        raise WireError(f"a {type(value).__name__} with tzinfo other than UTC cannot cross")
    return (value.isoformat(), value.tzinfo is not None)


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
    def join(spend: Spend, text: str, utc: bool) -> Any:
        moment = imported(name).fromisoformat(text)
        return moment.replace(tzinfo=sys.modules["datetime"].timezone.utc if utc else None)

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
    type({}.keys()): (b"K", lambda v: (tuple(v),)),
    type({}.values()): (b"V", lambda v: (tuple(v),)),
    type({}.items()): (b"P", lambda v: (tuple(v),)),
    Drained: (b"G", lambda v: (tuple(v.items), v.more)),
}
SPLITS_BY_NAME: Mapping[str, tuple[bytes, Split]] = {
    "Decimal": (b"m", lambda v: (str(v),)),
    "Fraction": (b"r", lambda v: (v.numerator, v.denominator)),
    "date": (b"a", lambda v: (v.isoformat(),)),
    "datetime": (b"A", _split_moment),
    "time": (b"h", _split_moment),
    "timedelta": (b"H", lambda v: (v.days, v.seconds, v.microseconds)),
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
    b"A": ((str, bool), _moment("datetime")),
    b"h": ((str, bool), _moment("time")),
    b"H": ((int, int, int), lambda spend, *parts: imported("timedelta")(*parts)),
}
