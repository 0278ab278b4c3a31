"""The decision that was sampled: where a program parts from the text that its verified patch makes of it.

A patch says what to replace, and that may be more than what was sampled wrongly: ``t = x`` mended to ``t = t + x``
replaces ``x``, though what should have come there is ``t``. The decision is the first character at which the two texts
part, formatting aside. For something missing it is what was written where the missing text should have begun.
"""

from __future__ import annotations

import ast
import io
import token
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Span

_LAYOUT = frozenset("()[]{},;:")  # what `ast.unparse` may add or leave out without a change of meaning
_DROPPED = frozenset({token.COMMENT, token.NL, token.ENCODING, token.ENDMARKER, token.TYPE_COMMENT})
_LINES = frozenset({token.NEWLINE, token.INDENT, token.DEDENT})


@dataclass(frozen=True, slots=True)
class _Token:
    """``key`` is equal for two spellings of one value; line ends and indentation have their names as keys."""

    key: object
    text: str
    start: int
    end: int


def decision(source: str, patched: str) -> Span | None:
    """The first character of ``source`` that ``patched``, a program in ``ast.unparse``'s layout, has otherwise.

    One character of the program, or the one behind its end, ``Span(len(source), len(source) + 1)``, where the patch
    adds something there. None where the two do not differ, one of them cannot be read, or the place cannot be told.
    """
    try:
        plain = ast.unparse(ast.parse(source))
        own, mine, theirs = _tokens(source), _tokens(plain), _tokens(patched)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    parts = sum(1 for _ in takewhile(lambda pair: pair[0].key == pair[1].key, zip(mine, theirs, strict=False)))
    if parts == len(mine) == len(theirs) or _content(own) != _content(mine):
        return None
    place = _place(source, own, mine, theirs, parts)
    return Span(place, place + 1)


def _tokens(source: str) -> list[_Token]:
    where = SourceMap(source)
    lines = source.splitlines(keepends=True)

    def offset(position: tuple[int, int]) -> int:
        line, column = position
        return min(where.offset(line, 0) + column, len(source)) if line <= where.line_count else len(source)

    found = []
    for one in tokenize.generate_tokens(iter(lines).__next__ if lines else io.StringIO("").readline):
        if one.type in _DROPPED:
            continue
        start, end = offset(one.start), offset(one.end)
        if one.type in _LINES:
            found.append(_Token(token.tok_name[one.type], "", start, end))
        elif one.string == "elif":  # two tokens, since `else: if` is the same program
            found += [_Token("else", "el", start, start + 2), _Token("if", "if", start + 2, end)]
        else:
            found.append(_Token(_key(one), one.string, start, end))
    return found


def _key(one: tokenize.TokenInfo) -> object:
    """The value of a literal, so that its spelling does not count; the text of anything else."""
    if one.type not in (token.NUMBER, token.STRING):
        return one.string
    try:
        value = ast.literal_eval(one.string)
    except (ValueError, SyntaxError):  # an f-string, of which two spellings cannot be compared cheaply
        return one.string
    return type(value).__name__, repr(value)


def _is_content(one: _Token) -> bool:
    return bool(one.text) and one.text not in _LAYOUT


def _content(tokens: Sequence[_Token]) -> list[object]:
    return [one.key for one in tokens if _is_content(one)]


def _place(source: str, own: Sequence[_Token], mine: Sequence[_Token], theirs: Sequence[_Token], parts: int) -> int:
    """Where ``own`` stands when ``mine``, the same program in another layout, is before its token ``parts``."""
    said = sum(map(_is_content, mine[:parts]))
    at = next(islice((k for k, one in enumerate(own) if _is_content(one)), said - 1, None)) + 1 if said else 0
    for one in mine[parts - _trailing(mine[:parts]) : parts]:  # the brackets behind the last word
        at += at < len(own) and own[at].key == one.key
    here = mine[parts] if parts < len(mine) else None
    if here is None or here.key == "NEWLINE":  # the statement ended where more should have come
        return own[at - 1].end if at else 0
    if not here.text:  # another depth
        return next((one.start for one in own[at:] if one.text), len(source))
    if _is_content(here):
        at = next((k for k in range(at, len(own)) if _is_content(own[k])), len(own))
    if at == len(own):
        return len(source)
    return own[at].start + _common(own[at].text, theirs[parts].text if parts < len(theirs) else "")


def _trailing(tokens: Sequence[_Token]) -> int:
    return sum(1 for _ in takewhile(lambda one: not _is_content(one), reversed(tokens)))


def _common(text: str, there: str) -> int:
    """How many characters both begin with; the kind of quote does not count."""
    quoted = text[:1] in ("'", '"') and there[:1] in ("'", '"')
    pairs = zip(text[quoted:], there[quoted:], strict=False)
    return int(quoted) + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
