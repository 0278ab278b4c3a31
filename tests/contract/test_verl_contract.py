"""What the adapter takes for granted about the installed verl, each assumption on verl's own objects.

A new verl is supported once these pass (adapters/verl/versions.py).
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

pytest.importorskip("verl")

import torch
from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf
from verl import DataProto
from verl.experimental.agent_loop import AgentLoopWorker
from verl.trainer.ppo import core_algos, ray_trainer
from verl.trainer.ppo.metric_utils import process_validation_metrics
from verl.trainer.ppo.padding_utils import construct_minimal_padding_template
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.trainer.ppo.v1 import PPOTrainer, agent_loop_tq, get_trainer_cls
from verl.utils.config import omega_conf_to_dataclass, validate_config

from egca_plugin.adapters import tensors
from egca_plugin.adapters.verl import channel, settings, versions
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan


@pytest.fixture(scope="module")
def composed() -> Any:
    with initialize_config_module("egca_plugin.adapters.verl.config", version_base=None):
        yield lambda *overrides: compose("grpo_egca", overrides=list(overrides))


def test_this_verl_is_a_supported_one() -> None:
    versions.check(versions.installed())


# --- the trainer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", settings.TRAINER_MODES)
def test_our_trainers_wrap_what_verl_has(mode: str) -> None:
    trainer = get_trainer_cls(mode)
    assert issubclass(trainer, get_trainer_cls(mode.removeprefix("egca_")))
    assert list(inspect.signature(PPOTrainer._compute_advantage).parameters) == ["self", "batch", "metrics"]
    ours = {name for cls in trainer.__mro__ if "egca_plugin" in cls.__module__ for name in vars(cls)}
    assert {name for name in ours & set(vars(PPOTrainer)) if not name.startswith("_")} == set()
    assert {"_compute_advantage", "_init_dataloader", "_balance_batch", "_save_checkpoint"} <= ours & set(
        vars(PPOTrainer)
    )


def test_a_batch_is_there_before_log_probabilities_and_its_advantages_come_behind_them() -> None:
    """Between the two the credit services work."""
    step = inspect.getsource(PPOTrainer._step_once)
    order = ["_compute_reward_colocate", "_balance_batch", "_compute_old_log_prob", "_compute_ref_log_prob"]
    places = [step.index(f"self.{name}(") for name in [*order, "_compute_values", "_compute_advantage"]]
    assert places == sorted(places)


def test_a_reward_worker_is_told_which_sample_it_has() -> None:
    """By ``uid`` and ``session_id``, of which TransferQueue's key is made too; and for which step it was sampled."""
    source = inspect.getsource(agent_loop_tq)
    assert 'keys.append(f"{uid}_{session_id}_{i}")' in source
    assert 'uid, session_id = kwargs["uid"], kwargs["session_id"]' in source
    assert 'kwargs["global_steps"]' in source
    assert "**{k: np.array([v] * n) for k, v in kwargs.items()}" in inspect.getsource(AgentLoopWorker._compute_score)


def test_an_estimator_gets_what_ours_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    """verl calls by keyword: nothing may come that the signature refuses, and index must be among it."""
    seen: dict[str, Any] = {}

    def spy(**given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        seen.update(given)
        return given["token_level_rewards"], given["token_level_rewards"]

    monkeypatch.setitem(core_algos.ADV_ESTIMATOR_REGISTRY, "egca", spy)
    data = DataProto.from_dict(
        tensors={"token_level_rewards": torch.ones(2, 3), "response_mask": torch.ones(2, 3)},
        non_tensors={"uid": np.array(["a", "a"], dtype=object)},
    )
    ray_trainer.compute_advantage(data, adv_estimator="egca", config=OmegaConf.create({}))
    assert {"token_level_rewards", "response_mask", "config", "index"} <= set(seen)


# --- the channel --------------------------------------------------------------------------------------------------


def extras(reason: str) -> dict[str, float | str]:
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, reason=reason, ms={"judge": 1.0})
    return channel.pack(channel.Row(credit, "t", (TokenSpan(0, 2), TokenSpan(3, 4)) if reason else (), 5))


def test_validation_takes_the_extras_and_averages_only_numbers() -> None:
    rows = [extras("a"), extras(""), extras("long reason")]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    found = process_validation_metrics(["d"] * 3, ["u", "u", "v"], {"reward": [0.0] * 3, **columns})
    assert {"acc", "egca_tests", "egca_verified"} <= set(found["d"])
    assert not {"egca", "egca_mode", "egca_reason"} & set(found["d"])


def test_padding_rows_copy_a_credit_and_mask_everything() -> None:
    """The trainer must leave them out: they look like row 0's credit, on one token that is masked."""
    source = {
        "extra_fields": {"reward_extra_info": extras("a")},
        "responses": torch.ones(5),
        "position_ids": torch.arange(9),
    }
    padding, tag = construct_minimal_padding_template(source, {}, eos_token_id=0)
    assert tag["is_padding"] is True
    assert channel.unpack_batch([padding["extra_fields"]]) != [None]
    assert int(padding["response_mask"].sum()) == 0


# --- the losses ---------------------------------------------------------------------------------------------------

NEEDS_MORE = {"bypass_mode"}  # wraps the others with rollout log-probabilities; per token under both of its losses


@pytest.mark.parametrize("name", sorted(set(core_algos.POLICY_LOSS_REGISTRY) - NEEDS_MORE))
def test_every_loss_places_and_conserves_or_is_refused(composed: Any, name: str) -> None:
    """At ratio 1: the gradient moves onto the spans, and each row's sum stays, as under plain GRPO."""
    actor = composed("machine=cpu", "actor_rollout_ref.rollout.n=2").actor_rollout_ref.actor
    actor.policy_loss.dro_beta = 0.1
    config = omega_conf_to_dataclass(actor)
    mask = torch.ones(2, 6)
    advantages = torch.tensor([[1.0], [-0.5]]) * mask
    placed, _ = tensors.place(advantages, mask, [(TokenSpan(0, 2),), (TokenSpan(3, 4),)], scale="conserve")
    torch.manual_seed(0)
    old = -torch.rand(2, 6) - 0.1
    plain, ours = (_gradient(name, old, given, mask, config) for given in (advantages, placed))
    off_span = torch.ones(2, 6, dtype=torch.bool)
    off_span[0, :2] = off_span[1, 3] = False
    faithful = bool(plain.abs().min() > 0 and ours[off_span].abs().max() < 1e-7) and torch.allclose(
        plain.sum(1), ours.sum(1), atol=1e-6
    )
    assert faithful or name in settings.SEQUENCE_LEVEL_LOSSES, (plain, ours)


@pytest.mark.parametrize("name", ["gspo", *sorted(settings.SEQUENCE_LEVEL_LOSSES)])
def test_gspo_is_gspo_token_and_what_is_refused_is_not(composed: Any, name: str) -> None:
    """Away from ratio 1, where a sequence's ratio is one number: whose gradients does a per-token advantage move?

    verl's gspo detaches the ratio (core_algos.py:1580), so only the span's: each token's plain gradient times its
    weight, and a clipped sequence is clipped as a whole. A sequence-level loss moves the tokens off the span too.
    """
    config = omega_conf_to_dataclass(composed("machine=cpu", "actor_rollout_ref.rollout.n=2").actor_rollout_ref.actor)
    mask = torch.ones(3, 6)
    advantages = torch.tensor([[1.0], [-0.5], [-0.5]]) * mask
    spans = [(TokenSpan(0, 2),), (TokenSpan(3, 4),), (TokenSpan(5, 6),)]
    placed, _ = tensors.place(advantages, mask, spans, scale="conserve")
    torch.manual_seed(0)
    new = -torch.rand(3, 6) - 0.5
    old = new + torch.tensor([[0.1], [-0.1], [1.0]]) + 0.05 * torch.randn(3, 6)  # the last row's ratio is clipped
    plain, ours = (_gradient(name, old, given, mask, config, new) for given in (advantages, placed))
    moved_as_placed = torch.allclose(ours, plain * placed / advantages, atol=1e-6)
    assert moved_as_placed is (name == "gspo"), (plain, ours)
    if name == "gspo":
        assert torch.allclose(ours.sum(1), plain.sum(1), atol=1e-6)
        assert plain[:2].abs().min() > 0
        assert plain[2].abs().max() == ours[2].abs().max() == 0


def _gradient(
    name: str,
    old: torch.Tensor,
    advantages: torch.Tensor,
    mask: torch.Tensor,
    config: Any,
    new: torch.Tensor | None = None,
) -> torch.Tensor:
    logprob = (old if new is None else new).clone().requires_grad_()
    loss, _ = core_algos.get_policy_loss_fn(name)(
        old_log_prob=old, log_prob=logprob, advantages=advantages, response_mask=mask, config=config
    )
    loss.backward()
    assert logprob.grad is not None
    return logprob.grad


# --- the configuration --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overrides", [(), ("egca=off",), ("egca=paper",)])
def test_verls_own_validation_accepts_our_configuration(composed: Any, overrides: tuple[str, ...]) -> None:
    config: DictConfig = composed(
        "machine=cpu",
        "data.train_batch_size=4",
        "actor_rollout_ref.actor.ppo_mini_batch_size=4",
        "actor_rollout_ref.rollout.n=4",
        *overrides,
    )
    assert need_critic(config) is False, "verl decides by the estimator's name"
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=False)
