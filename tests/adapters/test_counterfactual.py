"""The repair's token in place of the sampled decision: which rows, what they become, and what PPO then learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from egca_plugin.adapters.counterfactual import Swap, learnt, swaps  # noqa: E402
from egca_plugin.adapters.samples import Row  # noqa: E402
from egca_plugin.adapters.tensors import place_rows  # noqa: E402
from egca_plugin.config import EgcaConfig  # noqa: E402
from egca_plugin.credit.praise import of_passing  # noqa: E402
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan  # noqa: E402

CONFIG = EgcaConfig(credit="counterfactual")
PROVEN = Row(
    Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, verified=True, mended=0.5),
    "task",
    (TokenSpan(2, 3),),
    tokens=5,
    instead=7,
)
PASSING = Row(Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2), "task", tokens=5)
UNPROVEN = Row(Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2), "task", tokens=5)


def placed(*rows: Row | None):
    level = torch.tensor([[1.0 if row and row.credit.passed else -1.0] for row in rows]).expand(-1, 5)
    return place_rows(level, torch.ones(len(rows), 5), rows, CONFIG)


def test_nobody_is_blamed_and_who_passes_has_grpos_advantage() -> None:
    advantages, _ = placed(PASSING, PROVEN, UNPROVEN, None)
    assert advantages[0].tolist() == [1.0] * 5
    assert not advantages[1:3].any()
    assert advantages[3].tolist() == [-1.0] * 5, "no sample of ours"


@pytest.mark.parametrize("by_std", [True, False])
def test_proven_rows_learn_their_repairs_token_as_a_passing_sample_would(by_std: bool) -> None:
    rows = (
        PASSING,
        PROVEN,
        UNPROVEN,
        None,
        replace(PROVEN, instead=None),
        replace(PROVEN, spans=()),
        replace(PROVEN, credit=replace(PROVEN.credit, mended=0.0)),
    )
    _, done = placed(*rows)
    assert swaps(rows, done, by_std=by_std) == [Swap(1, 2, 7, of_passing(0.5, by_std=by_std))]


def test_a_token_that_the_final_mask_leaves_out_is_not_learnt() -> None:
    mask = torch.tensor([[1, 1, 0, 1, 1]])
    _, done = place_rows(torch.full((1, 5), -1.0), mask, [PROVEN], CONFIG)
    assert swaps([PROVEN], done, by_std=True) == []


@given(st.integers(0, 4), st.integers(0, 6), st.integers(0, 30))
def test_a_row_is_what_was_sampled_up_to_one_other_token(column: int, prompt: int, token: int) -> None:
    ids, mask = torch.arange(prompt + 5), torch.tensor([1, 1, 1, 1, 1])
    old = torch.full((5,), -0.5)
    row = learnt(Swap(0, column, token, 1.5), ids, mask, old)
    at = prompt + column
    assert row.input_ids.tolist() == [*range(at), token, *range(at + 1, prompt + 5)]
    assert row.response_mask.tolist() == [1] * (column + 1) + [0] * (4 - column)
    assert row.old_log_probs.tolist() == [-0.5] * column + [0.0] + [-0.5] * (4 - column)
    assert row.advantages.tolist() == [0.0] * column + [1.5] + [0.0] * (4 - column)
    assert ids.tolist() == list(range(prompt + 5)), "what was given stays as it is"
    assert mask.all()


@given(st.lists(st.floats(-8, 8), min_size=2, max_size=6), st.floats(0.1, 3))
def test_what_verls_loss_learns_of_it_is_the_gradient_of_its_probability(logits: list[float], advantage: float) -> None:
    """``p A grad log p``, whatever ``p`` is: the clip, which bounds a positive advantage from above, is never met."""
    pytest.importorskip("verl")
    from verl.trainer.ppo.core_algos import compute_policy_loss_vanilla
    from verl.workers.config import ActorConfig

    config = ActorConfig(strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1, ppo_mini_batch_size=1)
    given_logits = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    log_prob = torch.log_softmax(given_logits, 0)[:1].unsqueeze(0)
    loss, _ = compute_policy_loss_vanilla(
        torch.zeros(1, 1, dtype=torch.float64),
        log_prob,
        torch.tensor([[advantage]], dtype=torch.float64),
        torch.ones(1, 1),
        "token-mean",
        config,
    )
    (found,) = torch.autograd.grad(loss, given_logits)
    (expected,) = torch.autograd.grad(-advantage * torch.softmax(given_logits, 0)[0], given_logits)
    assert torch.allclose(found, expected, atol=1e-9)
