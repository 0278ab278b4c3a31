"""A text cut where the blame changes, so that it can be coloured character by character.

What is blamed may be a line's end, or a place where something is missing: :attr:`Segment.shown` makes it visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from egca_plugin.types import Span

NEWLINE = "\N{RETURN SYMBOL}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters. ``rank`` 0 is the most blamed span, None no blame; only a blamed one may be empty."""

    text: str
    rank: int | None

    @property
    def shown(self) -> str:
        """The text; where nothing but line ends or nothing at all is blamed, with :data:`NEWLINE` to look at."""
        if self.rank is None or self.text.strip("\r\n"):
            return self.text
        return self.text.replace("\n", f"{NEWLINE}\n") or NEWLINE


def segments(text: str, spans: Sequence[Span]) -> Iterator[Segment]:
    """``text`` in order, cut at the borders of ``spans`` (most blamed first); where they overlap the first one wins."""
    inside = [(min(max(span.start, 0), len(text)), min(span.end, len(text))) for span in spans]
    nothing = {low: rank for rank, (low, high) in reversed(list(enumerate(inside))) if low >= high}
    borders = sorted({0, len(text), *(at for pair in inside for at in pair if 0 <= at <= len(text))})
    for start, end in pairwise([*borders, len(text)]):
        if start in nothing:
            yield Segment("", nothing.pop(start))
        rank = next((r for r, (low, high) in enumerate(inside) if low <= start and end <= high), None)
        if end > start:
            yield Segment(text[start:end], rank)
