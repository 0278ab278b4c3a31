"""From an edit or a statement to the characters that are credited: the smallest differing subtree."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from egca_plugin.localize.compare.units import BLOCKS
from egca_plugin.localize.repair.edits import Edit, key, narrow
from egca_plugin.program.nodes import unparse
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Span

_FIRST_TOKEN = re.compile(r"\w+|\S")
_OPERATOR = re.compile(r"[a-z_A-Z]\w*(?:\s+(?:in|not)\b)?|[-+*/%<>=!&|^@~]+")  # behind it: a parenthesis, a dot
_LONGEST = 160
_JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def blamed_spans(edits: Sequence[Edit], source_map: SourceMap) -> tuple[Span, ...]:
    """What a working patch blames. Where it moves a jump up, the fault is what the jump now keeps from running."""
    passed = passed_over(edits)
    if passed:
        return tuple(statement_span(node, source_map) for node in passed)
    return tuple(edit_span(edit, source_map) for edit in edits)


def passed_over(edits: Sequence[Edit]) -> list[ast.stmt]:
    """The statements of a block that a ``return`` or another jump passes where a patch moves it up."""
    if len(edits) != 2 or edits[0].old is not edits[1].new or not isinstance(edits[1].new, _JUMPS):
        return []
    body = edits[1].block or []
    places = [place for place, node in enumerate(body) if node is edits[0].old]
    return body[edits[1].index : places[0]] if places else []


def edit_span(edit: Edit, source_map: SourceMap) -> Span:
    """What the edit changes. For an insertion the decision point: the first token of the statement that stands there
    now, or the newline that ends the block."""
    if edit.old is None:
        if edit.block is not None and edit.index < len(edit.block):
            return first_token(edit.statement, source_map)
        end = source_map.span(edit.statement).end
        return Span(end, min(end + 1, len(source_map.source))) if end < len(source_map.source) else Span(end - 1, end)
    old, new = narrow(edit.old, edit.new)
    sign = _operator_span(old, new, source_map)
    if sign is not None:
        return sign
    if isinstance(old, ast.stmt):
        return statement_span(old, source_map)
    if isinstance(old, (ast.expr, ast.arg, ast.keyword)):
        return source_map.span(old)
    return source_map.span(edit.old)


def _operator_span(old: ast.AST, new: ast.AST, source_map: SourceMap) -> Span | None:
    """Where two nodes differ in nothing but an operator or the name of an attribute, that word."""
    between = _beside_operator(old, new)
    if between is None:
        return None
    start = source_map.span(between[0]).end
    end = source_map.span(between[1]).start if between[1] is not None else source_map.span(old).end  # type: ignore[arg-type]
    match = None if "#" in source_map.source[start:end] else _OPERATOR.search(source_map.source, start, end)
    return Span(match.start(), match.end()) if match else None


def _beside_operator(old: ast.AST, new: ast.AST) -> tuple[ast.expr, ast.expr | None] | None:
    """The operands on both sides of the one operator that differs; None on the right of an attribute's name."""
    if isinstance(old, ast.BinOp) and isinstance(new, ast.BinOp):
        same, sides = key([old.left, old.right]) == key([new.left, new.right]), (old.left, old.right)
    elif isinstance(old, ast.AugAssign) and isinstance(new, ast.AugAssign):
        same, sides = key([old.target, old.value]) == key([new.target, new.value]), (old.target, old.value)
    elif isinstance(old, ast.Attribute) and isinstance(new, ast.Attribute):
        return (old.value, None) if key(old.value) == key(new.value) else None
    elif isinstance(old, ast.BoolOp) and isinstance(new, ast.BoolOp) and len(old.values) == 2:
        same, sides = key(old.values) == key(new.values), (old.values[0], old.values[1])
    elif isinstance(old, ast.Compare) and isinstance(new, ast.Compare) and len(old.ops) == len(new.ops) == 1:
        same = key([old.left, old.comparators]) == key([new.left, new.comparators])
        sides = (old.left, old.comparators[0])
    else:
        return None
    return sides if same else None


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
    text = unparse(node)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
