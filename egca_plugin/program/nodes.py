"""Going through syntax trees quickly: the localiser does little else."""

from __future__ import annotations

import ast
from typing import TypeVar

_Node = TypeVar("_Node", bound=ast.AST)
_LONG = 10_000  # bits: texts of longer integers are hexadecimal, which takes linear time and has no limit of digits


# Fields that hold no nodes, whatever the class.
_TEXTS = frozenset({
    "id", "attr", "arg", "module", "level", "asname", "kind", "type_comment", "conversion", "simple", "is_async",
    "rest",
})  # fmt: skip
_parts: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}  # the other fields of each class that was met


def walk(node: ast.AST) -> list[ast.AST]:
    """The nodes that ``ast.walk`` yields, in its order, in about a third of its time."""
    found = [node]
    for parent in found:  # grows meanwhile
        kind = type(parent)
        names = _parts.get(kind)
        if names is None:
            names = _parts[kind] = tuple(name for name in kind._fields if name not in _TEXTS)
        values = parent.__dict__
        for name in names:
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


def spelled(value: object) -> str:
    """``repr`` of a literal's value."""
    return hex(value) if type(value) is int and value.bit_length() > _LONG else repr(value)


def unparse(node: ast.AST) -> str:
    """``ast.unparse``, for any literal that a program may hold."""
    values = [(part, part.value) for part in walk(node) if isinstance(part, ast.Constant)]
    long = [(part, value) for part, value in values if type(value) is int and value.bit_length() > _LONG]
    try:
        for part, value in long:
            part.value = _Hexadecimal(value)
        return ast.unparse(node)
    finally:
        for part, value in long:
            part.value = value


class _Hexadecimal(int):
    def __repr__(self) -> str:
        return hex(self)
