"""A program in the making: text of the completion, with its place there, and text that nobody sampled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from egca_plugin.program.compiling import MAX_CHARS, compile_error, parse
from egca_plugin.program.reading import quotes
from egca_plugin.program.reading.fences import Block
from egca_plugin.types import Program, Segment, SourceError

MAX_DRAFTS = 48  # drafts of one completion that are compiled to choose between readings
MAX_TRIED = 200_000  # and characters of them, all together

_LINE = re.compile(r"(?=[^\r\n]|\r|\n)([^\r\n]*)(?:\r\n|\r|\n|)")
_FILLED = re.compile(r"((?:(?<![ \t])[ \t]*|)\S[^\r\n]*)(?:\r\n|\r|\n|)")
_AT_MARGIN = re.compile(r"(?<![^\r\n])[^\s]")
_PROMPT = re.compile(r"[ \t]*(>>>|\.\.\.)(?:[ ]|\Z)")
_QUOTED = re.compile(r"[ \t]{0,3}>[ \t]?")
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[ \t]*(?:\([^()]*\)|[^\n]*)(?:\n|\Z)", re.MULTILINE)
_OPEN_BRACKET_OR_STRING = ("was never closed", "unterminated triple-quoted")
_NEVER_OPEN = ("unmatched", "does not match")

Part = tuple[int, int] | str


class Compiler:
    """Compiles drafts, each once, and no more of them than the bounds allow."""

    def __init__(self) -> None:
        self._errors: dict[str, SourceError | None] = {}
        self._chars = MAX_TRIED
        self._trees = MAX_DRAFTS

    def accepts(self, draft: Draft) -> bool:
        """Whether the draft compiles. False as well where the bounds are spent: then the first reading stands."""
        source = draft.source
        if source not in self._errors:
            if len(source) > self._chars or len(self._errors) >= MAX_DRAFTS:
                return False
            self._chars -= len(source)
            self._errors[source] = compile_error(source)
        return self._errors[source] is None

    def affords(self, draft: Draft) -> bool:
        """Whether the bounds allow a draft of this length and another one."""
        return len(draft.source) <= self._chars and len(self._errors) < MAX_DRAFTS

    def error(self, source: str) -> SourceError | None:
        """Why the text does not compile, or None. Costs one compilation even where the bounds are spent."""
        return self._errors[source] if source in self._errors else compile_error(source)

    def tree(self, draft: Draft) -> ast.Module | None:
        """The syntax tree of a draft that compiles within the bounds."""
        if self._trees == 0 or not self.accepts(draft):
            return None
        self._trees -= 1
        return parse(draft.source)

    def is_cut_off(self, draft: Draft) -> bool:
        """Whether the draft does not compile only because it ends too early, as far as CPython tells."""
        source = draft.source.rstrip()
        if self.accepts(draft) or len(source) > MAX_CHARS or draft.source not in self._errors:
            return False
        try:
            parse(source)
        except SyntaxError as error:
            lines = source.split("\n")
            if any(words in error.msg for words in _NEVER_OPEN):
                return False
            if any(words in error.msg for words in _OPEN_BRACKET_OR_STRING):
                return True
            place = max((error.lineno or 0, error.offset or 0), (error.end_lineno or 0, error.end_offset or 0))
            on_last = max(error.lineno or 0, error.end_lineno or 0) >= len(lines)
            return on_last and ("unterminated" in error.msg or place[1] >= len(lines[-1]) or error.end_offset == -1)
        except (ValueError, RecursionError, MemoryError):
            return False
        return False


@dataclass(frozen=True, slots=True)
class Draft:
    """Parts in order: characters ``(start, end)`` of the completion, or text that nobody sampled."""

    completion: str
    parts: tuple[Part, ...]
    source: str = field(init=False)

    def __post_init__(self) -> None:
        text = "".join(part if isinstance(part, str) else self.completion[part[0] : part[1]] for part in self.parts)
        object.__setattr__(self, "source", text)

    def behind(self, given: str) -> Draft:
        """With ``given`` in front; the draft's own imports from ``__future__``, which must come first, stay so."""
        futures = list(_FUTURE.finditer(self.source)) if given and "__future__" in self.source else []
        if not futures:
            return Draft(self.completion, (given, *self.parts)) if given else self
        first, second = self._split(futures[-1].end())
        return Draft(self.completion, (*first, "" if futures[-1].group().endswith("\n") else "\n", given, *second))

    def followed_by(self, other: Draft) -> Draft:
        """Both, one behind the other, on lines of their own."""
        return Draft(self.completion, (*self.parts, "" if self.source.endswith("\n") else "\n", *other.parts))

    def with_end(self, given: str) -> Draft:
        return Draft(self.completion, (*self.parts, given)) if given else self

    def _split(self, offset: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
        first: list[Part] = []
        for index, part in enumerate(self.parts):
            length = len(part) if isinstance(part, str) else part[1] - part[0]
            if length > offset:
                rest = self.parts[index + 1 :]
                if isinstance(part, str):
                    return (*first, part[:offset]), (part[offset:], *rest)
                middle = part[0] + offset
                return (*first, (part[0], middle)), ((middle, part[1]), *rest)
            first.append(part)
            offset -= length
        return tuple(first), ()

    def program(self, compiler: Compiler) -> Program:
        segments: list[Segment] = []
        at = 0
        for part in self.parts:
            length = len(part) if isinstance(part, str) else part[1] - part[0]
            if not isinstance(part, str) and length:
                last = segments[-1] if segments else None
                if last and (last.program_start + last.length, last.completion_start + last.length) == (at, part[0]):
                    segments[-1] = replace(last, length=last.length + length)
                else:
                    segments.append(Segment(at, part[0], length))
            at += length
        return Program(self.source, tuple(segments), compiler.error(self.source))


class Line(NamedTuple):
    """Characters ``[start, end)`` of a line without its margin; with margin and terminator, ``[begin, stop)``."""

    start: int
    end: int
    stop: int
    begin: int


@dataclass(frozen=True, slots=True)
class Shift:
    """How the lines of a block are moved: ``take`` leading blanks off each, ``put`` in front of each line with text.

    ``first``, unless None, is the whole indentation of the first line with text. Lines that begin inside a
    triple-quoted string keep what they have.
    """

    take: int = 0
    put: str = ""
    first: str | None = None


UNMOVED = Shift()


def lines(completion: str, block: Block, filled: bool = False) -> Iterator[Line]:
    """The block's lines, or those with text, without the margin of its fence.

    CPython ends lines at LF, CRLF and CR, so this does.
    """
    pattern = _FILLED if filled else _LINE
    for match in pattern.finditer(completion, block.start, block.end):
        start, end = match.span(1)
        if block.quoted and (mark := _QUOTED.match(completion, start, end)):
            start = mark.end()
        if block.width:
            start += min(_blanks(completion[start:end]), block.width)
        yield Line(start, end, match.end(), match.start())


def margin(completion: str, block: Block) -> int:
    """The leading blanks that all lines with text share, beyond the fence's own."""
    if not (block.width or block.quoted) and _AT_MARGIN.search(completion, block.start, block.end):
        return 0
    return min((_blanks(completion[line.start : line.end]) for line in lines(completion, block, True)), default=0)


def draft(completion: str, block: Block, shift: Shift = UNMOVED) -> Draft:
    """The block as a program: its lines, moved, each ended by LF."""
    if not block.width and not block.quoted and shift == UNMOVED and completion.find("\r", block.start, block.end) < 0:
        return Draft(completion, ((block.start, block.end),))
    parts: list[Part] = []
    quote, seen = "", False
    for line in lines(completion, block):
        text = completion[line.start : line.end]
        if text.strip() and not quote:
            blanks = _blanks(text)
            if shift.first is not None and not seen:
                kept = shift.first if text.startswith(shift.first) else ""
                parts += [shift.first[len(kept) :], (line.start + blanks - len(kept), line.end)]
            else:
                parts += [shift.put, (line.start + min(blanks, shift.take), line.end)]
            seen = True
        else:
            parts.append((line.start, line.end))
        quote = quotes.after(text, quote)
        parts += _terminator(completion, line)
    return Draft(completion, tuple(part for part in parts if part))


def session(completion: str, block: Block) -> Draft | None:
    """What was typed in an interpreter session, without prompts and output; None where the block is no session."""
    parts: list[Part] = []
    seen = typed = False
    for line in lines(completion, block):
        text = completion[line.start : line.end]
        prompt = _PROMPT.match(text)
        typed = prompt is not None and (prompt[1] == ">>>" or typed)
        if prompt is None and text.strip() and not seen:
            return None
        if prompt is not None and typed:
            parts += [(line.start + prompt.end(), line.end), *_terminator(completion, line)]
            seen = True
    return Draft(completion, tuple(part for part in parts if part)) if seen else None


def _terminator(completion: str, line: Line) -> tuple[Part, ...]:
    """LF, sampled where there is one."""
    text = completion[line.end : line.stop]
    if not text:
        return ()
    return ((line.stop - 1, line.stop),) if text.endswith("\n") else ("\n",)


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))
