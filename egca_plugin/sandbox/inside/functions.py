"""Functions of the tests in the program's process: made of their code, and told as that where they are arguments.

Standard library only: this runs in the candidate's process, and is no more trusted than it.
"""

from __future__ import annotations

import importlib
import marshal
from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType
from typing import Any

from egca_plugin.sandbox.wire.functions import ITSELF, LATER, MODULE, Code, Held

_made: dict[int, tuple[Any, Code]] = {}  # by the function's id
_waiting: list[Callable[[Any], None]] = []  # for what the call gives in which a function was an argument


def made(code: Code) -> Any:
    """The function."""
    if not code.code:
        return _remembered(_of_library(code), code)
    body: CodeType = marshal.loads(code.code)
    names: dict[str, Any] = {"__name__": "tests"}
    cells = tuple(CellType() for _ in body.co_freevars)
    function = FunctionType(body, names, code.name, code.defaults, cells)
    function.__kwdefaults__ = code.keywords
    for held in code.names:
        _bind(held, function, partial(names.__setitem__, held[0]))
    for cell, held in zip(cells, code.cells, strict=True):
        _bind(held, function, partial(setattr, cell, "cell_contents"))
    return _remembered(function, code)


def _of_library(code: Code) -> Any:
    module, _, path = code.name.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found if code.defaults is None else found(*code.defaults)


def _bind(held: Held, function: Any, put: Callable[[Any], None]) -> None:
    _, kind, what = held
    if kind == LATER:
        _waiting.append(put)
    elif kind == ITSELF:
        put(function)
    else:
        put(importlib.import_module(what) if kind == MODULE else what)


def _remembered(function: Any, code: Code) -> Any:
    _made[id(function)] = function, code
    return function


def told(value: Any) -> Code | None:
    """As what a function came; None for the program's own."""
    found = _made.get(id(value))
    return found[1] if found is not None and found[0] is value else None


def begin() -> None:
    """A call is about to be made."""
    _waiting.clear()


def given(value: Any) -> None:
    """The call has given ``value``. In ``@memoize`` above ``def fib`` the name ``fib`` means what ``memoize`` gives."""
    for put in _waiting:
        put(value)
