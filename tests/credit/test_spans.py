from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.credit.spans import align
from egca_plugin.types import Span, TokenSpan


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(i % (len(data) + 1) for i in at)})
    return [data[a:b] for a, b in pairwise(edges)]


def test_every_token_that_meets_the_span_is_credited() -> None:
    text = align([b"def", b" f", b"():", b"\n", b" return", b" 1"])
    assert text.tokens([Span(text.text.index("return"), len(text.text))]) == (TokenSpan(4, 6),)


def test_special_tokens_spell_nothing_and_are_never_credited_alone() -> None:
    text = align([b"", b"ab", b"", b"c", b""])
    assert text.text == "abc"
    assert text.tokens([Span(2, 3)]) == (TokenSpan(3, 4),)
    assert text.tokens([Span(0, 3)]) == (TokenSpan(1, 4),)


def test_empty_and_outside_spans_credit_nothing() -> None:
    text = align([b"ab"])
    assert text.tokens([Span(1, 1), Span(5, 9)]) == ()


def test_touching_token_spans_are_merged() -> None:
    text = align([b"ab", b"cd", b"ef"])
    assert text.tokens([Span(3, 5), Span(0, 1)]) == (TokenSpan(0, 3),)


@given(st.binary(max_size=40))
def test_broken_utf8_reads_as_python_reads_it(data: bytes) -> None:
    assert align([data]).text == data.decode("utf-8", errors="replace")


@given(st.text(min_size=1, max_size=30), st.lists(st.integers(0, 200), max_size=12), st.data())
def test_a_span_is_covered_by_its_tokens_and_they_all_meet_it(text: str, at: list[int], data: st.DataObject) -> None:
    encoded = text.encode("utf-8", errors="replace")
    text = encoded.decode()
    pieces = cut(encoded, at)
    aligned = align(pieces)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    (span,) = aligned.tokens([Span(start, end)])
    first, last = len(text[:start].encode()), len(text[:end].encode())
    lengths = [len(p) for p in pieces]
    assert sum(lengths[: span.start]) <= first
    assert sum(lengths[: span.end]) >= last
    assert sum(lengths[: span.start + 1]) > first
    assert sum(lengths[: span.end - 1]) < last
