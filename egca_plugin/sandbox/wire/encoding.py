"""Values to bytes (see :mod:`egca_plugin.sandbox.wire`)."""

from __future__ import annotations

import struct
import types
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire import arrays, instances, library, sharing
from egca_plugin.sandbox.wire.functions import Code, Sides
from egca_plugin.sandbox.wire.rich import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INT_BYTES,
    MAX_NAME,
    NAMED,
    Nodes,
)

_pack_count = struct.Struct("<I").pack
_pack_float = struct.Struct("<d").pack
_pack_complex = struct.Struct("<dd").pack
_SMALL = [b"i\1" + n.to_bytes(1, "little", signed=True) for n in (*range(128), *range(-128, 0))]  # also from behind
_SIZED, _MIDDLE = [b"i" + bytes([size]) for size in range(8)], 1 << 55

_ITERATOR_TYPES: tuple[type, ...] = (
    types.GeneratorType, map, filter, zip, enumerate, reversed, type(iter([])), type(iter(())), type(iter(set())),
    type(iter({})), type(iter({}.values())), type(iter({}.items())), type(iter("")), type(iter(range(0))),
    type(iter(range(1 << 70))), type(reversed([])), type(reversed({})), type(iter(b"")), type(iter(deque())),
    type(iter(int, 0)),
)  # fmt: skip
_ITERATORS = frozenset(map(id, _ITERATOR_TYPES))
_ITERATOR_MODULES = frozenset({"itertools"})
_NAMES: Mapping[int, str] = {id(value): name for name, value in NAMED.items()}
# `kind.__name__` would ask a hostile metaclass.
_type_name: Callable[[Any], str] = type.__dict__["__name__"].__get__
_type_mro: Callable[[Any], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_type_module: Callable[[Any], str] = type.__dict__["__module__"].__get__


class Run:
    """What the encoding of one value needs to know, and finds out on its way."""

    limit = MAX_BYTES
    objects = False  # whether instances of all own classes cross, not only namedtuples
    own: instances.Told | None = None  # those that were met
    containers: list[Any] | None = None  # every mutable container, in the order in which it was done
    keep: Keep | None = None  # for what stays, under the number that it gives
    within = False  # an instance, whose iterators are not ours to drain
    telling = False  # a class, which holds no instances

    @staticmethod
    def value(value: Any, out: bytearray, depth: int, run: Run) -> None:
        """Encode ``value``, which may be ``depth`` deep."""
        if depth < 0:
            raise WireError(f"a value nested more than {MAX_DEPTH} deep (or in itself) cannot cross")
        if len(out) > run.limit:
            raise WireError(f"a value of more than {run.limit:,} bytes cannot cross")
        _ENCODERS.get(id(type(value)), _encode_other)(value, out, depth - 1, run)

    @staticmethod
    def pairs(value: Any, out: bytearray, depth: int, run: Run) -> None:
        """The pairs of a dict, in its order, behind their number."""
        _head(b"", len(value), out, run)
        for key, item in value.items():
            encode_into(key, out, depth, run)
            encode_into(item, out, depth, run)


Encoder = Callable[[Any, bytearray, int, Run], None]
Keep = Callable[[Any], "int | Code"]
encode_into, pairs_into = Run.value, Run.pairs


def encode(
    value: Any,
    *,
    max_bytes: int = MAX_BYTES,
    objects: bool = False,
    nodes: Nodes | None = None,
    keep: Keep | None = None,
) -> bytes:
    """``value`` as bytes. Raises WireError naming the type that cannot cross, or the bound that was passed.

    ``objects`` also lets through instances of own classes, as data. With ``nodes`` the bytes tell too which mutable
    parts are one object, with each other or with a part that ``nodes`` holds already; the new ones are added to it.
    ``keep`` takes the functions that are met, and what else of an object's attributes cannot cross, and gives each a
    number, or tells it by its code.
    """
    run = Run()
    if max_bytes != MAX_BYTES:
        run.limit = max_bytes
    if objects:
        run.objects, run.keep = objects, keep
    if nodes is not None:
        run.containers = []
    out = bytearray()
    encode_into(value, out, MAX_DEPTH, run)
    if run.own is not None and run.own.shapes:
        out = run.own.wrapped(out, run)
    if nodes is None:
        return bytes(out)
    return sharing.tell(out, nodes, run.containers or [], run.own.table if run.own else [])


def opened(number: int, name: str, kind: str) -> bytes:
    """The value that stands for an iterator, or the like, which stays in its process under that number."""
    return b"L" + encode((number, name[:MAX_NAME], kind))


def _none(value: Any, out: bytearray, depth: int, run: Run) -> None:
    out += b"N"


def _bool(value: bool, out: bytearray, depth: int, run: Run) -> None:
    out += b"T" if value else b"F"


def _int(value: int, out: bytearray, depth: int, run: Run) -> None:
    if -128 < value < 128:
        out += _SMALL[value]
        return
    size = (value.bit_length() + 8) // 8
    if size > MAX_INT_BYTES:
        raise WireError(f"an integer of {size:,} bytes cannot cross; at most {MAX_INT_BYTES:,}")
    if size < 256:
        out += b"i"
        out.append(size)
    else:
        _head(b"I", size, out, run)
    out += value.to_bytes(size, "little", signed=True)


def _floating(value: float, out: bytearray, depth: int, run: Run) -> None:
    out += b"f" + _pack_float(value)


def _complex_number(value: complex, out: bytearray, depth: int, run: Run) -> None:
    out += b"c" + _pack_complex(value.real, value.imag)


def _str(value: str, out: bytearray, depth: int, run: Run) -> None:
    data = value.encode("utf-8", "surrogatepass")
    _head(b"s", len(data), out, run)
    out += data


def _head(tag: bytes, size: int, out: bytearray, run: Run) -> None:
    if len(out) + size > run.limit:
        raise WireError(f"a value of more than {run.limit:,} bytes cannot cross")
    out += tag
    out += _pack_count(size)


def _blob(value: bytes, out: bytearray, depth: int, run: Run) -> None:
    _head(b"y", len(value), out, run)
    out += value


def _bytearray(value: bytearray, out: bytearray, depth: int, run: Run) -> None:
    _head(b"Y", len(value), out, run)
    out += value
    if run.containers is not None:
        run.containers.append(value)


def _items(value: Any, out: bytearray, depth: int, run: Run) -> None:
    """The items of a sequence, behind their number."""
    for item in value:
        if type(item) is int and -_MIDDLE < item < _MIDDLE:
            if -128 < item < 128:
                out += _SMALL[item]
            else:
                size = (item.bit_length() + 8) >> 3
                out += _SIZED[size]
                out += item.to_bytes(size, "little", signed=True)
        else:
            encode_into(item, out, depth, run)


def _list(value: list[Any], out: bytearray, depth: int, run: Run) -> None:
    _head(b"l", len(value), out, run)
    _items(value, out, depth, run)
    if run.containers is not None:
        run.containers.append(value)


def _tuple(value: tuple[Any, ...], out: bytearray, depth: int, run: Run) -> None:
    _head(b"t", len(value), out, run)
    _items(value, out, depth, run)


def _unordered(tag: bytes) -> Encoder:
    def encoder(value: Any, out: bytearray, depth: int, run: Run) -> None:
        _head(tag, len(value), out, run)
        known = None if run.containers is None else len(run.containers)
        parts = []
        for item in value:
            part = bytearray()
            encode_into(item, part, depth, run)
            parts.append(part)
        out += b"".join(sorted(parts))
        if len(out) > run.limit:
            raise WireError(f"a value of more than {run.limit:,} bytes cannot cross")
        if run.containers is not None:
            del run.containers[known:]  # their order within a set is not theirs
            if tag == b"e":
                run.containers.append(value)

    return encoder


def _pairs(tag: bytes) -> Encoder:
    def encoder(value: Any, out: bytearray, depth: int, run: Run) -> None:
        out += tag
        pairs_into(value, out, depth, run)
        if run.containers is not None:
            run.containers.append(value)

    return encoder


def _split(tag: bytes, split: library.Split) -> Encoder:
    """A type of the library as its tag and the tuple of builtin values that it is rebuilt from."""

    def encoder(value: Any, out: bytearray, depth: int, run: Run) -> None:
        out += tag
        encode_into(split(value), out, depth, run)
        if tag in library.MUTABLE and run.containers is not None:
            run.containers.append(value)

    return encoder


def _array(value: Any, out: bytearray, depth: int, run: Run) -> None:
    parts = arrays.split(value)
    out += b"p"
    encode_into(parts, out, depth, run)
    if run.containers is not None and parts[1] is not None:
        run.containers.append(value)


def _encode_other(value: Any, out: bytearray, depth: int, run: Run) -> None:
    kind = type(value)
    name = _NAMES.get(id(value)) or library.library_name(value)
    if name is not None:
        out += b"g"
        return encode_into(name, out, depth, run)
    its_name = library.library_name(kind)
    if its_name is not None:
        return _BY_NAME[its_name](value, out, depth, run)
    if is_iterator(value):
        if not run.within:
            return _drained(value, out, depth, run)
        if run.keep is None:
            raise WireError(f"a {_type_name(kind)!r} among the attributes of an object cannot cross")
        return _kept(value, out, depth, run, run.keep)
    if arrays.is_array(value):
        return _array(value, out, depth, run)
    if run.own is None and not run.telling:
        run.own = instances.Told(run.objects)
    if run.own is not None and run.own.add(value, out, depth, run):
        return None
    if callable(value) and not isinstance(value, type) and not _is_entered(kind):
        return _function(value, out, depth, run)
    if run.within and run.keep is not None:
        return _kept(value, out, depth, run, run.keep)
    what = f"the class {_type_name(value)!r}" if isinstance(value, type) else f"a {_type_name(kind)!r}"
    raise WireError(f"{what} cannot cross between processes; expected builtin values")


def is_iterator(value: Any) -> bool:
    """Whether it is a builtin iterator: what has items to give, once."""
    kind = type(value)
    return id(kind) in _ITERATORS or _type_module(kind) in _ITERATOR_MODULES


def _is_entered(kind: Any) -> bool:
    """Whether its instances are context managers. Those of ``contextlib`` are callable, and are more than functions."""
    return any(name in vars(one) for one in _type_mro(kind) for name in ("__enter__", "__aenter__"))


def _function(value: Any, out: bytearray, depth: int, run: Run) -> None:
    if run.keep is not None:
        return _kept(value, out, depth, run, run.keep)
    code = Sides.told(value)
    if code is not None:
        return _code(code, out, depth, run)
    name = getattr(value, "__name__", None) or _type_name(type(value))
    raise WireError(f"the function {name!r} cannot cross between processes; expected builtin values")


def _code(value: Code, out: bytearray, depth: int, run: Run) -> None:
    out += b"Z"
    encode_into(value.parts(), out, depth, run)


def _kept(value: Any, out: bytearray, depth: int, run: Run, keep: Keep) -> None:
    number = keep(value)
    if type(number) is Code:
        return _code(number, out, depth, run)
    name = getattr(value, "__name__", None) or _type_name(type(value))
    out += b"L"
    encode_into((number, str(name)[:MAX_NAME], "function"), out, depth, run)


_BY_TYPE: Mapping[type, Encoder] = {
    type(None): _none, bool: _bool, int: _int, float: _floating, complex: _complex_number, str: _str,
    bytes: _blob, bytearray: _bytearray, list: _list, tuple: _tuple, set: _unordered(b"e"),
    frozenset: _unordered(b"z"), dict: _pairs(b"d"), Counter: _pairs(b"C"), OrderedDict: _pairs(b"O"), Code: _code,
    **{kind: _split(*how) for kind, how in library.SPLITS.items()},
}  # fmt: skip
_BY_NAME: Mapping[str, Encoder] = {name: _split(*how) for name, how in library.SPLITS_BY_NAME.items()}
_drained = _split(b"G", library.split_iterator)
# By identity: looking a type up by equality would run a hostile metaclass's __eq__ and __hash__.
_ENCODERS: Mapping[int, Encoder] = {id(kind): encoder for kind, encoder in _BY_TYPE.items()}
