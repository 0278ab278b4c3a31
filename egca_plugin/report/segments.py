"""A text cut where the blame changes, so that it can be coloured character by character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from egca_plugin.types import Span

_SHOWN = {"\n", "\t"}
# Characters that show nothing, or reorder what stands around them ("Trojan source"), and lone surrogates.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of characters. ``rank`` 0 is the most blamed span, None no blame."""

    text: str
    rank: int | None


def segments(text: str, spans: Sequence[Span]) -> Iterator[Segment]:
    """``text`` in order, cut at the borders of ``spans`` (most blamed first); where they overlap the first one wins."""
    inside = [(max(span.start, 0), min(span.end, len(text))) for span in spans]
    borders = sorted({0, len(text), *(at for pair in inside for at in pair if 0 <= at <= len(text))})
    for start, end in pairwise(borders):
        rank = next((r for r, (low, high) in enumerate(inside) if low <= start and end <= high), None)
        yield Segment(text[start:end], rank)


def visible(text: str) -> str:
    """``text`` with what a reader could not see, or what moves other characters, written out as ``\\uXXXX``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in _SHOWN or unicodedata.category(c) not in _INVISIBLE else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
