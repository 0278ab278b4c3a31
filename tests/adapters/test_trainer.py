"""What the trainers add where verl itself would go on for ever, or say nothing."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("verl")

from omegaconf import OmegaConf
from verl.trainer.ppo.v1 import PPOTrainer

from egca_plugin.adapters.verl.trainer import PATIENCE, EgcaColocateAsync
from egca_plugin.errors import FrameworkError

PROMPTS, SAMPLES = 4, 2


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """As much of a trainer as its bookkeeping needs."""
    monkeypatch.setattr(PPOTrainer, "_add_prompts_to_generate", lambda self, number: number)
    bare = object.__new__(EgcaColocateAsync)
    rollout = {"actor_rollout_ref": {"rollout": {"n": SAMPLES}}}
    bare.config = OmegaConf.create({"data": {"train_batch_size": PROMPTS}, **rollout})
    bare.parameter_sync_step, bare._asked_for = 1, 0
    return bare


def test_replacing_what_fails_ends_where_nothing_comes_back(trainer: Any) -> None:
    for _ in range(PATIENCE):
        assert trainer._add_prompts_to_generate(PROMPTS) == PROMPTS
    with pytest.raises(FrameworkError, match=r"204 prompts were asked for .* at 'Error in _run_prompt'"):
        trainer._add_prompts_to_generate(PROMPTS)


def test_a_batch_that_was_trained_on_is_a_new_start(trainer: Any) -> None:
    for _ in range(3 * PATIENCE):
        trainer._add_prompts_to_generate(PROMPTS)
        trainer._asked_for = 0  # as _compute_advantage does


def test_samples_that_are_missing_are_counted_by_their_sessions(trainer: Any) -> None:
    whole = [f"uid{prompt}_{session}_0" for prompt in range(PROMPTS) for session in range(SAMPLES)]
    assert trainer._lost(whole) == 0
    assert trainer._lost([*whole, "uid0_0_1"]) == 0, "a second output of one session"
    assert trainer._lost(whole[:-3]) == 3
