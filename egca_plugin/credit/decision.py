"""The decision that was sampled: where a program parts from the text that its verified patch makes of it.

A patch says what to replace, and that may be more than what was sampled wrongly: ``t = x`` mended to ``t = t + x``
replaces ``x``, though what should have come there is ``t``. The decision is the first character at which the two texts
part, formatting aside. For something missing it is what was written where the missing text should have begun.

What is sampled are tokens, and ``<`` is another token than ``<=``: how the repaired text goes on is told too, so that
whoever has a tokenizer can say at which token the two part (:mod:`egca_plugin.credit.parting`).
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

MAX_TEXT = 200  # characters of the repair that are told; tokens are decided by far fewer
_LAYOUT = frozenset("()[]{},;:")  # what `ast.unparse` may add or leave out without a change of meaning
_DROPPED = frozenset({token.COMMENT, token.NL, token.ENCODING, token.ENDMARKER, token.TYPE_COMMENT})
_LINES = frozenset({token.NEWLINE, token.INDENT, token.DEDENT})
_DEPTH = ("INDENT", "DEDENT")


@dataclass(frozen=True, slots=True)
class Decision:
    """``at``: the first character that the repair has otherwise, or the one behind the program's end. ``start``, at
    most ``at``: the end of what both have in common. ``text``: how the repair goes on there in the program's own
    layout, to the end of its line; empty where that cannot be told."""

    at: int
    start: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    """``key`` is equal for two spellings of one value; line ends and indentation have their names as keys."""

    key: object
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Parted:
    """``mine`` is ``own`` in the layout of ``theirs``, ``plain`` the source so; they have ``parts`` tokens in common,
    ``own`` those up to ``here``."""

    source: str
    plain: str
    patched: str
    own: Sequence[_Token]
    mine: Sequence[_Token]
    theirs: Sequence[_Token]
    parts: int
    here: int

    def patched_line(self, start: int) -> str:
        """The repair from there to the end of its line."""
        return self.patched[start:].partition("\n")[0][:MAX_TEXT]

    def gap(self) -> str:
        """What stands in front of the repair's next token: as `ast.unparse` has it, unless the source is denser."""
        if not self.parts:
            return ""
        mine = self.plain[self.mine[self.parts - 1].end : self.mine[self.parts].start]
        theirs = self.patched[self.theirs[self.parts - 1].end : self.theirs[self.parts].start]
        return self.source[self.own[self.here - 1].end : self.own[self.here].start] if mine == theirs else theirs


def decision(source: str, patched: str) -> Decision | None:
    """Where ``source`` parts from ``patched``, a program in ``ast.unparse``'s layout.

    None where the two do not differ, one of them cannot be read, or the place cannot be told.
    """
    try:
        plain = ast.unparse(ast.parse(source))
        patched = _without_idle(patched, plain)
        own, mine, theirs = _tokens(source), _tokens(plain), _tokens(patched)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    parts = sum(1 for _ in takewhile(lambda pair: pair[0].key == pair[1].key, zip(mine, theirs, strict=False)))
    if parts == len(mine) == len(theirs) or _content(own) != _content(mine):
        return None
    found = _Parted(source, plain, patched, own, mine, theirs, parts, _place(own, mine, parts))
    begun = parts > 0 and not mine[parts - 1].text  # a line
    return _at_line(found) if begun or (parts < len(mine) and mine[parts].key in _DEPTH) else _within(found)


def _without_idle(patched: str, plain: str) -> str:
    """``patched`` without the ``pass`` that stands for a statement which it moves away, and hides another depth."""
    if "pass" not in patched or _busy(plain) != plain:
        return patched
    return _busy(patched)


def _busy(source: str) -> str:
    """Without the ``pass`` beside other statements."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and any(not isinstance(one, ast.Pass) for one in block):
                block[:] = [one for one in block if not isinstance(one, ast.Pass)]
    return ast.unparse(tree)


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


def _place(own: Sequence[_Token], mine: Sequence[_Token], parts: int) -> int:
    """The token of ``own`` where ``mine``, the same program in another layout, is before its token ``parts``."""
    said = sum(map(_is_content, mine[:parts]))
    at = next(islice((k for k, one in enumerate(own) if _is_content(one)), said - 1, None)) + 1 if said else 0
    for one in mine[parts - _trailing(mine[:parts]) : parts]:  # the brackets behind the last word
        at += at < len(own) and own[at].key == one.key
    if parts < len(mine) and _is_content(mine[parts]):
        at = next((k for k in range(at, len(own)) if _is_content(own[k])), len(own))
    return at


def _within(at: _Parted) -> Decision:
    """The two part behind the beginning of a line."""
    own, theirs, here = at.own, at.theirs, at.here
    start = own[here - 1].end if here else 0
    there = theirs[at.parts] if at.parts < len(theirs) else None
    ended = at.parts == len(at.mine) or at.mine[at.parts].key == "NEWLINE"  # where more should have come
    if ended:
        more = there is not None and at.parts > 0
        return Decision(start, start, at.patched_line(theirs[at.parts - 1].end) if more else "")
    if here == len(own):
        return Decision(len(at.source), start)
    if there is None or not there.text:  # more was written than should have been
        return Decision(own[here].start, start, at.patched[there.start :][:MAX_TEXT] if there else "")
    place = own[here].start + _apart(own[here].text, there.text)
    return Decision(place, start, at.gap() + _quoted_as(own[here], there, at.patched))


def _at_line(at: _Parted) -> Decision:
    """The two part where a line begins: another statement, another depth, or one that is missing or too much."""
    source, own, theirs = at.source, at.own, at.theirs
    here = next((k for k in range(at.here, len(own)) if own[k].text), len(own))
    there = next((k for k in range(at.parts, len(theirs)) if theirs[k].text), len(theirs))
    start = next((one.end for one in reversed(own[:here]) if one.text), 0)
    depth = sum((one.key == "INDENT") - (one.key == "DEDENT") for one in theirs[:there])
    indentation = _indentation(source, own[:here], depth)
    line = indentation + at.patched_line(theirs[there].start) if there < len(theirs) else ""
    if here == len(own):
        return Decision(own[at.here - 1].end if at.here else 0, start, "\n" * bool(line) + line)
    begins = source.rfind("\n", 0, own[here].start) + 1
    written = source[begins : own[here].start]
    if not line:  # more was written than should have been
        return Decision(own[here].start if written.strip() else begins, start)
    same = _apart(own[here].text, theirs[there].text)
    if written.strip():  # behind a colon or a semicolon
        told = source[start : own[here].start] + line.removeprefix(indentation) if there == at.parts else ""
        return Decision(own[here].start + same, start, told)
    if written == indentation:
        return Decision(own[here].start + same, begins, line)
    ends = source.find("\n", start)
    if len(written) < len(indentation) and ends < begins - 1:  # blank lines and all, another block has begun
        return Decision(ends + 1, ends, "\n" + line)
    differs = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(written, indentation, strict=False)))
    return Decision(begins + min(differs, max(len(written) - 1, 0)), begins, line)


def _quoted_as(own: _Token, theirs: _Token, patched: str) -> str:
    """The repair from its token ``theirs`` on to the end of the line, a string in the quotes that ``own`` has."""
    line = patched[theirs.start :].partition("\n")[0][:MAX_TEXT]
    quotes = own.text[:1], theirs.text[:1]
    if set(quotes) != {"'", '"'} or quotes[0] in theirs.text:
        return line
    return line.replace(quotes[1], quotes[0], 2)


def _indentation(source: str, before: Sequence[_Token], depth: int) -> str:
    """What stands in front of a line at ``depth`` behind the tokens ``before``, as the program is indented."""
    while before and before[-1].key == "DEDENT":  # what stands deeper may go on
        before = before[:-1]
    levels: list[str] = []
    for one in before:
        if one.key == "INDENT":
            levels.append(source[one.start : one.end])
        elif one.key == "DEDENT":
            levels.pop()
    if depth <= len(levels):
        return levels[depth - 1] if depth else ""
    unit = levels[0] if levels else "    "
    return (levels[-1] if levels else "") + unit * (depth - len(levels))


def _trailing(tokens: Sequence[_Token]) -> int:
    return sum(1 for _ in takewhile(lambda one: not _is_content(one), reversed(tokens)))


def _apart(text: str, there: str) -> int:
    """At which character of ``text`` the two part, the kind of quote aside.

    Of a word or an operator that goes on in the other it is the last one, since that was chosen as it is; digits are
    sampled one by one as often as not.
    """
    quoted = text[:1] in ("'", '"') and there[:1] in ("'", '"')
    pairs = zip(text[quoted:], there[quoted:], strict=False)
    same = int(quoted) + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return same - 1 if 0 < same == len(text) < len(there) and not text[0].isdigit() else same
