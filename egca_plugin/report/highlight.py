"""Python in colour: which kind of word each stretch of a text is, by Pygments, which rich brings along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

from egca_plugin.types import Span

LARGEST = 50_000  # characters of a region that are looked at
# The first that holds the token decides.
KINDS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "comment"),
    (String, "string"),
    (Number, "number"),
    (Keyword, "keyword"),
    (Operator.Word, "keyword"),
    (Name.Builtin.Pseudo, "name"),
    (Name.Builtin, "builtin"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Decorator, "name"),
)


def words(text: str, code: Sequence[Span]) -> Iterator[tuple[Span, str]]:
    """Stretches of ``text`` with their kind (a value of :data:`KINDS`), in order; only those inside ``code``.

    Prose stays as it is: in it every ``is`` and ``for`` would be a keyword.
    """
    lexer = PythonLexer()
    for region in sorted(code):
        piece = text[region.start : min(region.end, region.start + LARGEST)]
        for offset, kind, word in lexer.get_tokens_unprocessed(piece):
            name = _name(kind)
            if name:
                yield Span(region.start + offset, region.start + offset + len(word)), name


@cache
def _name(kind: _TokenType) -> str:
    return next((name for token, name in KINDS if kind in token), "")
