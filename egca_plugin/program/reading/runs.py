"""Code between prose: the runs of lines of bare text, or of a fence that was never closed, that may be Python."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from egca_plugin.program.reading import quotes
from egca_plugin.program.reading.drafts import UNMOVED, Shift, lines, margin
from egca_plugin.program.reading.fences import Block
from egca_plugin.program.reading.prose import is_lone, is_prose, is_sentence

_BEGINS = re.compile(r"(?:async[ \t]+)?(?:def|class|import|from)[ \t]|@\w")
_GOES_ON = re.compile(r"(?:elif|else|except|finally|case)\b|[)\]}]")
_MAX_ENDS = 6  # how many ends of a text among prose are tried
_MAX_CUTS = 3  # statements at the end of a text that the length limit may have cut off


@dataclass(frozen=True, slots=True)
class Run:
    """A block of code, and the text that it stands in.

    ``whole``: from the first line of code of that text to its last; ``mixed``: something in between is a word or a
    marker, which Python would run. ``ends``: where later runs of the text end, each behind some prose.
    """

    block: Block
    whole: Block
    mixed: bool = False
    ends: tuple[int, ...] = ()


def runs(completion: str, block: Block) -> tuple[Run, ...]:
    """The runs of a block in order; a closed fence is one, whatever it holds."""
    if block.fenced and block.closed:
        return (Run(block, block),)
    found: list[tuple[int, int]] = []
    inside = lone = mixed = False
    quote = ""
    for line in lines(completion, block, filled=True):
        text = completion[line.start : line.end]
        if not quote and text[0] not in " \t" and is_prose(text):
            lone = lone or is_lone(text)
            inside = False
            continue
        if inside:
            found[-1] = (found[-1][0], line.stop)
        else:
            mixed, lone = mixed or (lone and bool(found)), False
            found.append((line.begin, line.stop))
            inside = True
        quote = quotes.after(text, quote)
    if not found:
        return ()
    whole = replace(block, start=found[0][0], end=found[-1][1], open=block.open and inside)
    if len(found) == 1:
        return (Run(whole, whole, mixed),)
    ends = [stop for _, stop in found]
    blocks = [replace(block, start=a, end=b, open=whole.open and b == whole.end) for a, b in found]
    return tuple(Run(each, whole, mixed, tuple(ends[n : n + _MAX_ENDS])) for n, each in enumerate(blocks, 1))


def shift(completion: str, block: Block) -> Shift:
    """The block's lines to the margin. A first line that begins code may have gained blanks alone."""
    first = next(lines(completion, block, filled=True), None)
    if first is None:
        return UNMOVED
    text = completion[first.start : first.end]
    content = text.lstrip(" \t")
    take = margin(completion, block)
    if len(text) - len(content) > take and _BEGINS.match(content):
        return Shift(take, first="")
    return Shift(take) if take else UNMOVED


def without_sentences(completion: str, block: Block) -> Block:
    """A fenced block without sentences in front of its code and behind it."""
    filled = list(lines(completion, block, filled=True))
    spoken = [_is_sentence(completion[line.start : line.end]) for line in filled]
    if all(spoken):
        return block
    first, last = spoken.index(False), len(spoken) - 1 - spoken[::-1].index(False)
    start = block.start if first == 0 else filled[first].begin
    return replace(block, start=start, end=filled[last].stop if last < len(spoken) - 1 else block.end)


def cuts(completion: str, block: Block, margin: int) -> tuple[int, ...]:
    """Where the last statements at the margin begin, with their decorators, the last first; never the first line."""
    starts: list[int] = []
    quote, decorated, first = "", False, True
    for line in lines(completion, block, filled=True):
        text = completion[line.start : line.end]
        content = text.lstrip(" \t")
        if not quote and len(text) - len(content) <= margin:
            if not (first or decorated or _GOES_ON.match(content)):
                starts.append(line.begin)
            decorated = content[0] == "@"
        first = False
        quote = quotes.after(text, quote)
    return tuple(reversed(starts[-_MAX_CUTS:]))


def first_definition(completion: str, block: Block) -> int:
    """Where the first function or class at column 0 begins, behind the first line, or the block's end."""
    quote, first = "", True
    for line in lines(completion, block, filled=True):
        text = completion[line.start : line.end]
        if not (first or quote) and (_BEGINS.match(text) or text.startswith("if __name__")):
            return line.begin
        first = False
        quote = quotes.after(text, quote)
    return block.end


def _is_sentence(text: str) -> bool:
    return text[0] not in " \t" and is_prose(text) and (is_sentence(text) or text.rstrip().endswith((":", "：")))
