"""Whether two objects of the program's hold the same data, without asking the program, as Python compares data: 1 is
1.0, and the pairs of a dict have no order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from numbers import Number
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.wire.classes import BASES

_SEQUENCES: tuple[Any, ...] = (list, tuple, deque)
_KEYS = (type(None), bool, int, float, complex, str, bytes)
_BUILTIN = tuple(BASES.values())
_NUMBER = "_egca_number"  # of a function of the program's, on what stands for it


def alike(one: Any, other: Any, is_object: Callable[[Any], bool]) -> bool:
    """Objects may run in circles. Raises WireError for what is no data."""
    pending, met = [(one, other)], set[tuple[int, int]]()
    while pending:
        pair = one, other = pending.pop()
        if one is other or (id(one), id(other)) in met:
            continue
        met.add((id(one), id(other)))
        kind = type(one)
        if is_object(one) and not isinstance(one, _BUILTIN):
            pair = (vars(one), vars(other)) if type(other) is kind else pair
        same = type(pair[0]) is type(pair[1])
        if same and isinstance(pair[0], dict) and _by_key(*pair):
            one, other = pair
            if one.keys() != other.keys():
                return False
            pending += [(value, other[key]) for key, value in one.items()]
        elif same and kind in _SEQUENCES:
            if len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif not _equal(one, other):
            return False
    return True


def _by_key(*both: Mapping[Any, Any]) -> bool:
    """Whether their keys hash and compare without any code of the program's."""
    return all(type(one) is dict and all(type(key) in _KEYS for key in one) for one in both)


def _equal(one: Any, other: Any) -> bool:
    numbers = isinstance(one, Number) and isinstance(other, Number)
    if (numbers or (_is_plain(one) and _is_plain(other))) and one == other:
        return True
    return told(one) == told(other)  # NaN too


def _is_plain(value: Any) -> bool:
    if not isinstance(value, (*_KEYS, *_SEQUENCES, set, frozenset, dict)):
        return False  # an array's equality is no bool
    try:
        return bool(wire.encode(value))
    except WireError:
        return False


def told(value: Any) -> bytes:
    """As a program would be told it again."""
    return wire.encode(value, objects=True, keep=lambda thing: vars(thing)[_NUMBER])
