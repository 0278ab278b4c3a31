"""Whose the names are that tests use and do not define. Pure: nothing is executed here."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from egca_plugin.judging.assertions import TEST
from egca_plugin.judging.forms.source import ALL

_BUILTINS = frozenset(vars(builtins))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*FUNCTIONS, ast.ClassDef, ast.Lambda)
_MAKERS = frozenset({"partial", "cache"})  # called with a function, they give one


def free_names(trees: Sequence[ast.Module]) -> frozenset[str]:
    """What they use and nowhere bind."""
    used: set[str] = set()
    bound: set[str] = {TEST, "__name__", "__file__"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
            elif isinstance(node, ast.ExceptHandler):
                bound.add(node.name or "")
            else:
                bound.update(_defined(node))
    return frozenset(used - bound - _BUILTINS)


def asked(tests: Sequence[ast.Module], imported: frozenset[str], unbound: frozenset[str]) -> frozenset[str]:
    """Which names are taken for functions of the program where no reference can tell.

    What the tests import of it, or use, call and do not define, and do not write as classes and constants are written.
    """
    names = imported | (unbound & called(tests))
    plain = {name for name in names if not name.lstrip("_")[:1].isupper() and not name.startswith("assert")}
    return frozenset(plain - {ALL})


def functions(module: ast.Module) -> frozenset[str]:
    """Those that it defines itself, by their names."""
    found: set[str] = set()
    for node in own_scope(module):
        if isinstance(node, FUNCTIONS):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_function(node.value, found):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return frozenset(found)


def _defined(node: ast.AST) -> Iterator[str]:
    """What a definition or an import binds."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)


def called(trees: Sequence[ast.Module]) -> frozenset[str]:
    """The names that are called anywhere."""
    calls = (node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(function.id for function in calls if isinstance(function, ast.Name))


def _is_function(value: ast.expr | None, known: set[str]) -> bool:
    match value:
        case ast.Lambda():
            return True
        case ast.Name(name):
            return name in known
        case ast.Call(ast.Name(maker) | ast.Attribute(_, maker), [first, *_]):
            return maker in _MAKERS and _is_function(first, known)
        case ast.Call(ast.Call(), [first]):  # lru_cache(None)(f)
            return _is_function(first, known)
    return False


def own_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Its nodes in order, but for those within functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from own_scope(child)
