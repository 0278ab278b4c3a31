"""Arrays and scalars of numpy as values: type, shape and bytes. Numpy is imported only where such a value arrives."""

from __future__ import annotations

import importlib
import math
import re
import sys
from typing import Any

from egca_plugin.errors import WireError

_TYPE = re.compile(r"[<>|=]?[biufcSUmM]\d{0,4}(\[\d{0,9}[a-zA-Z]{1,7}\])?")
MAX_AXES = 16
MAX_AXIS = 1 << 22  # of an array without items too: a sum over it has as many


def is_array(value: Any) -> bool:
    """Whether ``value`` is numpy's own: an array, or a scalar."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    return type(value) is numpy.ndarray or (
        isinstance(value, numpy.generic) and vars(numpy).get(type(value).__name__) is not None
    )


def split(value: Any) -> tuple[str, tuple[int, ...] | None, bytes]:
    """Type, shape (None for a scalar) and bytes in C order. Raises WireError for types that are not plain data."""
    numpy = sys.modules["numpy"]
    if value.dtype.hasobject or value.dtype.names is not None or not _TYPE.fullmatch(value.dtype.str):
        raise WireError(f"a numpy value of the type {value.dtype} cannot cross")
    return value.dtype.str, value.shape if type(value) is numpy.ndarray else None, value.tobytes()


def join(kind: str, shape: tuple[Any, ...] | None, data: bytes) -> Any:
    """The array or scalar. Raises WireError where numpy is missing here, or the parts do not fit."""
    try:
        numpy = importlib.import_module("numpy")
    except ImportError as err:
        raise WireError("a numpy value, and numpy is not installed on this side") from err
    axes = () if shape is None else shape
    if (
        not _TYPE.fullmatch(kind)
        or len(axes) > MAX_AXES
        or not all(type(n) is int and 0 <= n <= MAX_AXIS for n in axes)
    ):
        raise WireError("a numpy value of no type or shape")
    dtype = numpy.dtype(kind)
    if dtype.itemsize * math.prod(axes) != len(data) or math.prod(axes) > max(1, len(data)):
        raise WireError(f"a numpy value of {len(data):,} bytes, expected {dtype.itemsize * math.prod(axes):,}")
    array = numpy.ndarray(axes, dtype, bytearray(data)) if data else numpy.zeros(axes, dtype)
    if dtype.kind == "b" and array.view("u1").max(initial=0) > 1:
        raise WireError("a numpy truth value that is neither")
    return array if shape is not None else array[()]
