"""Going through syntax trees quickly: the localiser does little else."""

from __future__ import annotations

import ast
from typing import TypeVar

_Node = TypeVar("_Node", bound=ast.AST)


def walk(node: ast.AST) -> list[ast.AST]:
    """The nodes that ``ast.walk`` yields, in its order, in about half of its time."""
    found = [node]
    for parent in found:  # grows meanwhile
        values = parent.__dict__
        for name in parent._fields:
            value = values.get(name)
            if isinstance(value, ast.AST):
                found.append(value)
            elif type(value) is list:
                found.extend([item for item in value if isinstance(item, ast.AST)])
    return found


def clone(node: _Node) -> _Node:
    """A shallow copy, several times faster than ``copy.copy``."""
    new = type(node).__new__(type(node))
    new.__dict__.update(node.__dict__)
    return new
