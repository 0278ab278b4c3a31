"""Functions that tests give to the program: what of them can be told (see :mod:`egca_plugin.sandbox.wire.functions`).

What it closes over goes with it by value. A list of the tests' in which it notes its calls is that list only where both
sides know each other's parts from call to call (``LASTING``), which :func:`takes_notes` asks for. Names that are bound
when the call is made mean what they mean then; a decorated function's own name means what the decorator gives.
"""

from __future__ import annotations

import ast
import builtins
import dis
import marshal
import operator
import re
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.forms.names import FUNCTIONS
from egca_plugin.sandbox.wire.functions import ITSELF, LATER, MODULE, VALUE, Code, Held
from egca_plugin.sandbox.wire.rich import NAMED

_VERSION = 2  # of marshal's format: later ones tell what is one object in memory, which changes from run to run
PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range})
_GLOBAL_STORES, _OUTER_STORES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"}), frozenset({"STORE_DEREF", "DELETE_DEREF"})
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_BUILTINS = frozenset(vars(builtins))
_GETTERS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
CONTAINERS = frozenset({list, dict, set, deque, Counter, OrderedDict})
_CHANGES = frozenset({
    "append", "appendleft", "add", "extend", "update", "insert", "setdefault", "pop", "remove", "discard", "clear",
})  # fmt: skip
_MODULES = frozenset({  # which have no state that tests would change, or see changed
    "math", "cmath", "operator", "re", "string", "itertools", "functools", "collections", "json", "datetime",
    "statistics", "random", "copy", "decimal", "fractions", "heapq", "bisect", "typing", "hashlib", "time",
    "textwrap", "unicodedata",
})  # fmt: skip
EMPTY = object()
_FILE = "<tests>"
_TEST = re.compile(r"(test|check$)", re.IGNORECASE)  # the tests themselves
MAX_NESTED = 10  # functions that hold functions


def takes_notes(trees: Sequence[ast.Module]) -> bool:
    """Whether tests may pass functions that change what they hold: ``lambda x: seen.append(x)``, ``seen.append``."""
    return any(_notes(node) for tree in trees for node in ast.walk(tree))


def _notes(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        passed = (*node.args, *(one.value for one in node.keywords))
        return any(isinstance(one, ast.Attribute) and one.attr in _CHANGES for one in passed)
    if not isinstance(node, (ast.Lambda, *FUNCTIONS)) or _TEST.match(getattr(node, "name", "")):
        return False
    return any(
        (isinstance(one, ast.Attribute) and one.attr in _CHANGES)
        or (isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store))
        for one in ast.walk(node)
    )


def told(function: Any, depth: int = MAX_NESTED, *, shared: bool = False) -> Code:
    """The function by its code. ``shared``: what the tests hold too may be among what it holds. Raises WireError where
    it holds what cannot be told so."""
    name = str(getattr(function, "__name__", type(function).__name__))
    found = _by_name(function, shared)
    if found is not None:
        return found
    if type(function) is partial and depth:
        parts = [_value("partial", "what it calls", one, depth, shared) for one in (function.func, *function.args)]
        named = {key: _value("partial", key, one, depth, shared) for key, one in function.keywords.items()}
        return Code("functools:partial", b"", tuple(parts), named, (), ())
    if type(function) is not FunctionType or not depth:
        raise WireError(f"the function {name!r} cannot cross to the program; expected builtin values")
    if why := _reaches_out(function):
        raise WireError(f"the function {name!r} cannot cross to the program: it {why}")
    code = function.__code__
    defaults, keywords = function.__defaults__, function.__kwdefaults__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    return Code(
        name,
        marshal.dumps(_bare(code), _VERSION),
        None if defaults is None else tuple(_value(name, "a default", one, depth, shared) for one in defaults),
        None if keywords is None else {key: _value(name, key, one, depth, shared) for key, one in keywords.items()},
        tuple(_held(function, key, _content(cell), depth, shared) for key, cell in cells.items()),
        tuple(
            _held(function, key, function.__globals__.get(key, EMPTY), depth, shared)
            for key in sorted(_globals(code))
            if key in function.__globals__ or key not in _BUILTINS
        ),
        {key: one for key, one in function.__annotations__.items() if _is_named(one)} or None,
    )


def _reaches_out(function: Any) -> str:
    """What it does that a copy in another process could not; empty for nothing."""
    code = function.__code__
    done = _operations(code)
    for opcode, what in done:
        if opcode in _GLOBAL_STORES or (opcode in _OUTER_STORES and what in code.co_freevars):
            return f"changes {what}"
        if opcode == "IMPORT_NAME" and what.partition(".")[0] not in _MODULES:
            return f"imports {what}"
    sets = any(opcode == "STORE_ATTR" for opcode, _ in done)
    if vars(function) or (sets and any(one is EMPTY or callable(one) for one in contents(function))):
        return "has an attribute of its own"  # or sets one where it knows itself, or another function
    return ""


def contents(function: Any) -> list[Any]:
    """What its free and its global names are bound to now; EMPTY for what is not bound."""
    code = function.__code__
    return [
        *map(_content, function.__closure__ or ()),
        *(function.__globals__.get(key, EMPTY) for key in sorted(_globals(code)) if key not in _BUILTINS),
    ]


def _by_name(function: Any, shared: bool) -> Code | None:
    """One of the standard library's: ``math.sqrt``, ``str.upper``, ``itemgetter(1)``; and ``seen.append``."""
    kind = type(function)
    if shared and kind is BuiltinFunctionType and type(function.__self__) in CONTAINERS:
        return _named(f":{function.__name__}", (function.__self__,))
    if kind is BuiltinFunctionType and type(function.__self__) in PLAIN:
        return _named(f":{function.__name__}", (function.__self__,))
    if kind in _GETTERS and function.__reduce__()[0] is kind:
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


def _held(function: Any, key: str, value: Any, depth: int, shared: bool) -> Held:
    if value is function:
        return key, ITSELF, None
    if value is EMPTY:
        if key == function.__name__:
            return key, LATER, None
        raise WireError(f"the function {function.__name__!r} cannot cross to the program: {key!r} is not bound yet")
    if isinstance(value, ModuleType):
        if value.__name__ in _MODULES and sys.modules.get(value.__name__) is value:
            return key, MODULE, value.__name__
        raise WireError(f"the function {function.__name__!r} cannot cross to the program: it uses the module {key!r}")
    return key, VALUE, _value(function.__name__, key, value, depth, shared)


def _value(name: str, key: str, value: Any, depth: int, shared: bool) -> Any:
    if type(value) in PLAIN or _is_named(value):
        return value
    if shared and type(value) in CONTAINERS:
        return value
    if type(value) in (tuple, frozenset):
        return type(value)(_value(name, key, one, depth, shared) for one in value)
    if callable(value) and not isinstance(value, type):
        return told(value, depth - 1, shared=shared)
    what = f"a {type(value).__name__} that the tests hold too"
    raise WireError(f"the function {name!r} cannot cross to the program: {key!r} is {what}")


def _is_named(value: Any) -> bool:
    return any(value is one for one in NAMED.values())


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return EMPTY


def _globals(code: CodeType) -> set[str]:
    return {name for opcode, name in _operations(code) if opcode in _LOADS}


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _within(one)


@lru_cache(maxsize=256)  # asked at every call
def _operations(code: CodeType) -> tuple[tuple[str, str], ...]:
    """Of the functions within it too."""
    return tuple((one.opname, str(one.argval)) for part in _within(code) for one in dis.get_instructions(part))


def _bare(code: CodeType) -> CodeType:
    """Without what says where in the tests it stands: a test's name may hold what it expects."""
    consts = tuple(_bare(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    bare = code.replace(co_filename=_FILE, co_firstlineno=1, co_consts=consts)
    return bare.replace(co_qualname=code.co_name) if sys.version_info >= (3, 11) else bare
