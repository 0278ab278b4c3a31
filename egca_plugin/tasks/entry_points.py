"""The entry point of a task that names none, where its tests or its reference leave no doubt."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable

from egca_plugin.judging.forms.usual import asked_about
from egca_plugin.tasks.fields import Source


def implied(tests: Source, setup: str, reference: str) -> str:
    """What every assertion calls or pytest source imports from ``solution``; else the reference's only function.

    A function goes before a class, which may build its arguments. Empty where that is nothing, or more than one name.
    """
    defined, classes = _defined(reference), _classes(reference)
    if isinstance(tests, str):
        named = _imported(_parsed(tests))
    else:
        named = set(asked_about(_called(map(_parsed, tests)) - _defined(setup)))
    if not named:
        named = defined
    elif defined or classes:
        named = named & defined or named & classes
    return next(iter(named)) if len(named) == 1 else ""


def _parsed(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # judging says what is wrong with it
        return ast.Module([], [])


def _defined(source: str) -> set[str]:
    """Functions, and public methods as ``Class.method``."""
    body = _parsed(source).body
    methods = {
        f"{node.name}.{inner.name}"
        for node in body
        if isinstance(node, ast.ClassDef)
        for inner in node.body
        if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_")
    }
    return methods | {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def _classes(source: str) -> set[str]:
    return {node.name for node in _parsed(source).body if isinstance(node, ast.ClassDef)}


def _imported(tree: ast.Module) -> set[str]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "solution")
    return {alias.name for node in found for alias in node.names if alias.name != "*"}


def _called(trees: Iterable[ast.Module]) -> set[str]:
    """What every statement calls, of those that hold an assertion; ``Class().method(...)`` as ``Class.method``."""
    asserting = (tree for tree in trees if any(isinstance(node, ast.Assert) for node in ast.walk(tree)))
    calls = [{_callee(node) for node in ast.walk(tree) if isinstance(node, ast.Call)} for tree in asserting]
    common = set.intersection(*calls) - {""} if calls else set()
    return common - {name.split(".")[0] for name in common if "." in name}


def _callee(call: ast.Call) -> str:
    match call.func:
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Call(ast.Name(owner)), method):
            return f"{owner}.{method}"
    return ""
