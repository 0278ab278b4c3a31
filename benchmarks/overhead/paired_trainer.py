"""Trainer mode ``egca_paired``: EGCA's and verl's own synchronous trainer in one run, step by step."""

from __future__ import annotations

import time
from typing import Any

from omegaconf import DictConfig, open_dict
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1 import PPOTrainerSync, register_trainer

from benchmarks.overhead.schedule import EGCA, GRPO, arm_of
from egca_plugin.adapters.verl.trainer import EgcaSync

POLL_S = 0.02


@register_trainer("egca_paired")  # plugin.TRAINER, which names this module by string
class PairedTrainer(EgcaSync):
    """In GRPO's steps verl's advantage computation runs as it stands, estimator ``grpo``; nothing of EGCA does."""

    def __init__(self, config: DictConfig) -> None:
        super().__init__(config)
        # verl looks for finished groups every 2 s. That would round the end of generation up to even seconds, and so
        # hide a small overhead in most steps and turn it into two seconds in some.
        self.replay_buffer.poll_interval = POLL_S
        self._estimator = config.algorithm.adv_estimator
        self._device_s = float(config.get("egca_bench", {}).get("device_s", 0.0))

    def _balance_batch(self, batch: KVBatchMeta, *args: Any, **how: Any) -> KVBatchMeta:
        of = EgcaSync if arm_of(self.global_steps) == EGCA else PPOTrainerSync
        return of._balance_batch(self, batch, *args, **how)

    def _compute_old_log_prob(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        time.sleep(self._device_s)  # a device computes, and the CPU has nothing to do
        return super()._compute_old_log_prob(batch, metrics)

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        arm = arm_of(self.global_steps)
        with open_dict(self.config):
            self.config.algorithm.adv_estimator = self._estimator if arm == EGCA else GRPO
        metrics["bench/egca"] = float(arm == EGCA)
        if arm == EGCA:
            return super()._compute_advantage(batch, metrics)
        return PPOTrainerSync._compute_advantage(self, batch, metrics)
