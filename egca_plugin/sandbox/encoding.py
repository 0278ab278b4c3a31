"""Values to bytes (see :mod:`egca_plugin.sandbox.wire`)."""

from __future__ import annotations

import re
import struct
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.rich import (
    FACTORIES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_DRAINED,
    MAX_INT_BYTES,
    MODULE_OF,
    NAMED,
    Drained,
    Match,
)

_pack_count = struct.Struct("<I").pack
_pack_float = struct.Struct("<d").pack
_pack_complex = struct.Struct("<dd").pack

_ITERATOR_TYPES: tuple[type, ...] = (
    types.GeneratorType, map, filter, zip, enumerate, reversed, type(iter([])), type(iter(())), type(iter(set())),
    type(iter({})), type(iter({}.values())), type(iter({}.items())), type(iter("")), type(iter(range(0))),
    type(iter(range(1 << 70))), type(reversed([])), type(reversed({})), type(iter(b"")), type(iter(deque())),
    type(iter(int, 0)),
)  # fmt: skip
_ITERATORS = frozenset(map(id, _ITERATOR_TYPES))
_ITERATOR_MODULES = frozenset({"itertools"})
_FACTORY_NAMES: Mapping[int, str] = {id(factory): name for name, factory in FACTORIES.items()}
_NAMES: Mapping[int, str] = {id(value): name for name, value in NAMED.items()}
Encoder = Callable[[Any, bytearray, int, int, bool], None]
# `kind.__name__` would ask a hostile metaclass.
_type_name: Callable[[Any], str] = type.__dict__["__name__"].__get__
_type_module: Callable[[Any], str] = type.__dict__["__module__"].__get__


def encode(value: Any, *, max_bytes: int = MAX_BYTES, objects: bool = False) -> bytes:
    """``value`` as bytes. Raises WireError naming the type that cannot cross, or the bound that was passed.

    ``objects`` also lets through instances of ordinary classes, as class name and attributes: for arguments that the
    trusted side sends, never for what comes back.
    """
    out = bytearray()
    _encode(value, out, MAX_DEPTH, max_bytes, objects)
    return bytes(out)


def _encode(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
    if depth < 0:
        raise WireError(f"a value nested more than {MAX_DEPTH} deep (or in itself) cannot cross")
    if len(out) > limit:
        raise WireError(f"a value of more than {limit:,} bytes cannot cross")
    kind = type(value)
    encoder = _ENCODERS.get(id(kind), _encode_other)
    encoder(value, out, depth - 1, limit, objects)


def _none(value: Any, out: bytearray, *_: Any) -> None:
    out += b"N"


def _bool(value: bool, out: bytearray, *_: Any) -> None:
    out += b"T" if value else b"F"


def _int(value: int, out: bytearray, depth: int, limit: int, objects: bool) -> None:
    size = (value.bit_length() + 8) // 8
    if size > MAX_INT_BYTES:
        raise WireError(f"an integer of {size:,} bytes cannot cross; at most {MAX_INT_BYTES:,}")
    if size < 256:
        out += b"i"
        out.append(size)
    else:
        _head(b"I", size, out, limit)
    out += value.to_bytes(size, "little", signed=True)


def _floating(value: float, out: bytearray, *_: Any) -> None:
    out += b"f" + _pack_float(value)


def _complex_number(value: complex, out: bytearray, *_: Any) -> None:
    out += b"c" + _pack_complex(value.real, value.imag)


def _str(value: str, out: bytearray, depth: int, limit: int, objects: bool) -> None:
    data = value.encode("utf-8", "surrogatepass")
    _head(b"s", len(data), out, limit)
    out += data


def _head(tag: bytes, size: int, out: bytearray, limit: int) -> None:
    if len(out) + size > limit:
        raise WireError(f"a value of more than {limit:,} bytes cannot cross")
    out += tag
    out += _pack_count(size)


def _blob(tag: bytes) -> Encoder:
    def encoder(value: bytes, out: bytearray, depth: int, limit: int, objects: bool) -> None:
        _head(tag, len(value), out, limit)
        out += value

    return encoder


def _items(tag: bytes) -> Encoder:
    def encoder(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
        _head(tag, len(value), out, limit)
        for item in value:
            _encode(item, out, depth, limit, objects)

    return encoder


def _unordered(tag: bytes) -> Encoder:
    def encoder(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
        _head(tag, len(value), out, limit)
        parts = []
        for item in value:
            part = bytearray()
            _encode(item, part, depth, limit, objects)
            parts.append(part)
        out += b"".join(sorted(parts))
        if len(out) > limit:
            raise WireError(f"a value of more than {limit:,} bytes cannot cross")

    return encoder


def _pairs(tag: bytes) -> Encoder:
    def encoder(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
        _head(tag, len(value), out, limit)
        for key, item in value.items():
            _encode(key, out, depth, limit, objects)
            _encode(item, out, depth, limit, objects)

    return encoder


def _parts(tag: bytes, split: Callable[[Any], tuple[Any, ...]]) -> Encoder:
    """A rich type as its tag and the tuple of builtin values that it is rebuilt from."""

    def encoder(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
        out += tag
        _encode(split(value), out, depth, limit, objects)

    return encoder


def _split_defaultdict(value: Any) -> tuple[Any, ...]:
    factory = value.default_factory
    return _FACTORY_NAMES.get(id(factory), ""), dict(value)


def _split_datetime(value: Any) -> tuple[Any, ...]:
    utc = sys.modules["datetime"].timezone.utc
    if value.tzinfo not in (None, utc):
        raise WireError(f"a {_type_name(type(value))} with tzinfo other than UTC cannot cross")
    return (value.isoformat(), value.tzinfo is not None)


def _split_match(value: Any) -> tuple[Any, ...]:
    if type(value) is Match:
        return value.string, value.spans, value.names
    if type(value.string) is not str:
        raise WireError("a match on bytes cannot cross")
    spans = tuple(value.span(group) for group in range(value.re.groups + 1))
    return value.string, spans, dict(value.re.groupindex)


def _split_iterator(value: Any) -> tuple[Any, ...]:
    items = list(islice(value, MAX_DRAINED + 1))
    return items[:MAX_DRAINED], len(items) > MAX_DRAINED


def _encode_other(value: Any, out: bytearray, depth: int, limit: int, objects: bool) -> None:
    kind = type(value)
    name = _NAMES.get(id(value)) or _library_name(value)
    if name is not None:
        out += b"g"
        return _encode(name, out, depth, limit, objects)
    library_name = _library_name(kind)
    if library_name is not None:
        return _BY_NAME[library_name](value, out, depth, limit, objects)
    if id(kind) in _ITERATORS or _type_module(kind) in _ITERATOR_MODULES:
        return _parts(b"G", _split_iterator)(value, out, depth, limit, objects)
    if kind.__mro__[1:] == (tuple, object) and type(kind.__dict__.get("_fields")) is tuple:
        content = (_type_name(kind), kind.__dict__["_fields"], tuple(tuple.__iter__(value)))
        return _parts(b"n", lambda _: content)(value, out, depth, limit, objects)
    if objects and type(getattr(value, "__dict__", None)) is dict and not callable(value):
        return _parts(b"o", lambda v: (_type_name(kind), vars(v)))(value, out, depth, limit, objects)
    what = f"the function {value.__name__!r}" if isinstance(value, types.FunctionType) else f"a {_type_name(kind)!r}"
    raise WireError(f"{what} cannot cross between processes; expected builtin values")


def _library_name(kind: Any) -> str | None:
    """The name of exactly one of the types in MODULE_OF."""
    if not isinstance(kind, type):
        return None
    name = _type_name(kind)
    module = sys.modules.get(MODULE_OF.get(name, ""))
    return name if module is not None and vars(module).get(name) is kind else None


_BY_TYPE: Mapping[type, Encoder] = {
    type(None): _none, bool: _bool, int: _int, float: _floating, complex: _complex_number, str: _str,
    bytes: _blob(b"y"), bytearray: _blob(b"Y"), list: _items(b"l"), tuple: _items(b"t"), set: _unordered(b"e"),
    frozenset: _unordered(b"z"), dict: _pairs(b"d"), Counter: _pairs(b"C"), OrderedDict: _pairs(b"O"),
    defaultdict: _parts(b"D", _split_defaultdict), deque: _parts(b"q", lambda v: (list(v), v.maxlen)),
    range: _parts(b"R", lambda v: (v.start, v.stop, v.step)), type(...): _parts(b"E", lambda v: ()),
    re.Match: _parts(b"M", _split_match), Match: _parts(b"M", _split_match),
    type({}.keys()): _parts(b"K", lambda v: (list(v),)), type({}.values()): _parts(b"V", lambda v: (list(v),)),
    type({}.items()): _parts(b"P", lambda v: (list(v),)), Drained: _parts(b"G", _split_iterator),
}  # fmt: skip
_BY_NAME: Mapping[str, Encoder] = {
    "Decimal": _parts(b"m", lambda v: (str(v),)), "Fraction": _parts(b"r", lambda v: (v.numerator, v.denominator)),
    "date": _parts(b"a", lambda v: (v.isoformat(),)), "datetime": _parts(b"A", _split_datetime),
    "time": _parts(b"h", _split_datetime), "timedelta": _parts(b"H", lambda v: (v.days, v.seconds, v.microseconds)),
}  # fmt: skip
# By identity: looking a type up by equality would run a hostile metaclass's __eq__ and __hash__.
_ENCODERS: Mapping[int, Encoder] = {id(kind): encoder for kind, encoder in _BY_TYPE.items()}
