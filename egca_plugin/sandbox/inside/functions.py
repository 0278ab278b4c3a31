"""Functions of the tests in the program's process: made of their code, and told as that where they are arguments.

Standard library only: this runs in the candidate's process, and is no more trusted than it.
"""

from __future__ import annotations

import importlib
import marshal
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from functools import partial
from types import CellType, CodeType, FunctionType
from typing import Any

from egca_plugin.sandbox.wire.functions import ITSELF, LATER, MODULE, Code, Held

CONTAINERS = frozenset({list, dict, set, deque, Counter, OrderedDict})
_made: dict[int, tuple[Any, Code]] = {}  # by the function's id
_numbered: dict[tuple[int, bytes], Any] = {}
_waiting: list[Callable[[Any], None]] = []  # for what the call gives in which a function was an argument


def made(code: Code) -> Any:
    """The function. One that has come before is that one, with what it holds now."""
    if not code.code:
        return _remembered(_of_library(code), code)
    function = _numbered.get((code.number, code.code)) if code.number >= 0 else None
    if function is None:
        body: CodeType = marshal.loads(code.code)
        cells = tuple(CellType() for _ in body.co_freevars)
        function = FunctionType(body, {"__name__": "tests"}, code.name, code.defaults, cells)
        function.__kwdefaults__ = code.keywords
        function.__annotations__ = code.annotations or {}
        _numbered[(code.number, code.code)] = function
    for held in code.names:
        _bind(held, function, partial(function.__globals__.__setitem__, held[0]))
    for cell, held in zip(function.__closure__ or (), code.cells, strict=True):
        _bind(held, function, partial(setattr, cell, "cell_contents"))
    return _remembered(function, code)


def _of_library(code: Code) -> Any:
    module, _, path = code.name.partition(":")
    if not module and code.defaults:  # a method of what the tests hold too
        return getattr(code.defaults[0], path)
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found if code.defaults is None else found(*code.defaults, **(code.keywords or {}))


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


def held() -> list[Any]:
    """What functions hold that the tests hold too."""
    values = [one[2] for _, code in _made.values() for one in (*code.cells, *code.names)]
    values += [one for _, code in _made.values() for one in code.defaults or ()]
    return [one for one in values if type(one) in CONTAINERS]


def begin() -> None:
    """A call is about to be made."""
    _waiting.clear()


def given(value: Any) -> None:
    """The call has given ``value``. In ``@memoize`` above ``def fib`` the name ``fib`` means what ``memoize`` gives."""
    for put in _waiting:
        put(value)
