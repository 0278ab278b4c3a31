"""Whether one call of a program may change what a later one does: then each trial needs a namespace of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from egca_plugin.localize.compare.units import is_docstring
from egca_plugin.program.hosting import Script
from egca_plugin.program.nodes import walk

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_STATELESS = {"staticmethod", "classmethod", "property"}
_WITHOUT_SELF = {"staticmethod", "classmethod"}
_BY_INSTANCE = {"cache", "lru_cache", "cached_property"}  # what they keep is an instance's, which lives for a call


def is_stateful(tree: ast.Module) -> bool:
    """Whether it may: globals, caches, mutable defaults, class attributes. What a function defines lives for a call."""
    if isinstance(tree, Script):  # each run has a namespace of its own
        return False
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    if not all(_keeps_nothing(node) for node in tree.body):
        return True
    for part in walk(tree):
        if isinstance(part, ast.Global):
            return True
        if isinstance(part, ast.Attribute) and not isinstance(part.ctx, ast.Load) and _is_one_of(part.value, classes):
            return True
    return any(_remembers(function, within) for function, within in _lasting(tree))


def _lasting(node: ast.AST, within: str = "") -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """The functions that are made when the program is loaded, not by a call; with the class that they stand in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITIONS):
            yield child, within
        else:
            yield from _lasting(child, child.name if isinstance(child, ast.ClassDef) else within)


def _remembers(function: ast.FunctionDef | ast.AsyncFunctionDef, within: str) -> bool:
    """Whether a decorator or a default may keep something from call to call."""
    names = [_named(decorator) for decorator in function.decorator_list]
    harmless = _STATELESS | _BY_INSTANCE if within and _WITHOUT_SELF.isdisjoint(names) else _STATELESS
    defaults = [x for x in (*function.args.defaults, *function.args.kw_defaults) if x is not None]
    plain = all(isinstance(default, (ast.Constant, ast.UnaryOp, ast.Name)) for default in defaults)
    return not harmless.issuperset(names) or not plain


def _named(decorator: ast.expr) -> str:
    """``cache``, ``functools.cache``, ``lru_cache(None)``: the last name; empty where there is none."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _keeps_nothing(node: ast.stmt) -> bool:
    """A definition, an import or a constant; a class that holds nothing else, and whose instances live for a call."""
    if isinstance(node, ast.ClassDef):
        return not node.decorator_list and all(map(_keeps_nothing, node.body))
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return node.value is not None and (_is_immutable(node.value) or _declares_slots(node))
    return isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)) or is_docstring(node)


def _declares_slots(node: ast.Assign | ast.AnnAssign) -> bool:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return isinstance(target, ast.Name) and target.id == "__slots__"


def _is_immutable(node: ast.expr) -> bool:
    """``1``, ``-1``, ``10 ** 9 + 7``, ``float("inf")``, ``(0, 1)``."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("float", "int", "str") and not node.keywords
    if isinstance(node, ast.Tuple):
        return all(map(_is_immutable, node.elts))
    if isinstance(node, ast.BinOp):
        return _is_immutable(node.left) and _is_immutable(node.right)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and _is_immutable(node.operand))


def _is_one_of(node: ast.expr, classes: set[str]) -> bool:
    """A name of one of the classes, or whatever may lead to one (``type(self)``, ``self.__class__``)."""
    return not isinstance(node, ast.Name) or node.id in classes or node.id == "cls"
