"""From an edit or a statement to the characters that are credited: the smallest differing subtree."""

from __future__ import annotations

import ast
import re

from egca_plugin.localize.edits import Edit, narrow
from egca_plugin.localize.units import BLOCKS
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Span

_FIRST_TOKEN = re.compile(r"\w+|\S")
_LONGEST = 160


def edit_span(edit: Edit, source_map: SourceMap) -> Span:
    """What the edit changes. For an insertion the decision point: the first token of the statement that stands there
    now, or the newline that ends the block."""
    if edit.old is None:
        if edit.block is not None and edit.index < len(edit.block):
            return first_token(edit.statement, source_map)
        end = source_map.span(edit.statement).end
        return Span(end, min(end + 1, len(source_map.source))) if end < len(source_map.source) else Span(end - 1, end)
    old, _ = narrow(edit.old, edit.new)
    if isinstance(old, ast.stmt):
        return statement_span(old, source_map)
    if isinstance(old, (ast.expr, ast.arg, ast.keyword)):
        return source_map.span(old)
    return source_map.span(edit.old)


def statement_span(node: ast.stmt, source_map: SourceMap) -> Span:
    """The statement; of a compound one the header only, up to its colon."""
    whole = source_map.span(node)
    inner = [body[0] for body in (node.__dict__.get(name) for name in BLOCKS) if body]
    if not inner:
        return whole
    start = min(source_map.span(child).start for child in inner)
    header = source_map.source[whole.start : start]
    return Span(whole.start, whole.start + max(1, header.rfind(":") + 1))


def first_token(node: ast.stmt, source_map: SourceMap) -> Span:
    span = source_map.span(node)
    match = _FIRST_TOKEN.search(source_map.source, span.start, span.end)
    return Span(match.start(), match.end()) if match else span


def patch_text(edit: Edit) -> str:
    """The change as ``old -> new``, for people."""
    if edit.old is None:
        return (
            f"insert {_short(edit.new)} before line {edit.statement.lineno}"
            if _inside(edit)
            else (f"insert {_short(edit.new)} after line {edit.statement.end_lineno}")
        )
    old, new = narrow(edit.old, edit.new)
    return f"{_short(old)} -> {_short(new)}"


def _inside(edit: Edit) -> bool:
    return edit.block is not None and edit.index < len(edit.block)


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
