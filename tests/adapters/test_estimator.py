"""The estimator against verl's own functions: equal where it must be, different where it must be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("verl")

import torch
from omegaconf import OmegaConf
from verl import DataProto
from verl.trainer.ppo import core_algos
from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories

from egca_plugin.adapters.verl import channel
from egca_plugin.adapters.verl.estimator import Scope, credits, egca_advantage, judged_rows
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import FrameworkError
from egca_plugin.types import Credit, Mode, Outcome, Span, TokenSpan

WIDTH = 8
LENGTHS = (8, 5, 3, 8, 6, 1)
UID = np.array(["a", "a", "a", "b", "b", "b"], dtype=object)
KEYS = tuple(f"{uid}_{k}_0" for k, uid in enumerate(UID))
REWARDS = (1.0, 0.0, 0.0, 1.0, 0.0, 1.0)


def row(*spans: TokenSpan) -> channel.Row:
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, spans=(Span(0, 1),) if spans else ())
    return channel.Row(credit, "t", spans, WIDTH)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    mask = (torch.arange(WIDTH) < torch.tensor(LENGTHS)[:, None]).long()
    rewards = torch.zeros(len(LENGTHS), WIDTH)
    rewards[torch.arange(len(LENGTHS)), torch.tensor(LENGTHS) - 1] = torch.tensor(REWARDS)
    return rewards, mask


def stock(by_std: bool = True) -> torch.Tensor:
    rewards, mask = batch()
    return core_algos.compute_grpo_outcome_advantage(rewards, mask, UID, norm_adv_by_std_in_grpo=by_std)[0]


def ours(rows: list[channel.Row | None], keys: tuple[str, ...] | None = KEYS, **settings: Any) -> torch.Tensor:
    rewards, mask = batch()
    algorithm = OmegaConf.create({"norm_adv_by_std_in_grpo": settings.pop("by_std", True)})
    enabled = settings.pop("enabled", True)
    with credits(Scope(EgcaConfig(**settings), enabled, rows, keys)):
        estimator = core_algos.get_adv_estimator_fn("egca")
        return estimator(token_level_rewards=rewards, response_mask=mask, config=algorithm, index=UID)[0]


SPANNED = [row(), row(TokenSpan(1, 3)), row(TokenSpan(0, 1)), row(), row(TokenSpan(4, 9)), row(TokenSpan(0, 1))]


@pytest.mark.parametrize("by_std", [True, False])
@pytest.mark.parametrize("keys", [KEYS, None])
def test_uniform_credit_is_stock_grpo_bit_for_bit(by_std: bool, keys: Any) -> None:
    assert torch.equal(ours([row()] * 6, keys, by_std=by_std), stock(by_std))


def test_switched_off_it_is_stock_grpo_bit_for_bit() -> None:
    assert torch.equal(ours(SPANNED, enabled=False), stock())


@pytest.mark.parametrize("by_std", [True, False])
def test_praise_is_of_the_size_of_verls_own_advantages(by_std: bool) -> None:
    """Half of what a passing sample gets where three of four pass: 1/sqrt(3), or 1/4 without the deviation."""
    begun = replace(SPANNED[1], credit=replace(SPANNED[1].credit, mended=0.75), praised=(TokenSpan(0, 1),))
    rows = [SPANNED[0], begun, *SPANNED[2:]]
    placed, without = (ours(rows, by_std=by_std, credit="decision", praise=praise) for praise in (0.5, 0.0))
    more = 0.5 * (3**-0.5 if by_std else 0.25)
    assert (placed - without).flatten().nonzero().flatten().tolist() == [WIDTH]
    assert float((placed - without)[1, 0]) == pytest.approx(more, abs=1e-6)


def test_a_failing_sample_that_is_lifted_above_its_group_keeps_uniform_credit() -> None:
    """By a share of the tests, a bonus or its KL: what is to blame must not become what is rewarded most."""
    begun = replace(SPANNED[1], credit=replace(SPANNED[1].credit, mended=0.75), praised=(TokenSpan(0, 1),))
    rewards, mask = batch()
    rewards[0], rewards[1, 0] = 0.0, 1.0
    scope = Scope(EgcaConfig(), True, [row(), begun, *SPANNED[2:]], KEYS)
    algorithm = OmegaConf.create({"norm_adv_by_std_in_grpo": True})
    with credits(scope):
        placed = egca_advantage(rewards, mask, config=algorithm, index=UID)[0]
    assert float(placed[1, 0]) > 0
    assert placed[1].tolist() == [float(placed[1, 0])] * LENGTHS[1] + [0.0] * (WIDTH - LENGTHS[1])
    assert scope.rows[1] is not None
    assert scope.rows[1].fallback == "positive_advantage"


def test_under_conserve_each_row_keeps_its_sum_and_the_blamed_rows_change() -> None:
    placed = ours(SPANNED, scale="conserve")
    assert torch.allclose(placed.sum(1), stock().sum(1), atol=1e-4)
    changed = [not torch.equal(a, b) for a, b in zip(placed, stock(), strict=True)]
    assert changed == [False, True, True, False, True, False], "the last row's span is all of its one token"


@pytest.mark.parametrize(
    "mode", ["token-mean", "token-sum", "seq-mean-token-sum", "seq-mean-token-sum-norm", "seq-mean-token-mean"]
)
def test_under_conserve_verls_loss_has_the_same_value_and_another_gradient(mode: str) -> None:
    """At ratio 1 the scalar loss equals GRPO's under every aggregation; only its gradient tells them apart."""
    _, mask = batch()
    config = OmegaConf.create(
        {"clip_ratio": 0.2, "clip_ratio_low": 0.2, "clip_ratio_high": 0.2, "clip_ratio_c": 3.0, "global_batch_info": {}}
    )
    losses, gradients = [], []
    for advantages in (stock(), ours(SPANNED, scale="conserve")):
        logprob = torch.full((6, WIDTH), -1.0, requires_grad=True)
        loss, _ = core_algos.get_policy_loss_fn("vanilla")(
            torch.full((6, WIDTH), -1.0), logprob, advantages, mask, mode, config
        )
        loss.backward()
        losses.append(loss.item())
        gradients.append(logprob.grad)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert (gradients[0] - gradients[1]).abs().max() > 0.01
    assert gradients[0].sum().item() == pytest.approx(gradients[1].sum().item(), abs=1e-6)


def test_by_default_the_span_keeps_grpos_weight_and_the_rest_of_the_row_gets_nothing() -> None:
    placed, plain = ours(SPANNED), stock()
    assert torch.equal(placed[1, 1:3], plain[1, 1:3])
    assert placed[1].nonzero().flatten().tolist() == [1, 2]


def test_sessions_with_several_outputs_are_treated_as_verl_treats_grpo() -> None:
    """Only a session's last output counts for the group; only that output was judged, so only it has spans."""
    keys = ("a_0_0", "a_0_1", "a_1_0", "b_0_0", "b_1_0", "b_1_1")
    rewards, mask = batch()
    data = DataProto.from_dict(
        tensors={"token_level_rewards": rewards.clone(), "response_mask": mask}, non_tensors={"uid": UID}
    )
    expected = compute_advantage_for_multi_trajectories(data, list(keys), adv_estimator="grpo")
    assert torch.equal(ours([row()] * 6, keys), expected.batch["advantages"])
    spanned = [row(TokenSpan(0, 1))] * 6
    judged = [one is not None for one in judged_rows(Scope(EgcaConfig(), True, spanned, keys))]
    assert judged == [False, True, True, True, False, True]


def test_an_output_that_was_not_judged_keeps_what_its_session_keeps() -> None:
    failing = replace(row(), credit=replace(row().credit, outcome=Outcome.WRONG_ANSWER))
    keys = ("a_0_0", "a_1_0", "a_1_1", "b_0_0", "b_1_0", "b_1_1")
    plain, weak = (ours([failing] * 6, keys, unlocated=share) for share in (1.0, 0.5))
    assert torch.equal(weak, torch.where(plain < 0, plain / 2, plain))
    assert bool((plain[1:3] < 0).any(1).all()), "a session of two outputs is below its group"


def test_without_a_scope_the_missing_setting_is_named() -> None:
    rewards, mask = batch()
    with pytest.raises(FrameworkError, match="trainer_mode=egca_sync"):
        egca_advantage(rewards, mask, index=UID)


def test_without_any_credit_the_reward_manager_is_named() -> None:
    with pytest.raises(FrameworkError, match=r"reward.reward_manager.name=egca"):
        ours([None] * 6)


def test_credits_handed_over_by_a_newer_verl_are_used() -> None:
    rewards, mask = batch()
    columns = {channel.KEY: [channel.pack(one)[channel.KEY] for one in SPANNED]}
    placed, _ = egca_advantage(rewards, mask, index=UID, non_tensor_batch=columns)
    assert torch.equal(placed, ours(SPANNED, None))


@pytest.mark.parametrize(
    "settings", [{"enabled": False}, {"scale": "conserve"}, {"scale": "conserve", "mix": 0.5, "cap": 2.0}]
)
def test_credits_handed_over_come_with_the_settings_of_the_run(settings: dict[str, Any]) -> None:
    rewards, mask = batch()
    rows = [replace(one, placing=channel.Placing(**settings)) for one in SPANNED]
    columns = {channel.KEY: [channel.pack(one)[channel.KEY] for one in rows]}
    placed, _ = egca_advantage(rewards, mask, index=UID, non_tensor_batch=columns)
    assert torch.equal(placed, ours(SPANNED, None, **settings))
    assert not torch.equal(placed, ours(SPANNED, None))
