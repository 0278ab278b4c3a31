"""Placing advantages: torch and the formula's plain statement agree, and what must not move does not move."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from egca_plugin.adapters.samples import Row  # noqa: E402
from egca_plugin.adapters.tensors import place, place_rows  # noqa: E402
from egca_plugin.config import EgcaConfig  # noqa: E402
from egca_plugin.credit.weights import advantages, weights  # noqa: E402
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan  # noqa: E402

SPANS = st.lists(
    st.tuples(st.integers(-2, 14), st.integers(-2, 14)).map(lambda p: TokenSpan(min(p), max(p))), max_size=3
)
# Of advantages that single precision holds to its few last bits; the smallest numbers it does not.
ADVANTAGES = st.floats(-3, 3).filter(lambda value: value == 0 or abs(value) > 1e-30)
ROW = st.tuples(st.lists(st.integers(0, 1), min_size=12, max_size=12), SPANS, ADVANTAGES, SPANS)
THINKING = st.sampled_from(["shared", "none", "credited"])


@given(
    st.lists(ROW, min_size=1, max_size=4),
    st.sampled_from(["conserve", "unit"]),
    st.floats(0, 1),
    st.sampled_from([0.0, 1.0, 2.5, 40.0]),
    THINKING,
)
def test_agrees_with_the_plain_formula(rows: list, scale: str, mix: float, cap: float, thinking_credit: str) -> None:
    how: dict = {"scale": scale, "mix": mix, "cap": cap, "thinking_credit": thinking_credit}
    mask = torch.tensor([row[0] for row in rows])
    advantages = torch.tensor([[row[2]] for row in rows], dtype=torch.float64) * mask
    placed, _ = place(advantages, mask, [row[1] for row in rows], thinking=[row[3] for row in rows], **how)
    for got, (row_mask, spans, advantage, thinking) in zip(placed, rows, strict=True):
        expected = [advantage * w for w in weights(row_mask, spans, thinking=thinking, **how)]
        assert got.tolist() == pytest.approx(expected, abs=1e-9)


@given(st.lists(ROW, min_size=1, max_size=4), st.floats(0, 1), st.sampled_from([0.0, 1.5, 4.0]), THINKING)
def test_conserves_each_row_and_leaves_the_mask_alone(rows: list, mix: float, cap: float, thinking: str) -> None:
    mask = torch.tensor([row[0] for row in rows])
    advantages = torch.tensor([[row[2]] for row in rows], dtype=torch.float32) * mask
    spans = [row[1] for row in rows]
    how: dict = {"scale": "conserve", "mix": mix, "cap": cap, "thinking_credit": thinking}
    how["thinking"] = [row[3] for row in rows]
    placed, done = place(advantages, mask, spans, **how)
    assert torch.allclose(placed.sum(1), advantages.sum(1), atol=1e-4)
    assert not placed[mask == 0].any()
    assert done.mass == pytest.approx((1.0,) * len(rows), abs=1e-5)
    assert all(ratio >= 1.0 and math.isfinite(ratio) for ratio in done.concentration)


@given(st.lists(st.tuples(ROW, SPANS, st.floats(0, 2)), min_size=1, max_size=4), THINKING)
def test_praise_agrees_with_the_plain_formula_and_is_counted(rows: list, thinking_credit: str) -> None:
    mask = torch.tensor([row[0] for row, _, _ in rows])
    level = torch.tensor([[row[2]] for row, _, _ in rows], dtype=torch.float64) * mask
    thinking, praised, praise = [row[3] for row, _, _ in rows], [one[1] for one in rows], [one[2] for one in rows]
    how: dict = {"thinking_credit": thinking_credit}
    spans = [row[1] for row, _, _ in rows]
    placed, done = place(level, mask, spans, thinking=thinking, praised=praised, praise=praise, **how)
    without, _ = place(level, mask, spans, thinking=thinking, **how)
    for i, (row_mask, row_spans, advantage, row_thinking) in enumerate(row for row, _, _ in rows):
        expected = advantages(
            advantage, row_mask, row_spans, praised=praised[i], praise=praise[i], thinking=row_thinking, **how
        )
        assert placed[i].tolist() == pytest.approx(list(expected), abs=1e-9)
        assert placed[i].sum() == pytest.approx(float(without[i].sum()) + praise[i] * done.praised[i])


RIGHT, WRONG = Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1), Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1)


@given(st.lists(st.tuples(ROW, st.booleans()), min_size=1, max_size=4), st.floats(0, 1))
def test_of_failing_rows_that_no_span_reaches_a_share_is_kept(rows: list, unlocated: float) -> None:
    mask = torch.tensor([row[0] for row, _ in rows])
    level = torch.tensor([[-abs(row[2])] for row, _ in rows], dtype=torch.float64) * mask
    own = [Row(RIGHT if passes else WRONG, "t", () if passes else tuple(row[1])) for row, passes in rows]
    placed, _ = place_rows(level, mask, own, EgcaConfig(unlocated=unlocated))
    for got, (row, passes), one in zip(placed, rows, own, strict=True):
        kept = 1.0 if passes else unlocated
        assert got.tolist() == pytest.approx([-abs(row[2]) * w for w in weights(row[0], one.spans, unlocated=kept)])


def test_what_is_above_its_group_and_what_is_no_code_keep_all() -> None:
    mask = torch.ones(3, 2)
    level = torch.tensor([[0.5], [-0.5], [-0.5]]) * mask
    rows = [Row(WRONG, "t"), Row.of_another_scorer("maths", 0.0, 2), None]
    placed, _ = place_rows(level, mask, rows, EgcaConfig(unlocated=0.0))
    assert torch.equal(placed, level)


def test_all_outputs_of_a_session_share_the_verdict_of_one() -> None:
    level = torch.full((4, 2), -1.0)
    rows = [None, Row(WRONG, "t"), None, Row(WRONG, "t", (TokenSpan(0, 1),))]
    placed, _ = place_rows(level, torch.ones(4, 2), rows, EgcaConfig(unlocated=0.5), judged_in=[1, 1, 3, 3])
    assert placed.tolist() == [[-0.5, -0.5], [-0.5, -0.5], [-1.0, -1.0], [-1.0, 0.0]]


def test_rows_without_a_usable_span_come_back_bit_for_bit() -> None:
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]])
    advantages = torch.tensor([[0.1], [1 / 3], [0.7], [-0.9]]) * mask
    spans = [(), (TokenSpan(2, 9),), (TokenSpan(0, 2),), (TokenSpan(0, 4),)]  # none, cut away, padding, everything
    placed, done = place(advantages, mask, spans)
    assert torch.equal(placed, advantages)
    assert done.moved == (False, False, False, False)
    assert done.lost == (False, True, False, False), "only a span that was cut away is a loss; padding is none"


def test_a_span_gets_all_and_the_rest_nothing() -> None:
    placed, done = place(torch.full((1, 6), -0.5), torch.ones(1, 6), [(TokenSpan(2, 4),)], scale="conserve")
    assert placed.tolist() == [[0, 0, -1.5, -1.5, 0, 0]]
    assert (done.moved, done.credited, done.tokens, done.concentration) == ((True,), (2,), (6,), (3.0,))


def test_unit_scale_gives_up_mass_and_says_how_much() -> None:
    placed, done = place(torch.full((1, 4), 2.0), torch.ones(1, 4), [(TokenSpan(0, 1),)])
    assert placed.tolist() == [[2, 0, 0, 0]]
    assert done.mass == pytest.approx((0.25,))
    assert place(torch.zeros(1, 4), torch.ones(1, 4), [(TokenSpan(0, 1),)])[1].mass == pytest.approx((0.25,))


def test_tool_output_inside_a_span_gets_nothing() -> None:
    mask = torch.tensor([[1, 1, 0, 0, 1, 1]])
    placed, _ = place(torch.ones(1, 6) * mask, mask, [(TokenSpan(1, 5),)], scale="conserve")
    assert placed.tolist() == [[0, 2, 0, 0, 2, 0]]


def test_reasoning_keeps_its_own_and_the_records_count_it() -> None:
    spans, thinking = [(TokenSpan(6, 7),)], [(TokenSpan(0, 4),)]
    placed, done = place(torch.ones(1, 8), torch.ones(1, 8), spans, scale="conserve", thinking=thinking)
    assert placed.tolist() == [[1, 1, 1, 1, 0, 0, 4, 0]]
    assert (done.tokens, done.credited, done.concentration) == ((8,), (1,), (4.0,))


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="rows of spans"):
        place(torch.ones(2, 3), torch.ones(2, 3), [()])
