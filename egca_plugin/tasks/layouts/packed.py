"""Tests as data sets pack them into one cell: JSON text, or LiveCodeBench's base64 of zlib of a pickle of JSON text.

A data set is somebody else's file. What is read here is bounded, and a pickle builds plain values or nothing: its
opcodes are looked through before it is loaded, the unpickler that loads it finds no class, what it built is measured.
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import pickletools
import re
import zlib
from typing import Any, NoReturn

from egca_plugin.errors import TaskError

MAX_CHARS = 1 << 27  # of one row's tests, packed and unpacked
_MAX_OPCODES = 1 << 20
_MAX_MEMO = 1 << 20  # the index of a memo decides how much memory is taken for it
_PACKED = re.compile(r"eJ[A-Za-z0-9+/]{40}")  # zlib's header in base64, and more than any answer in words
_SHOWN = 60
_ITEM = 64  # characters that an item of a structure counts for


class _Wanted(pickle.UnpicklingError):
    """The pickle is more than plain values."""


class _Plain(pickle.Unpickler):
    """Builds what the format itself knows: texts, numbers, lists, dicts."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise _Wanted(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _Wanted("an object from elsewhere")


def looks_packed(text: str) -> bool:
    """Is it base64 of something that zlib wrote? Told by its first characters."""
    return _PACKED.match(text) is not None


def from_json(text: str | bytes, where: str) -> Any:
    """The value of JSON ``text``. Raises TaskError naming ``where``."""
    _check_size(len(text), where)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where}: no JSON ({str(error)[:_SHOWN]}), expected JSON; got {text[:_SHOWN]!r}") from error


def from_pickle(text: str, where: str) -> Any:
    """The value that LiveCodeBench packed into ``text``. Raises TaskError naming ``where``."""
    _check_size(len(text), where)
    try:
        value = _unpickled(_inflated(base64.b64decode(text, validate=True), where), where)
    except TaskError:
        raise
    except _Wanted as error:
        raise TaskError(
            f"{where}: the pickle wants a class or a call ({error}), expected one of plain values; nothing was built"
        ) from error
    except Exception as error:  # the boundary to a hostile format: pickle raises whatever its opcodes lead it to
        raise TaskError(
            f"{where}: got {text[:24]!r}..., expected base64 of zlib of a pickle of JSON, as LiveCodeBench packs its "
            f"tests ({type(error).__name__}: {str(error)[:_SHOWN]})"
        ) from error
    if isinstance(value, (str, bytes)):
        return from_json(value, where)
    _check_tree(value, where)
    return value


def _inflated(data: bytes, where: str) -> bytes:
    stream = zlib.decompressobj()
    found = stream.decompress(data, MAX_CHARS + 1)
    _check_size(len(found), where)
    if not stream.eof:
        raise zlib.error("the stream is cut off")
    return found


def _unpickled(data: bytes, where: str) -> Any:
    for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if number > _MAX_OPCODES:
            raise TaskError(f"{where}: the pickle has more than {_MAX_OPCODES} steps, expected one text")
        if "PUT" in opcode.name and int(argument or 0) > _MAX_MEMO:
            raise TaskError(f"{where}: the pickle's memo goes up to {argument}, expected at most {_MAX_MEMO}")
    return _Plain(io.BytesIO(data)).load()


def _check_tree(value: Any, where: str) -> None:
    """A structure may hold itself, or one list a billion times; written out it must be small."""
    stack, items, chars = [value], 0, 0
    while stack:
        one = stack.pop()
        items += 1
        if isinstance(one, str):
            chars += len(one)
        elif isinstance(one, (list, tuple)):
            stack.extend(one)
        elif isinstance(one, dict):
            stack.extend(one.values())
        elif one is not None and not isinstance(one, (int, float)):
            raise TaskError(f"{where}: the pickle holds {type(one).__name__}, expected texts, numbers, lists and dicts")
        _check_size(max(chars, items * _ITEM, len(stack) * _ITEM), where)


def _check_size(chars: int, where: str) -> None:
    if chars > MAX_CHARS:
        raise TaskError(
            f"{where}: got {chars / 1e6:.0f} MB or more, expected at most {MAX_CHARS / 1e6:.0f} MB in one row; leave "
            "out the largest tests, or the row"
        )
