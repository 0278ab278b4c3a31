"""From the positions that ``ast`` and the compiler give to characters of the source.

``ast`` counts lines at ``\\n``, ``\\r\\n`` and ``\\r`` only, and columns in UTF-8 *bytes* of the line.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right

from egca_plugin.types import Span

_NEWLINE = re.compile(r"\r\n|\r|\n")


class SourceMap:
    """Positions of one source text; build it once a program."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(source))]
        self._ascii = source.isascii()

    @property
    def line_count(self) -> int:
        return len(self._starts)

    def offset(self, line: int, byte_column: int) -> int:
        """Character offset of ``ast``'s (1-based line, byte column)."""
        start = self._starts[line - 1]
        if self._ascii:
            return start + byte_column
        text = self.source[start : self._starts[line] if line < len(self._starts) else len(self.source)]
        return start + len(text.encode("utf-8", "surrogatepass")[:byte_column].decode("utf-8", "replace"))

    def span(self, node: ast.stmt | ast.expr | ast.arg | ast.keyword | ast.pattern | ast.excepthandler) -> Span:
        """The node's characters."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise ValueError(f"{type(node).__name__} at line {node.lineno} has no end; it was not parsed from a source")
        return Span(self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset))

    def line_of(self, offset: int) -> int:
        """The 1-based line that holds the character."""
        return bisect_right(self._starts, offset)

    def line_span(self, line: int) -> Span:
        """The line without its indentation, comment-free end and newline: what was written there."""
        start = self._starts[line - 1]
        text = self.source[start : self._starts[line] if line < len(self._starts) else len(self.source)]
        left = len(text) - len(text.lstrip())
        return Span(start + left, start + max(left, len(text.rstrip())))
