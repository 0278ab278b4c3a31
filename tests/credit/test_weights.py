from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.config import THINKING
from egca_plugin.credit.weights import weights
from egca_plugin.types import TokenSpan

masks = st.lists(st.integers(0, 1), min_size=1, max_size=40)
spans = st.lists(st.builds(TokenSpan, st.integers(-3, 45), st.integers(-3, 45)), max_size=3)


def test_the_whole_mass_lands_on_the_span() -> None:
    assert weights([1, 1, 1, 1, 0], [TokenSpan(1, 3)], scale="conserve") == (0, 2, 2, 0, 0)


def test_unit_scale_does_not_rescale() -> None:
    assert weights([1, 1, 1, 1], [TokenSpan(1, 2)]) == (0, 1, 0, 0)


def test_mix_leaves_the_rest_uniform() -> None:
    assert weights([1, 1, 1, 1], [TokenSpan(0, 1)], mix=0.5, scale="conserve") == (2.5, 0.5, 0.5, 0.5)


def test_cap_bounds_a_token_and_spreads_what_it_cuts() -> None:
    row = weights([1] * 10, [TokenSpan(4, 5)], cap=4.0, scale="conserve")
    assert max(row) == 4.0
    assert math.isclose(sum(row), 10)


def test_a_span_cut_away_by_truncation_is_plain_grpo_to_the_bit() -> None:
    assert weights([1, 1, 0], [TokenSpan(2, 3)]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("thinking_credit", "row"),
    [
        ("shared", (1, 1, 1, 0, 3, 0)),  # reasoning as in GRPO; what the program's three tokens had, on the span
        ("none", (0, 0, 0, 0, 6, 0)),
        ("credited", (1.5, 1.5, 1.5, 0, 1.5, 0)),
    ],
)
def test_who_gets_the_credit_of_the_reasoning_is_a_setting(thinking_credit: str, row: tuple[float, ...]) -> None:
    how = {"scale": "conserve", "thinking_credit": thinking_credit}
    assert weights([1] * 6, [TokenSpan(4, 5)], thinking=[TokenSpan(0, 3)], **how) == row


@pytest.mark.parametrize("thinking_credit", ["shared", "none", "credited"])
def test_reasoning_alone_is_never_blamed(thinking_credit: str) -> None:
    assert weights([1, 1, 1], [], thinking=[TokenSpan(0, 2)], thinking_credit=thinking_credit) == (1, 1, 1)


@given(masks, spans, st.floats(0, 1), st.sampled_from([0.0, 1.0, 1.5, 8.0]), spans, st.sampled_from(THINKING))
def test_mass_is_conserved_and_never_negative(
    mask: list[int], spans: list[TokenSpan], mix: float, cap: float, thinking: list[TokenSpan], credit: str
) -> None:
    row = weights(mask, spans, mix=mix, cap=cap, thinking=thinking, thinking_credit=credit, scale="conserve")
    assert math.isclose(sum(row), sum(mask), abs_tol=1e-9)
    assert all(w >= 0 and (m or w == 0) for w, m in zip(row, mask, strict=True))
    assert not cap or max(row) <= cap + 1e-9
