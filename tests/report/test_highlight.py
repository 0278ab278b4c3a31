"""Which words of a program are coloured."""

from __future__ import annotations

from itertools import pairwise

import pytest

from egca_plugin.report.highlight import LARGEST, words
from egca_plugin.types import Span

TEXT = 'def f(x):  # one\n    return len("a") + 1 if x is None else self\n'


def kinds(text: str, code: Span) -> dict[str, str]:
    return {text[span.start : span.end]: kind for span, kind in words(text, [code])}


def test_each_kind_of_word() -> None:
    found = kinds(TEXT, Span(0, len(TEXT)))
    expected = {"def": "keyword", "f": "name", "# one": "comment", "len": "builtin", "1": "number", "is": "keyword"}
    assert found.items() >= expected.items()
    assert "x" not in found


def test_only_the_program_is_looked_at() -> None:
    text = f"this is for you\n{TEXT}while it lasts\n"
    start = text.index("def")
    found = list(words(text, [Span(start, start + len(TEXT))]))
    assert min(span.start for span, _ in found) == start
    assert "while" not in {text[span.start : span.end] for span, _ in found}


@pytest.mark.parametrize("piece", ["(", '"""', 'f"{', "\\", "@a.", "import ", "\n"])
def test_hostile_text_is_looked_at_up_to_a_bound_and_in_order(piece: str) -> None:
    text = piece * (2 * LARGEST // len(piece))
    spans = [span for span, _ in words(text, [Span(0, len(text))])]
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert not spans or spans[-1].end <= LARGEST
