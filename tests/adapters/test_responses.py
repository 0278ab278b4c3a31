"""Credit on the sampled tokens of one response: the span, or the decision and the praise in front of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

pytest.importorskip("torch")

from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.types import Credit, Instead, Mode, Outcome, Span, TokenSpan

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")

TEXT = "So: t < x"
SPAN = TokenSpan(4, 9)
DECISION, PRAISED = Placing(credit="decision"), Placing(credit="decision", praise=0.5)


@cache
def tokenizer() -> Any:
    """A byte is a token, but for `<=` and for the end."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {char: number for number, char in enumerate([*alphabet, "<=", "<|end|>"])}
    backend = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [("<", "=")]))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")


def row(placing: Placing, *, end: str = "<|end|>", **found: Any) -> Row:
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, spans=(Span(4, 9),), verified=True, begins=4, **found)
    reader = Reader(tokenizer())
    return reader.row(reader.read(tokenizer().encode(TEXT + end)), credit, "t", placing)


@pytest.mark.parametrize(
    ("decision", "instead", "token"),
    [
        (Span(8, 9), None, 8),
        (Span(7, 8), Instead(5, " <= x"), 6),  # not the blank behind `<`, but `<` itself
        (Span(7, 8), Instead(7, "* x"), 7),
        (Span(9, 10), Instead(9, " + 1"), 9),  # what is missing behind the end: the token that ended it
    ],
)
def test_the_decision_is_one_token_and_only_the_program_in_front_of_it_is_praised(
    decision: Span, instead: Instead | None, token: int
) -> None:
    found = row(PRAISED, decision=decision, instead=instead)
    assert found.spans == (TokenSpan(token, token + 1),)
    assert found.praised == (TokenSpan(4, token),)
    assert row(DECISION, decision=decision, instead=instead).praised == ()
    assert row(Placing(), decision=decision, instead=instead).spans == (SPAN,)


@pytest.mark.parametrize(
    ("decision", "instead", "token"),
    [
        (Span(7, 8), Instead(5, " <= x"), "<="),
        (Span(7, 8), Instead(7, "* x"), "*"),
        (Span(9, 10), Instead(9, " + 1"), " "),
        (Span(8, 9), None, None),
        (Span(7, 8), Instead(8, "y"), None),  # the two part in front of what is told
    ],
)
def test_the_token_that_the_repair_has_instead_is_told(
    decision: Span, instead: Instead | None, token: str | None
) -> None:
    found = row(Placing(credit="counterfactual"), decision=decision, instead=instead)
    assert (found.instead and tokenizer().decode([found.instead])) == token
    assert row(DECISION, decision=decision, instead=instead).instead is None


def test_a_decision_that_is_not_known_leaves_the_span_and_earns_no_praise() -> None:
    found = row(PRAISED)
    assert found.spans == (SPAN,)
    assert found.praised == ()


def test_a_program_wrong_from_its_first_token_on_earns_no_praise() -> None:
    assert row(PRAISED, decision=Span(4, 5)).praised == ()


def test_a_response_without_an_end_token_keeps_the_span() -> None:
    assert row(DECISION, end="", decision=Span(9, 10)).spans == (SPAN,)
