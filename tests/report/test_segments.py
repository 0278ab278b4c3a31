"""Cutting a text where the blame changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.report.segments import Segment, segments
from egca_plugin.types import Span

TEXTS = st.text(max_size=30)
SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda p: Span(min(p), max(p))), max_size=4)


def test_the_more_blamed_span_wins_where_two_overlap() -> None:
    assert list(segments("a = b + c", [Span(4, 5), Span(4, 9)])) == [
        Segment("a = ", None),
        Segment("b", 0),
        Segment(" + c", 1),
    ]


@given(TEXTS, SPANS)
def test_the_segments_spell_the_text_and_rank_every_character(text: str, spans: list[Span]) -> None:
    cut = list(segments(text, spans))
    assert "".join(segment.text for segment in cut) == text
    ranks = [segment.rank for segment in cut for _ in segment.text]
    for at, rank in enumerate(ranks):
        assert rank == next((r for r, s in enumerate(spans) if s.start <= at < s.end), None)
