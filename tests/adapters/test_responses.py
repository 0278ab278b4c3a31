"""Credit on the sampled tokens of one response: the span, or the one token of the decision."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from egca_plugin.adapters.responses import Response
from egca_plugin.adapters.samples import Placing
from egca_plugin.credit.spans import align
from egca_plugin.types import Credit, Mode, Outcome, Span, TokenSpan

PIECES = (b"t", b" =", b" x", b" +", b" 1", b"")  # the last one ends the response


def row(decision: Span | None, placing: Placing) -> tuple[TokenSpan, ...]:
    aligned = align(PIECES)
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, spans=(Span(4, 9),), verified=True, decision=decision)
    return Response(aligned.text, len(PIECES), aligned).row(credit, "t", placing).spans


@pytest.mark.parametrize(
    ("decision", "tokens"),
    [
        (Span(6, 7), (TokenSpan(3, 4),)),
        (Span(5, 6), (TokenSpan(3, 4),)),  # a blank is its word's
        (Span(9, 10), (TokenSpan(5, 6),)),  # what is missing behind the end: the token that ended it
        (None, (TokenSpan(2, 5),)),  # not known: the span
    ],
)
def test_the_decision_is_one_token(decision: Span | None, tokens: tuple[TokenSpan, ...]) -> None:
    assert row(decision, Placing(credit="decision")) == tokens
    assert row(decision, Placing()) == (TokenSpan(2, 5),)


def test_a_response_without_an_end_token_keeps_the_span() -> None:
    aligned = align(PIECES[:-1])
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, spans=(Span(4, 9),), decision=Span(9, 10))
    found = Response(aligned.text, len(PIECES) - 1, aligned).row(credit, "t", Placing(credit="decision"))
    assert found.spans == (TokenSpan(2, 5),)
