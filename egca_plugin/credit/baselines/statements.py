"""What the baselines share: the characters of a program's statements, its tokens, and lots."""

from __future__ import annotations

import ast
import io
import random
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from egca_plugin.localize.api import Case, Reason
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Localization, Span

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One Python token that is neither layout nor a comment."""

    text: str
    span: Span


def statements(source: str) -> dict[int, Span]:
    """First line of each statement -> its characters; of a compound statement only the header.

    Statements that share a line share the span. Empty for a program that does not parse.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    positions = SourceMap(source)
    found: dict[int, Span] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not _is_docstring(node):
            span = header(node, positions)
            known = found.get(node.lineno, span)
            found[node.lineno] = Span(min(known.start, span.start), max(known.end, span.end))
    return dict(sorted(found.items()))


def header(node: ast.stmt, positions: SourceMap) -> Span:
    """``node``'s characters, up to the colon where a block follows."""
    span = positions.span(node)
    match node:
        case (
            ast.FunctionDef(body=[first, *_])
            | ast.AsyncFunctionDef(body=[first, *_])
            | ast.ClassDef(body=[first, *_])
            | ast.If(body=[first, *_])
            | ast.For(body=[first, *_])
            | ast.AsyncFor(body=[first, *_])
            | ast.While(body=[first, *_])
            | ast.With(body=[first, *_])
            | ast.AsyncWith(body=[first, *_])
            | ast.Try(body=[first, *_])
        ):
            end = positions.offset(first.lineno, first.col_offset)
            return Span(span.start, span.start + len(positions.source[span.start : end].rstrip()))
        case ast.Match(subject=subject):
            return Span(span.start, positions.span(subject).end)
    return span


def lexemes(source: str) -> tuple[Lexeme, ...]:
    """The program's tokens without layout and comments; as many as there are before the first lexical error."""
    positions = SourceMap(source)
    found: list[Lexeme] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in _LAYOUT:
                # ``tokenize`` counts columns in characters, so the line's start is all that the map has to give.
                start = positions.offset(token.start[0], 0) + token.start[1]
                end = positions.offset(token.end[0], 0) + token.end[1]
                found.append(Lexeme(token.string, Span(start, end)))
    except (tokenize.TokenError, SyntaxError):
        pass  # the rest has no tokens
    return tuple(found)


def by_lot(spans: Iterable[Span], case: Case) -> tuple[Span, ...]:
    """``spans`` in a random order that depends on the case alone."""
    drawn = sorted(spans)
    random.Random(f"{case.seed}\0{case.source}").shuffle(drawn)
    return tuple(drawn)


def abstain(name: str, reason: Reason) -> Localization:
    return Localization(stage=name, reason=reason.value)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
