"""How much work a syntax tree would make: for recursive visitors, and for the compiler.

Most code compiles to about as much as was written. What does not is simulated here, with a bound, or kept few:

- ``finally`` is copied for every way out of its ``try``, and copies hold copies: 400 characters can become gigabytes.
- Constants are compared with each other: functions of one text, and tuples within tuples, cost the square of their
  number.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from egca_plugin.program.nodes import walk

MAX_DEPTH = 400  # levels of a tree
MAX_SCOPES = 3_000  # functions, classes, lambdas and comprehensions
MAX_COPIED = 30_000  # nodes that copies of `finally` blocks add
MAX_CONSTANT = 1_000_000  # items of constant tuples, those within them counted again at each level

_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip
_FOLDED = 1_024  # items that the compiler lets a constant expression have
_LOOP: Sequence[ast.stmt] = ()  # stands for a loop among the `finally` blocks around a statement


class TooMuch(ValueError):
    """A tree that is too deep for visitors, or would compile to too much."""


class TooDeep(TooMuch):
    """The syntax nests too deep."""


def check(tree: ast.Module) -> None:
    """Raises TooMuch for a tree that nothing of ours should visit or compile. Time and stack are bounded."""
    nodes = _levels(tree)
    scopes = sum(isinstance(node, _SCOPES) for node in nodes)
    if scopes > MAX_SCOPES:
        raise TooMuch(f"{scopes:,} functions, classes and comprehensions, at most {MAX_SCOPES:,} are compiled")
    _check_constants(nodes)
    check_copies(tree)


def check_copies(tree: ast.Module) -> None:
    """The part that a change of a few statements can push past its bound. Raises TooMuch."""
    if not any(getattr(node, "finalbody", None) for node in _statements(tree)):
        return
    try:
        _Copies(MAX_COPIED + len(walk(tree))).block(tree.body, ())
    except RecursionError as error:
        raise TooMuch("`finally` blocks that nest too deep to be compiled") from error


def _levels(tree: ast.Module) -> list[ast.AST]:
    """All nodes, parents first. Raises TooMuch past MAX_DEPTH levels."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"the syntax nests more than {MAX_DEPTH} deep")
        found += level
        below: list[ast.AST] = []
        for parent in level:
            values = parent.__dict__
            for name in parent._fields:
                value = values.get(name)
                if isinstance(value, ast.AST):
                    below.append(value)
                elif type(value) is list:
                    below.extend([item for item in value if isinstance(item, ast.AST)])
        level = below
    return found


def _check_constants(nodes: Sequence[ast.AST]) -> None:
    """``nodes``: parents first."""
    items: dict[int, int] = {}  # of each expression that the compiler may fold
    total = 0
    for node in reversed(nodes):
        if isinstance(node, ast.Constant):
            items[id(node)] = 1
        elif isinstance(node, ast.Tuple) and all(id(part) in items for part in node.elts):
            items[id(node)] = 1 + sum(items[id(part)] for part in node.elts)
            total += items[id(node)]
        elif isinstance(node, ast.BinOp) and id(node.left) in items and id(node.right) in items:
            items[id(node)] = min(_FOLDED, items[id(node.left)] * items[id(node.right)] * _FOLDED)
            total += items[id(node)] if isinstance(node.left, ast.Tuple) or isinstance(node.right, ast.Tuple) else 1
        if total > MAX_CONSTANT:
            raise TooMuch("tuples of constants within each other, too many to be compiled")


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """All statements, without a look into expressions."""
    found: list[Any] = [*tree.body]
    for node in found:  # grows meanwhile
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = node.__dict__.get(name)
            if type(inner) is list:
                found += inner
    return found


class _Copies:
    """Walks a program as the compiler emits it: at each way out through the ``finally`` blocks around it."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._sizes: dict[int, int] = {}

    def block(self, body: Sequence[Any], around: tuple[Sequence[ast.stmt], ...]) -> None:
        """``around``: the ``finally`` blocks and loops that a way out would leave, the innermost last."""
        for node in body:
            self._left -= self._size(node)
            if self._left < 0:
                raise TooMuch("copies of `finally` blocks for every way out of them, too many to be compiled")
            self._statement(node, around)

    def _statement(self, node: Any, around: tuple[Sequence[ast.stmt], ...]) -> None:
        if isinstance(node, ast.Return):
            self._leave(around, len(around))
        elif isinstance(node, (ast.Break, ast.Continue)):
            loops = [place for place, block in enumerate(around) if block is _LOOP]
            self._leave(around, len(around) - 1 - loops[-1] if loops else 0)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.block(node.body, ())
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self.block(node.body, (*around, _LOOP))
            self.block(node.orelse, around)
        elif finalbody := node.__dict__.get("finalbody"):
            inner = (*around, finalbody)
            for body in (node.body, *(handler.body for handler in node.handlers), node.orelse):
                self.block(body, inner)
            self.block(finalbody, around)  # once for the end,
            self.block(finalbody, around)  # and once for an exception
        else:
            for name in ("body", "orelse", "handlers", "cases"):
                self.block(node.__dict__.get(name) or (), around)

    def _leave(self, around: tuple[Sequence[ast.stmt], ...], count: int) -> None:
        for place in range(len(around) - 1, len(around) - 1 - count, -1):
            self.block(around[place], around[:place])

    def _size(self, node: ast.stmt) -> int:
        """Nodes of the statement itself, without the blocks under it."""
        if id(node) not in self._sizes:
            blocks = ("body", "orelse", "finalbody", "handlers", "cases")
            parts = [value for name, value in ast.iter_fields(node) if name not in blocks]
            flat = [x for part in parts for x in (part if isinstance(part, list) else [part])]
            self._sizes[id(node)] = 1 + sum(len(walk(part)) for part in flat if isinstance(part, ast.AST))
        return self._sizes[id(node)]
