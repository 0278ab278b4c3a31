"""Praise for what a proven sample wrote in front of its decision: whose, how much, and on which tokens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.config import EgcaConfig
from egca_plugin.credit.praise import of_passing, with_mended
from egca_plugin.credit.weights import advantages, weights
from egca_plugin.errors import ConfigError
from egca_plugin.types import Credit, Mode, Outcome, Span, TokenSpan

RIGHT = Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2)
PROVEN = Credit(
    Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, (Span(3, 5),), verified=True, decision=Span(4, 5), patch="..."
)
UNPROVEN = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2)

masks = st.lists(st.integers(0, 1), min_size=1, max_size=20)
stretches = st.lists(st.builds(TokenSpan, st.integers(-3, 25), st.integers(-3, 25)), max_size=3)


def test_proven_samples_are_counted_a_second_time_as_mended() -> None:
    """Of 4 samples 1 passes; 2 proven ones are mended: 3 of 6 pass."""
    rates = [one.mended for one in with_mended([RIGHT, PROVEN, UNPROVEN, PROVEN])]
    assert rates == [0.0, 0.5, 0.0, 0.5]


def test_a_group_that_fails_altogether_earns_praise_too() -> None:
    assert [one.mended for one in with_mended([PROVEN, UNPROVEN, UNPROVEN])] == [0.25, 0.0, 0.0]


@pytest.mark.parametrize("group", [[RIGHT, UNPROVEN], [RIGHT, RIGHT], [PROVEN], []])
def test_nobody_proven_nobody_praised_and_nobody_without_a_group(group: list[Credit]) -> None:
    assert with_mended(group) == group


@given(st.integers(1, 30), st.integers(1, 30))
def test_it_is_what_grpo_gives_a_passing_sample(passing: int, failing: int) -> None:
    rewards = [1.0] * passing + [0.0] * failing
    mean = sum(rewards) / len(rewards)
    deviation = math.sqrt(sum((r - mean) ** 2 for r in rewards) / len(rewards))
    assert of_passing(mean) == pytest.approx((1 - mean) / deviation)
    assert of_passing(mean, by_std=False) == pytest.approx(1 - mean)


@given(masks, stretches, stretches, stretches, st.sampled_from(["shared", "none", "credited"]), st.floats(0, 2))
def test_the_sum_is_that_of_the_weights_and_of_the_praised_tokens(
    mask: list[int],
    spans: list[TokenSpan],
    praised: list[TokenSpan],
    thinking: list[TokenSpan],
    thinking_credit: str,
    praise: float,
) -> None:
    how = {"thinking": thinking, "thinking_credit": thinking_credit}
    plain = [-1.5 * w for w in weights(mask, spans, **how)]  # type: ignore[arg-type]
    given = advantages(-1.5, mask, spans, praised=praised, praise=praise, **how)  # type: ignore[arg-type]
    lifted = [t for t, (one, other) in enumerate(zip(given, plain, strict=True)) if one != other]
    inside = {t for span in praised for t in range(span.start, span.end)}
    assert all(mask[t] and t in inside and plain[t] == 0 for t in lifted)
    assert sum(given) == pytest.approx(sum(plain) + praise * len(lifted))


def test_the_beginning_is_praised_and_the_decision_blamed() -> None:
    row = advantages(-2.0, [1, 1, 1, 1, 1], [TokenSpan(2, 3)], praised=[TokenSpan(0, 2)], praise=0.5)
    assert row == (0.5, 0.5, -2.0, 0.0, 0.0)


def test_uniform_credit_has_no_praise() -> None:
    assert advantages(-2.0, [1, 1], [], praised=[TokenSpan(0, 1)], praise=0.5) == (-2.0, -2.0)


def test_praise_wants_the_decision_at_which_it_ends() -> None:
    with pytest.raises(ConfigError, match=r"expected egca\.credit=decision"):
        EgcaConfig(credit="span", praise=0.5)
    with pytest.raises(ConfigError, match=r"egca\.praise: got 2"):
        EgcaConfig(praise=2, credit="decision")
    assert EgcaConfig(praise=0.5, credit="decision").localizes_all
    assert not EgcaConfig(praise=0).localizes_all
