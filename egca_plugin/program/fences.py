"""The shape of a completion: which lines are reasoning, which stand in Markdown fences, which are bare text.

Everything here speaks in character offsets of the completion; nothing is copied or changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PYTHON_NAMES = frozenset({"", "python", "python3", "py", "py3", "python2", "python-repl", "ipython", "pycon"})

_LINE_END = re.compile(r"\r\n|\r|\n")
_OPENING = re.compile(r"(?P<lead>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)")
_LANGUAGE = re.compile(r"[ \t]*\{?\.?[\w+#-]+[ \t]*\}?[ \t]*")
_THINKING = re.compile(
    r"(?:^|(?<=\ufeff))[ \t]*(?P<open><think(?:ing)?>)"
    r"|(?P<alone>^[ \t]*</think(?:ing)?>|</think(?:ing)?>(?=[ \t]*(?:\r|\n|\Z)))"
    r"|</think(?:ing)?>",
    re.M,
)
# Tokens of chat templates that a decoder may leave in the text; believed only where no string literal puts them.
_CHAT_MARKER = re.compile(
    r"^[ \t]*(?:<[|｜][\w▁]+[|｜]>|</s>|<end_of_turn>|<start_of_turn>)"
    r"|(?:<[|｜][\w▁]+[|｜]>|</s>|<end_of_turn>)(?=[ \t]*(?:\r|\n|\Z|<[|｜]|</s>))",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Line:
    """Characters ``[start, end)`` of the completion, without the line's terminator, which ends at ``stop``."""

    start: int
    end: int
    stop: int


@dataclass(frozen=True, slots=True)
class Block:
    """Lines ``[first, last)``: inside a fence (``fenced``) or between fences.

    ``width`` is how many leading blanks a fence's own indentation takes off each line. ``cut`` is where the last line
    ends if a fence closes it on the same line. ``closed`` is False for a fence that the completion never closes.
    """

    first: int
    last: int
    fenced: bool
    language: str = ""
    width: int = 0
    closed: bool = True
    cut: int | None = None

    @property
    def is_python(self) -> bool:
        return self.language in PYTHON_NAMES


def visible(text: str) -> tuple[tuple[int, int], ...]:
    """The stretches ``(start, end)`` of ``text`` that are neither reasoning nor chat template, in order.

    ``<think>`` counts at the start of a line. A ``</think>`` that nothing opened, at the start or end of a line, ends
    reasoning that the prompt opened: everything before it is reasoning. A ``<think>`` never closed hides the rest.
    """
    return tuple((a, b) for a, b in _parts(text)[0] if text[a:b].strip())


def reasoning(text: str) -> tuple[tuple[int, int], ...]:
    """The stretches ``(start, end)`` of ``text`` that are reasoning by the rules of :func:`visible`, tags included."""
    return _parts(text)[1]


def _parts(text: str) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """What is to be seen, and what is reasoning; chat template is neither."""
    start = 1 if text.startswith("\ufeff") else 0
    end = len(text)
    for marker in _CHAT_MARKER.finditer(text, start):
        if text[start : marker.start()].strip():  # template in front of the answer is stepped over, behind it ends it
            end = marker.start()
            break
        start = marker.end()
    begin = start
    seen: list[tuple[int, int]] = []
    thought: list[tuple[int, int]] = []
    opened: int | None = None
    for tag in _THINKING.finditer(text, start, end):
        if tag["open"]:
            if opened is None:
                seen.append((start, tag.start()))
                opened = tag.start()
        elif opened is not None or tag["alone"]:
            if opened is None:
                seen.clear()
                thought, opened = [], begin
            thought.append((opened, tag.end()))
            opened, start = None, tag.end()
    if opened is None:
        seen.append((start, end))
    else:
        thought.append((opened, end))
    return tuple(seen), tuple(thought)


def split_lines(text: str, start: int, end: int) -> tuple[Line, ...]:
    """Lines of ``text[start:end]``, as CPython ends them: LF, CRLF or CR (never form feed or U+2028)."""
    lines = []
    for terminator in _LINE_END.finditer(text, start, end):
        lines.append(Line(start, terminator.start(), terminator.end()))
        start = terminator.end()
    if start < end:
        lines.append(Line(start, end, end))
    return tuple(lines)


def blocks(text: str, lines: Sequence[Line]) -> Iterator[Block]:
    """Split lines into fenced blocks and the bare runs between them, in order.

    More forgiving than CommonMark, since models are sloppier: a fence with a language inside an open block starts a
    new block, and a fence at the end of a line of code closes it.
    """
    bare = 0
    opened: re.Match[str] | None = None
    for number, line in enumerate(lines):
        content = text[line.start : line.end]
        opening = _OPENING.fullmatch(content)
        if opened is None:
            if opening is not None:
                yield Block(bare, number, fenced=False)
                opened, bare = opening, number + 1
            continue
        fence = opened["fence"]
        if closes(content, fence):
            yield _fenced(opened, bare, number, True)
            opened, bare = None, number + 1
        elif opening is not None and opening["fence"][0] == fence[0] and _LANGUAGE.fullmatch(opening["info"]):
            yield _fenced(opened, bare, number, False)
            opened, bare = opening, number + 1
        elif fence[0] == "`" and content.endswith(fence) and not content[: -len(fence)].endswith("`"):
            yield _fenced(opened, bare, number + 1, True, cut=line.end - len(fence))
            opened, bare = None, number + 1
    if opened is None:
        yield Block(bare, len(lines), fenced=False)
    else:
        yield _fenced(opened, bare, len(lines), False)


def closes(content: str, fence: str = "```") -> bool:
    """Whether a line closes a block that ``fence`` opened: the same character, at least as often, nothing else."""
    run = content.strip(" \t")
    return len(run) >= len(fence) and not run.strip(fence[0])


def _fenced(opened: re.Match[str], first: int, last: int, closed: bool, cut: int | None = None) -> Block:
    words = opened["info"].strip(" \t{}.").lower().split()
    return Block(first, last, True, words[0] if words else "", len(opened["lead"]), closed, cut)
