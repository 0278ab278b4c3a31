"""Functions that tests give to the program: what of them can be told (see :mod:`egca_plugin.sandbox.wire.functions`).

By value, so only what cannot be seen to change: one that counts its calls in a list of the tests' would count in a copy
of it. Names that are bound when the call is made mean what they mean then; a decorated function's own name means what
the decorator gives.
"""

from __future__ import annotations

import builtins
import dis
import marshal
import operator
import sys
from collections.abc import Iterator
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox.wire.functions import ITSELF, LATER, MODULE, VALUE, Code, Held
from egca_plugin.sandbox.wire.rich import NAMED

_VERSION = 2  # of marshal's format: later ones tell what is one object in memory, which changes from run to run
_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range})
_GLOBAL_STORES, _OUTER_STORES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"}), frozenset({"STORE_DEREF", "DELETE_DEREF"})
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_BUILTINS = frozenset(vars(builtins))
_GETTERS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
_EMPTY = object()
_FILE = "<tests>"
MAX_NESTED = 10  # functions that hold functions


def told(function: Any, depth: int = MAX_NESTED) -> Code:
    """The function by its code. Raises WireError where it holds what cannot be told so."""
    name = str(getattr(function, "__name__", type(function).__name__))
    found = _by_name(function)
    if found is not None:
        return found
    if type(function) is not FunctionType or not depth:
        raise WireError(f"the function {name!r} cannot cross to the program; expected builtin values")
    code = function.__code__
    changed = [
        what for one in _within(code) for opcode, what in _operations(one)
        if opcode in _GLOBAL_STORES or (opcode in _OUTER_STORES and what in code.co_freevars)
    ]  # fmt: skip
    if changed:
        raise WireError(f"the function {name!r} cannot cross to the program: it changes {min(changed)!r}")
    defaults, keywords = function.__defaults__, function.__kwdefaults__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    return Code(
        name,
        marshal.dumps(_bare(code), _VERSION),
        None if defaults is None else tuple(_value(name, "a default", one, depth) for one in defaults),
        None if keywords is None else {key: _value(name, key, one, depth) for key, one in keywords.items()},
        tuple(_held(function, key, _content(cell), depth) for key, cell in cells.items()),
        tuple(
            _held(function, key, function.__globals__.get(key, _EMPTY), depth)
            for key in sorted(_globals(code))
            if key in function.__globals__ or key not in _BUILTINS
        ),
    )


def _by_name(function: Any) -> Code | None:
    """One of the standard library's: ``math.sqrt``, ``str.upper``, ``itemgetter(1)``."""
    kind = type(function)
    if kind in _GETTERS:
        return _named(f"operator:{kind.__name__}", function.__reduce__()[1])
    if kind is MethodDescriptorType:
        owner: Any = function.__objclass__
        name = f"builtins:{owner.__name__}.{function.__name__}"
        return _named(name) if owner.__module__ == "builtins" else None
    module = getattr(function, "__module__", None)
    if type(module) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    name = function.__qualname__ if kind in (FunctionType, BuiltinFunctionType) else ""
    is_its = name and module in sys.modules and vars(sys.modules[module]).get(name) is function
    return _named(f"{module}:{name}") if is_its else None


def _named(name: str, arguments: tuple[Any, ...] | None = None) -> Code:
    return Code(name, b"", arguments, None, (), ())


def _held(function: Any, key: str, value: Any, depth: int) -> Held:
    if value is function:
        return key, ITSELF, None
    if value is _EMPTY:
        if key == function.__name__:
            return key, LATER, None
        raise WireError(f"the function {function.__name__!r} cannot cross to the program: {key!r} is not bound yet")
    if isinstance(value, ModuleType):
        if value.__name__.partition(".")[0] in sys.stdlib_module_names and sys.modules.get(value.__name__) is value:
            return key, MODULE, value.__name__
        raise WireError(f"the function {function.__name__!r} cannot cross to the program: it uses the module {key!r}")
    return key, VALUE, _value(function.__name__, key, value, depth)


def _value(name: str, key: str, value: Any, depth: int) -> Any:
    if type(value) in _PLAIN or any(value is one for one in NAMED.values()):
        return value
    if type(value) in (tuple, frozenset):
        return type(value)(_value(name, key, one, depth) for one in value)
    if callable(value) and not isinstance(value, type):
        return told(value, depth - 1)
    what = f"a {type(value).__name__} that the tests hold too"
    raise WireError(f"the function {name!r} cannot cross to the program: {key!r} is {what}")


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return _EMPTY


def _globals(code: CodeType) -> set[str]:
    return {name for one in _within(code) for opcode, name in _operations(one) if opcode in _LOADS}


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _within(one)


def _operations(code: CodeType) -> Iterator[tuple[str, str]]:
    return ((one.opname, str(one.argval)) for one in dis.get_instructions(code))


def _bare(code: CodeType) -> CodeType:
    """Without the tests' file."""
    consts = tuple(_bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=_FILE, co_consts=consts)
