"""Marks on syntax nodes that say where the fault is, carried through every rewrite and read off the final text.

``fault``: this expression or statement is wrong. ``gap_before``: the missing statement belongs before this one.
``gap_after``: it belongs after this one, the last of its block.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TypeVar

from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Span

FAULT, GAP_BEFORE, GAP_AFTER = "fault", "gap_before", "gap_after"
Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A tree as text, with the lines and characters of its marks (the label of a :class:`corpus.Subject`).

    ``fixed`` is the right version of the same form, empty where it is not known.
    """

    source: str
    lines: tuple[int, ...]
    spans: tuple[Span, ...]
    fixed: str = ""


def mark(node: Node, name: str) -> Node:
    """Put ``name`` on ``node`` in place, and return it."""
    node.__dict__.setdefault("marks", set()).add(name)
    return node


def marks_of(node: ast.AST) -> frozenset[str]:
    return frozenset(node.__dict__.get("marks", ()))


def move_marks(old: ast.AST, new: list[ast.stmt]) -> list[ast.stmt]:
    """``new`` takes the place of the statement ``old`` and inherits its marks."""
    for name in marks_of(old):
        if name == GAP_BEFORE:
            mark(new[0], name)
        elif name == GAP_AFTER:
            mark(new[-1], name)
        else:
            for statement in new:
                mark(statement, name)
    return new


def clone(node: Node) -> Node:
    """A deep copy, marks included."""
    return copy.deepcopy(node)


def render(tree: ast.Module) -> Rendered | None:
    """``tree`` as text with its label, or None where the text does not parse back to the same tree."""
    source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    try:
        parsed = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    if ast.dump(parsed) != ast.dump(tree):
        return None
    text = SourceMap(source)
    lines: set[int] = set()
    spans: set[Span] = set()
    for marked, placed in zip(ast.walk(tree), ast.walk(parsed), strict=True):
        for name in marks_of(marked):
            new_lines, span = _label(placed, name, text)
            lines |= new_lines
            spans.add(span)
    return Rendered(source, tuple(sorted(lines)), tuple(sorted(spans)))


def next_code_line(source: str, line: int) -> int | None:
    """The next line of code below the 1-based ``line`` inside the same top-level statement."""
    for number, text in enumerate(source.splitlines()[line:], line + 1):
        if text.strip():
            return number if text[0].isspace() else None
    return None


def _label(node: ast.AST, name: str, text: SourceMap) -> tuple[set[int], Span]:
    assert isinstance(node, ast.expr | ast.stmt), f"a mark on {type(node).__name__}, which has no position"
    if name == GAP_BEFORE:
        point = text.offset(node.lineno, node.col_offset)
        return {node.lineno}, Span(point, point)
    end_line = node.end_lineno or node.lineno
    if name == GAP_AFTER:
        point = text.offset(end_line, node.end_col_offset or 0)
        return {end_line, next_code_line(text.source, end_line) or end_line}, Span(point, point)
    body = node.__dict__.get("body")
    start = text.offset(node.lineno, node.col_offset)
    if isinstance(body, list) and body:  # a compound statement: its header
        end_line = max(node.lineno, body[0].lineno - 1)
        return set(range(node.lineno, end_line + 1)), Span(start, text.line_span(end_line).end)
    return set(range(node.lineno, end_line + 1)), Span(start, text.offset(end_line, node.end_col_offset or 0))
