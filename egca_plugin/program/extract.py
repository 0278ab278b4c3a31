"""Completion -> Program, with an exact map back to the completion's characters.

What is program, in order of preference:

1. the last fenced block that defines the entry point;
2. the last stretch of bare text that defines it, without the prose around it;
3. a continuation of the prompt's own function head, fenced or bare: the head goes in front as text nobody sampled;
4. any other code: it will fail its tests, which is what it deserves.

Reasoning (``<think>``) and chat template are never program. A block that the length limit cut off counts only where no
finished one defines the entry point. The choice looks at what a block defines, not at whether it compiles, so a model
gains nothing by offering several answers. Compiling decides only how far an ambiguous stretch reaches: past a fence
inside a docstring, up to the prose behind the code, up to a last statement that was cut off.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from egca_plugin.program.compiling import MAX_CHARS, compile_error
from egca_plugin.program.fences import Block, Line, blocks, closes, split_lines, visible
from egca_plugin.program.prompt import Head, head
from egca_plugin.types import Program, Segment, SourceError, Span, Task

_MAX_ENDS = 6  # how many ends of an ambiguous stretch are tried

# A line at column 0 that can be Python. Words that also begin English sentences need their colon or their end.
_CODE_LINE = re.compile(
    r"import\s+\w|from\s+[\w.]+\s+import\b|(?:async\s+)?def\s+\w|class\s+\w+\s*[:(]|@\w|[)\]}]|[\"'#]"
    r"|(?:if|elif|for|while|with|match|except|async\s+for|async\s+with)\b.*:|(?:else|try|finally)\s*:"
    r"|(?:pass|break|continue)\s*(?:#.*)?$|(?:return|raise|assert|del|global|yield|print)\b"
    r"|[A-Za-z_][\w.\[\]\"',: ]*(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=[^=]|[A-Za-z_][\w.]*(?:\[[^\]]*\])?\(.*"
)
_BEGINS_CODE = re.compile(r"import\s|from\s|(?:async\s+)?def\s|class\s|@\w|[A-Za-z_]\w*\s*=[^=]|return\b")


def extract(completion: str, task: Task) -> Program:
    """The program in ``completion``. Never raises: ``Program.error`` says why there is none, or why it cannot compile.

    A completion without any code gives empty source and the error ``NoProgram``.
    """
    if len(completion) > 4 * MAX_CHARS:
        message = f"the completion has {len(completion)} characters, at most {4 * MAX_CHARS} are read"
        return Program("", (), SourceError("ProgramTooLarge", message))
    opening = head(task.prompt, task.entry_point)
    found = [_Text(completion, split_lines(completion, *stretch)) for stretch in visible(completion)]
    for pick in (_defining, _continuing, _other):
        for text in reversed(found):
            for draft in pick(text, task.entry_point, opening):
                return draft.program()
    return Program("", (), SourceError("NoProgram", "the completion holds no Python code"))


def to_completion(program: Program, span: Span) -> Span | None:
    """The smallest span of the completion that holds every sampled character of ``span``; None if there is none."""
    segments = program.segments
    first = max(bisect_right(segments, span.start, key=lambda s: s.program_start) - 1, 0)
    start = end = None
    for segment in segments[first:]:
        if segment.program_start >= span.end:
            break
        low = max(span.start - segment.program_start, 0)
        high = min(span.end - segment.program_start, segment.length)
        if low < high:
            start = segment.completion_start + low if start is None else start
            end = segment.completion_start + high
    return None if start is None or end is None else Span(start, end)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A program as a list of parts: characters ``(start, end)`` of the completion, or text nobody sampled."""

    completion: str
    parts: tuple[tuple[int, int] | str, ...]

    def source(self) -> str:
        return "".join(part if isinstance(part, str) else self.completion[slice(*part)] for part in self.parts)

    def behind(self, given: str) -> _Draft:
        return replace(self, parts=(given, *self.parts))

    def compiles(self) -> bool:
        return compile_error(self.source()) is None

    def program(self) -> Program:
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
        source = self.source()
        return Program(source, tuple(segments), compile_error(source))


@dataclass(frozen=True, slots=True)
class _Text:
    """One visible stretch of the completion, by lines."""

    completion: str
    lines: tuple[Line, ...]

    def content(self, number: int) -> str:
        line = self.lines[number]
        return self.completion[line.start : line.end]

    def blocks(self) -> tuple[Block, ...]:
        return tuple(b for b in blocks(self.completion, self.lines) if any(map(self._filled, range(b.first, b.last))))

    def _filled(self, number: int) -> bool:
        return bool(self.content(number).strip())

    def blanks(self, number: int) -> int:
        """Leading blanks of a line."""
        content = self.content(number)
        return len(content) - len(content.lstrip(" \t"))

    def indents(self, block: Block) -> tuple[int, ...]:
        """Leading blanks of the block's lines that have any text, beyond what its fence takes off."""
        filled = (number for number in range(block.first, block.last) if self._filled(number))
        return tuple(max(self.blanks(number) - block.width, 0) for number in filled)

    def shown(self, number: int, block: Block) -> str:
        """A line of the block as the program will hold it."""
        return self.content(number)[min(self.blanks(number), block.width) :]

    def dedented(self) -> tuple[Block, ...]:
        """The blocks without the indentation that all their lines share."""
        return tuple(replace(block, width=block.width + min(self.indents(block))) for block in self.blocks())

    def draft(self, block: Block) -> _Draft:
        """The block's lines with up to ``width`` leading blanks off each, and LF for each line's end."""
        parts: list[tuple[int, int] | str] = []
        for number in range(block.first, block.last):
            line = self.lines[number]
            end = line.end if block.cut is None or number < block.last - 1 else block.cut
            start = min(line.start + min(self.blanks(number), block.width), end)
            terminator = self.completion[end : line.stop] if end == line.end else "\n"
            if terminator == "\n" and end == line.end:
                parts.append((start, line.stop))
                continue
            parts.append((start, end))
            if terminator == "\r\n":
                parts.append((line.stop - 1, line.stop))
            elif terminator:
                parts.append("\n")
        return _Draft(self.completion, tuple(parts))


# --- the three ways to find a program, most trusted first ----------------------------------------------------------


def _defining(text: _Text, entry_point: str, opening: Head | None) -> Iterator[_Draft]:
    """1 and 2: stretches that define the entry point; fenced before bare, later before earlier."""
    defines = re.compile(
        rf"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(entry_point)}\b"
        rf"|{re.escape(entry_point)}[ \t]*(?::[^=\n]+)?=(?!=))",
        re.M,
    )
    every = text.dedented()
    for block in sorted(every, key=_trust, reverse=True):
        anchors = [n for n in range(block.first, block.last) if defines.match(text.shown(n, block))]
        if not anchors:
            continue
        ends = _reach(text, block) if block.closed and block.fenced else _trim(text, block, anchors[-1])
        yield _with_preamble(_first_sound(map(text.draft, ends)), opening)


def _continuing(text: _Text, entry_point: str, opening: Head | None) -> Iterator[_Draft]:
    """3: stretches that go on from the prompt's head: indented, or right once their first line is."""
    if opening is None:
        return
    for block in sorted(text.blocks(), key=_trust, reverse=True):
        if not block.is_python:
            continue
        ends = [block] if block.closed and block.fenced else list(_trim(text, block, block.first))
        if text.indents(block)[0]:
            yield _first_sound(text.draft(end).behind(opening.text) for end in ends)
        elif not text.draft(block).compiles():
            stripped = (text.draft(end).behind(opening.text + "    ") for end in ends)  # a decoder ate the indentation
            yield from islice((draft for draft in stripped if draft.compiles()), 1)


def _other(text: _Text, entry_point: str, opening: Head | None) -> Iterator[_Draft]:
    """4: code that defines something else; the last fenced block of Python, else bare text that begins like code."""
    every = text.dedented()
    for block in reversed(every):
        if block.fenced and block.is_python:
            yield _with_preamble(text.draft(block), opening)
    for block in reversed(every):
        anchors = [n for n in range(block.first, block.last) if _BEGINS_CODE.match(text.shown(n, block))]
        if anchors and not block.fenced:
            yield _with_preamble(_first_sound(map(text.draft, _trim(text, block, anchors[0]))), opening)


def _trust(block: Block) -> tuple[bool, bool, bool, int]:
    """Fenced Python before other fences before bare text; closed before cut off; later before earlier."""
    return block.fenced and block.is_python, block.fenced, block.closed, block.first


def _with_preamble(draft: _Draft, opening: Head | None) -> _Draft:
    """The prompt's imports and helpers in front, unless the answer repeats them or cannot stand behind them."""
    preamble = opening.preamble if opening else ""
    own = {line.strip() for line in draft.source().splitlines()}
    if all(line.strip() in own for line in preamble.splitlines()):
        return draft
    longer = draft.behind(preamble)
    return longer if longer.compiles() else draft


def _first_sound(drafts: Iterable[_Draft]) -> _Draft:
    """The first draft that compiles; where none does, the shortest of them, which has the least that is not program."""
    tried = []
    for draft in drafts:
        if draft.compiles():
            return draft
        tried.append(draft)
    return min(tried, key=lambda draft: len(draft.source()))


def _reach(text: _Text, block: Block) -> Iterator[Block]:
    """The block, then longer ones: its closing fence may have been text inside a docstring."""
    yield block
    later = (number for number in range(block.last + 1, len(text.lines)) if closes(text.content(number)))
    for number in islice(later, _MAX_ENDS):
        yield replace(block, last=number, cut=None)
    yield replace(block, last=len(text.lines), cut=None)


def _trim(text: _Text, block: Block, anchor: int) -> Iterator[Block]:
    """The whole block, or the code around line ``anchor``: to the block's end, to the first prose behind, the next, ...

    Prose is a line at column 0 that cannot be Python. In front of the anchor, code is what no prose separates from it.
    Last comes the code without its last statement at column 0, which the length limit may have cut off.
    """

    def is_prose(number: int) -> bool:
        content = text.shown(number, block)
        return bool(content.strip()) and content[0] not in " \t" and not _CODE_LINE.match(content)

    first = anchor
    for number in range(anchor - 1, block.first - 1, -1):
        content = text.shown(number, block)
        if is_prose(number):
            break
        if content.strip() and content[0] not in " \t":
            first = number
    yield block
    yield replace(block, first=first)
    for number in islice(filter(is_prose, range(anchor + 1, block.last)), _MAX_ENDS):
        yield replace(block, first=first, last=number, cut=None)
    for number in range(block.last - 1, anchor, -1):
        if text.shown(number, block)[:1].strip():
            yield replace(block, first=first, last=number, cut=None)
            return
