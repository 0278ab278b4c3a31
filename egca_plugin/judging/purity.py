"""Do tests leave their process as they found it? Then they need none of their own, whose fork takes most of the time.

Judged by the source alone, and strictly: what is not known to change nothing outside the tests' own names counts as if
it did. Tests are careless at worst, not hostile, so what they would have to hide is not looked for. The state of
``random`` may change: it is set anew for each trial.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence, Set

MODULES = frozenset({
    "__future__", "abc", "bisect", "cmath", "collections", "collections.abc", "copy", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "heapq", "itertools", "json", "math", "numbers", "operator", "random",
    "re", "statistics", "string", "typing",
})  # fmt: skip
# Of these modules, what does change something; and of every object.
_CHANGES = frozenset({
    "getcontext", "setcontext", "localcontext", "DefaultContext", "BasicContext", "ExtendedContext", "purge",
    "register", "sys", "builtins", "os",
})  # fmt: skip
_BUILTINS = frozenset(vars(builtins)) - {
    "exec", "eval", "compile", "open", "input", "globals", "locals", "vars", "setattr", "delattr", "breakpoint", "exit",
    "quit", "help", "copyright", "credits", "license",
}  # fmt: skip
_DUNDERS = frozenset({
    "__name__", "__init__", "__class__", "__doc__", "__len__", "__eq__", "__lt__", "__hash__", "__repr__", "__str__",
    "__iter__", "__next__", "__contains__", "__getitem__", "__call__",
})  # fmt: skip
_FORBIDDEN = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)


def is_pure(trees: Sequence[ast.Module], also: Set[str] = frozenset()) -> bool:
    """Whether running all of them, in one namespace, changes nothing beyond it. ``also``: modules that may be imported
    as MODULES may."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = _imported(nodes, MODULES | also)
    return imported is not None and all(_changes_nothing(node, imported) for node in nodes)


def _imported(nodes: Sequence[ast.AST], modules: Set[str]) -> frozenset[str] | None:
    """The names that imports bind, or None where one is not of ``modules``."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            if not all(alias.name in modules for alias in node.names):
                return None
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module not in modules:
                return None
            if any(alias.name in _CHANGES for alias in node.names):
                return None
            names |= {alias.asname or alias.name for alias in node.names}
    return frozenset(names)


def _changes_nothing(node: ast.AST, imported: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        known = node.id in _BUILTINS or not hasattr(builtins, node.id)
        return known and node.id not in _CHANGES and (not _is_dunder(node.id) or node.id == "__name__")
    if isinstance(node, ast.Attribute):
        if node.attr in _CHANGES or (_is_dunder(node.attr) and node.attr not in _DUNDERS):
            return False
        return isinstance(node.ctx, ast.Load) or _root(node) not in imported
    return not isinstance(node, _FORBIDDEN)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
