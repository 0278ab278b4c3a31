"""May two runs of this program differ? Then it is run twice before anything is concluded from it."""

from __future__ import annotations

import ast
import re

from egca_plugin.program.compiling import parse
from egca_plugin.program.nodes import walk

# Modules by which a program can tell one run from another, or reach such a module.
_MODULES = frozenset(
    {
        "random", "secrets", "uuid", "time", "datetime", "os", "posix", "tempfile", "threading", "_thread", "select",
        "selectors", "asyncio", "concurrent", "multiprocessing", "queue", "resource", "gc", "weakref", "importlib",
        "ctypes", "_random", "_imp", "platform", "socket", "calendar", "numpy",
    }
)  # fmt: skip
# Names that give what follows the hash seed or an address, or that can lead to any of the others.
_NAMES = frozenset({"set", "frozenset", "hash", "id", "object", "__import__", "eval", "exec", "globals", "vars", "dir"})
_VIEWS = frozenset({"keys", "items"})  # of which operators make sets
_HINT = re.compile(rf"\b(?:import|{'|'.join(_NAMES)})\b|[{{]|\.(?:keys|items)\b|__hash__|__dict__|__subclasses__")


def may_vary(source: str) -> bool:
    """Whether anything in the program could follow the hash seed, the clock, chance or the process that runs it.

    A program without any of that computes the same from the same arguments. A dict keeps its order, a set does not.
    """
    if not _HINT.search(source):
        return False
    try:
        return any(map(_varies, walk(parse(source))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True


def _varies(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] in _MODULES for alias in names)
        case ast.ImportFrom(module=str(module)):
            return module.split(".")[0] in _MODULES
        case ast.Name(id=name, ctx=ast.Load()):
            return name in _NAMES
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor() | ast.Sub(), left=left, right=right):
            return _is_view(left) or _is_view(right)
        case ast.Attribute(attr=name):
            return name in ("__hash__", "__dict__", "__subclasses__")
    return isinstance(node, (ast.Set, ast.SetComp))


def _is_view(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS
