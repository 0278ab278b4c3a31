"""Blocks of a completion: what stands in Markdown fences, and the bare text between them. One linear pass over lines.

Everything here speaks in character offsets of the completion; nothing is copied or changed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from egca_plugin.program.reading import quotes
from egca_plugin.program.reading.prose import is_prose
from egca_plugin.program.reading.transcript import Stretch

_PYTHON = re.compile(
    r"(?:(?:lang(?:uage)?[-=])?(?:[ic]?python[-_ ]?[\d.]*|pypy\d*|py[\d.]*|python_code)"
    r"|py(?:thon)?-repl|pycon|code|tool_code|solution|answer|.*\.py)?",
    re.I,
)
_TRANSPARENT = frozenset({"markdown", "md", "mdx", "tex", "latex"})

_MARKS = re.compile("```|~~~|'''|\"\"\"")
_LONGEST_FENCE = 12  # characters of a fence that only one as long closes
_MAX_MARKS = 4_000  # the last so many in a stretch are read; what is in front of them is bare text
_NEAR = 400  # characters in front of a fence that are looked at
_LINE = re.compile(r"[^\r\n]+")
_TERMINATOR = re.compile(r"\r\n|\r|\n|")
_BLANKS = " \t\u200b\ufeff\xa0"
_OPENING = re.compile(
    r"(?P<lead>[ \t>]*(?:(?:[-*+•]|\d{1,9}[.)])[ \t]+)?)"
    r"(?P<fence>`{3,}|~{3,}|'''(?=py)|\"\"\"(?=py))(?P<info>[^`]*)"
)
_LANGUAGE = re.compile(r"[ \t]*\{?[ \t]*\.?[\w+#./-]+[ \t]*\}?[ \t]*")
_INLINE = re.compile(
    r"[ \t]*(?P<fence>`{3,})(?:python3?|py)[ \t]+"
    r"(?P<code>(?:(?:async[ \t]+)?def|class|import|from)[ \t].*?|@\w.*?)(?P<close>`{3,})?[ \t]*",
    re.I,
)
_AT_THE_END = re.compile(r"[^`]*?(?P<fence>`{3,})(?P<info>python3?|py)[ \t]*", re.I)
_CLOSING_CODE = re.compile(r"(?P<code>.*?[^`\s])[ \t]*(?P<fence>`{3,})[ \t]*")
_HALF_FENCE = re.compile(r"(?:(?<=\n)|(?<=\r))[ \t]*`{1,2}\s*\Z")
_BYTE_ORDER_MARK = re.compile(r"(?:[ \t]*[\r\n]+)*\ufeff+")
_STRAY_WORD = re.compile(r"\s*(?:python[23]?|py|(?:python )?copy(?: code)?)[ \t]*(?:\r\n|\r|\n)", re.I)


@dataclass(frozen=True, slots=True)
class Block:
    """Characters ``[start, end)`` of the completion: whole lines, in a fence (``fenced``) or between fences.

    ``width``: how many leading blanks the fence's own indentation takes off each line; ``quoted``: behind a ``>``.
    ``closed`` is False for a fence that is never closed. ``open``: only the end of the completion ended it.
    ``answer`` and ``tests`` are the stretch's (:class:`~egca_plugin.program.reading.transcript.Stretch`).
    """

    start: int
    end: int
    fenced: bool
    language: str = ""
    width: int = 0
    quoted: bool = False
    closed: bool = True
    open: bool = False
    answer: bool = False
    tests: bool = False

    @property
    def is_python(self) -> bool:
        return bool(_PYTHON.fullmatch(self.language)) and not self.tests


@dataclass(frozen=True, slots=True)
class _Fence:
    """An open fence: its characters, and what its block will be."""

    marks: str
    language: str
    width: int
    quoted: bool

    @classmethod
    def of(cls, opening: re.Match[str]) -> _Fence:
        words = opening["info"].strip(" \t{}.").lower().replace(",", " ").replace(":", " ").split()
        lead = opening["lead"]
        quoted = ">" in lead
        width = len(lead.rpartition(">")[2][1:] if quoted else lead)
        return cls(opening["fence"], words[0] if words else "", width, quoted)


def blocks(text: str, stretch: Stretch, strings: bool) -> tuple[tuple[Block, ...], bool]:
    """The blocks of a stretch that hold any text, in order.

    ``strings``: fences inside triple-quoted strings are text. The flag of the answer tells whether there were any.
    More forgiving than CommonMark, since models are sloppier: a fence with a language inside an open block starts a
    new block; a fence at the end of a line of code closes it, and so does a lone fence behind code that stands in no
    fence, which the prompt had opened; a shorter fence closes where no longer one follows.
    """
    scanner = _Scanner(text, stretch, strings)
    return tuple(block for block in scanner.blocks() if text[block.start : block.end].strip()), scanner.hidden


class _Scanner:
    def __init__(self, text: str, stretch: Stretch, strings: bool) -> None:
        self.text, self.stretch, self.strings = text, stretch, strings
        self.hidden = False  # whether a fence was taken for text, since it stands in a string
        self.begin = stretch.start  # of the block that is being read
        self.fence: _Fence | None = None
        self.quote = ""
        self.last_quote = {quote: text.rfind(quote, stretch.start, stretch.end) for quote in quotes.TRIPLES}
        self.last_marks: dict[str, int] = {}

    def blocks(self) -> Iterator[Block]:
        end, stop = self.stretch.end, self.stretch.start
        for mark in deque(_MARKS.finditer(self.text, stop, end), maxlen=_MAX_MARKS):
            if mark.start() < stop:
                continue  # in a line that was read
            start = max(self.text.rfind("\n", stop, mark.start()), self.text.rfind("\r", stop, mark.start())) + 1
            line = _LINE.match(self.text, max(start, stop), end)
            assert line is not None
            stop = line.end()
            yield from self._line(line)
        half = _HALF_FENCE.search(self.text, self.begin, end) if self.stretch.open else None
        yield self._block(half.start() if half else end, closed=False, is_open=self.stretch.open and not half)

    def _line(self, line: re.Match[str]) -> Iterator[Block]:
        """A line with marks of a fence or of a triple-quoted string; no other can end a block or a string."""
        content = line.group()
        fence = "```" in content or "~~~" in content or (self.fence is not None and self.fence.marks in content)
        if self.quote and self.strings and self.last_quote[self.quote] >= line.end():
            self.hidden = self.hidden or fence
        else:
            begin = self.begin, self.fence
            yield from self._bare(line) if self.fence is None else self._fenced(line)
            if (self.begin, self.fence) != begin:
                self.quote = ""
                return
        if self.fence is not None or self.quote or not is_prose(content):
            self.quote = quotes.after(content, self.quote)

    def _is_behind_code(self, at: int) -> bool:
        """Whether the last line with text in front, in this bare run, is code."""
        before = self.text[max(self.begin, at - _NEAR) : at].rstrip()
        last = re.split(r"[\r\n]", before)[-1]
        return bool(last) and not is_prose(last)

    def _bare(self, line: re.Match[str]) -> Iterator[Block]:
        """A line outside fences that has marks of one."""
        content, behind = line.group(), self._behind(line)
        inline = _INLINE.fullmatch(content)
        if inline is not None:
            yield self._block(line.start())
            self.begin, self.fence = (
                line.start() + inline.start("code"),
                _Fence(inline["fence"], "python", 0, False),
            )
            if inline["close"]:
                yield self._close(line.start() + inline.end("code"), behind)
            return
        opening = _OPENING.fullmatch(content)
        if opening is not None:
            fence = _Fence.of(opening)
            stray = not opening["info"].strip(_BLANKS) and self._is_behind_code(line.start())  # the prompt opened it
            yield self._block(line.start())
            self.begin = behind
            if not stray and fence.language not in _TRANSPARENT:
                self.fence = fence
            return
        opening = _AT_THE_END.fullmatch(content)
        if opening is not None:
            yield self._block(line.start())
            self.begin, self.fence = behind, _Fence(opening["fence"], "python", 0, False)
            return
        closing = _CLOSING_CODE.fullmatch(content)
        if closing is not None and "`" not in closing["code"] and not is_prose(content):
            yield self._block(line.start() + closing.end("code"))
            self.begin = behind

    def _fenced(self, line: re.Match[str]) -> Iterator[Block]:
        """A line in an open block that has marks of a fence."""
        assert self.fence is not None
        content, behind, fence = line.group(), self._behind(line), self.fence
        if self._closes(content, line.end()):
            yield self._close(line.start(), behind)
            return
        opening = _OPENING.fullmatch(content)
        if opening is not None and opening["fence"][0] == fence.marks[0] and opening["info"].strip():
            if _LANGUAGE.fullmatch(opening["info"]):
                yield self._block(line.start(), closed=False)
                self.begin, self.fence = behind, _Fence.of(opening)
            elif len(opening["fence"]) >= len(fence.marks):  # prose behind the closing fence
                yield self._close(line.start(), behind)
        elif fence.marks[0] == "`":
            closing = _CLOSING_CODE.fullmatch(content)
            if closing is not None and closing["fence"] == fence.marks:
                yield self._close(line.start() + closing.end("code"), behind)

    def _closes(self, content: str, at: int) -> bool:
        """The same character, at least as often, nothing else; fewer where no such line follows."""
        assert self.fence is not None
        marks = self.fence.marks
        run = content.strip(_BLANKS + ">" if self.fence.quoted else _BLANKS)
        if len(run) < 3 or run.strip(marks[0]):
            return False
        if len(run) < len(marks) <= _LONGEST_FENCE and marks not in self.last_marks:
            self.last_marks[marks] = self.text.rfind(marks, self.stretch.start, self.stretch.end)
        return len(run) >= len(marks) or self.last_marks.get(marks, -1) < at

    def _close(self, end: int, behind: int) -> Block:
        block = self._block(end)
        self.begin, self.fence = behind, None
        return block

    def _block(self, end: int, closed: bool = True, is_open: bool = False) -> Block:
        """The block from ``begin`` to ``end``, without a stray language name or byte order mark at its beginning."""
        fence, stretch = self.fence, self.stretch
        stray = _STRAY_WORD.match(self.text, self.begin, end)
        begin = stray.end() if stray else self.begin
        mark = _BYTE_ORDER_MARK.match(self.text, begin, end)
        begin = mark.end() if mark else begin
        if fence is None:
            return Block(begin, end, False, open=is_open, answer=stretch.answer, tests=stretch.tests)
        looks = (fence.language, fence.width, fence.quoted)
        return Block(begin, end, True, *looks, closed, is_open, stretch.answer, stretch.tests)

    def _behind(self, line: re.Match[str]) -> int:
        """Where the next line begins."""
        terminator = _TERMINATOR.match(self.text, line.end(), self.stretch.end)
        return terminator.end() if terminator else line.end()
