"""Trainer mode ``egca_paired``: EGCA's and verl's own synchronous trainer in one run, step by step."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, open_dict
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1 import PPOTrainerSync, register_trainer

from benchmarks.overhead.plugin import TRAINER
from benchmarks.overhead.schedule import EGCA, GRPO, arm_of
from egca_plugin.adapters.verl.trainer import EgcaSync

POLL_S = 0.02


@register_trainer(TRAINER)
class PairedTrainer(EgcaSync):
    """In GRPO's steps verl's advantage computation runs as it stands, estimator ``grpo``; nothing of EGCA does."""

    def __init__(self, config: DictConfig) -> None:
        super().__init__(config)
        # verl looks for finished groups every 2 s. That would round the end of generation up to even seconds, and so
        # hide a small overhead in most steps and turn it into two seconds in some.
        self.replay_buffer.poll_interval = POLL_S
        self._estimator = config.algorithm.adv_estimator

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        arm = arm_of(self.global_steps)
        with open_dict(self.config):
            self.config.algorithm.adv_estimator = self._estimator if arm == EGCA else GRPO
        metrics["bench/egca"] = float(arm == EGCA)
        if arm == EGCA:
            return super()._compute_advantage(batch, metrics)
        return PPOTrainerSync._compute_advantage(self, batch, metrics)
