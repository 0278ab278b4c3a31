"""verl's legacy trainer with EGCA, and the task runner that names it.

The legacy trainer computes advantages in the middle of ``fit``; the hook is the step behind it, ``_update_actor``,
whose batch carries the reward manager's extras.
"""

from __future__ import annotations

from typing import Any

import ray
from omegaconf import DictConfig, open_dict
from verl import DataProto
from verl.experimental import reward_loop
from verl.trainer import main_ppo_v0
from verl.trainer.ppo.ray_trainer import RayPPOTrainer

from egca_plugin.adapters.observer import Observer, caution
from egca_plugin.adapters.samples import Scope
from egca_plugin.adapters.settings import unpraised
from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.adapters.verl.estimator import place
from egca_plugin.adapters.verl.shared_bank import OwnedBank
from egca_plugin.adapters.verl.workers import await_ready, lasting_reward_workers
from egca_plugin.errors import FrameworkError


class EgcaRayPPOTrainer(RayPPOTrainer):
    """Computes plain GRPO as verl does, and places it on the blamed tokens before the actor learns from it."""

    def __init__(self, config: DictConfig, *args: Any, **kwargs: Any) -> None:
        self._settings = unpraised(
            settings.check(config),
            "verl's legacy trainer, which credits each sample without its group; trainer.use_v1=true has it",
        )
        with open_dict(config):
            config.algorithm.adv_estimator = "grpo"
        super().__init__(config, *args, **kwargs)
        self._observer = Observer(self._settings.egca.records, self.tokenizer)
        if self._settings.enabled:
            caution(self._settings.egca)
        bank = self._settings.egca.bank if self._settings.enabled else ""
        self._bank = OwnedBank(bank) if bank else None

    def init_workers(self) -> None:
        rows.check_datasets(self.config, self.train_dataset, self.val_dataset, self._settings.egca.bad_rows)
        rows.mark_validation(self.val_dataset)
        with lasting_reward_workers(reward_loop):  # ray_trainer.py:910 imports the name there
            super().init_workers()
        await_ready(self.reward_loop_manager.reward_loop_workers)

    def _update_actor(self, batch: DataProto) -> DataProto:
        found = [channel.unpack({channel.KEY: text}) for text in batch.non_tensor_batch.get(channel.KEY, ())]
        if not any(found):
            raise FrameworkError("no sample of this batch carries a credit; set reward.reward_manager.name=egca")
        scope = Scope(self._settings.egca, self._settings.enabled, found, group_advantages=batch.batch["advantages"])
        mask = batch.batch["response_mask"]
        if scope.enabled:
            batch.batch["advantages"] = place(scope, batch.batch["advantages"], mask)
        real = range(len(found))
        responses: list[Any] = []
        if self._observer.records:
            # Not by the response mask: it leaves out a tool's tokens, and spans count all that the response holds.
            there = batch.batch["attention_mask"][:, -mask.shape[1] :].bool()
            responses = [ids[kept] for ids, kept in zip(batch.batch["responses"], there, strict=True)]
        metrics = self._observer.observe(self.global_steps, scope, batch.non_tensor_batch["uid"], responses, real)
        output = super()._update_actor(batch)
        output.meta_info["metrics"].update(metrics | (self._bank.metrics() if self._bank is not None else {}))
        return output


@ray.remote
class EgcaTaskRunner:
    """verl's task runner, with our trainer under the name that it instantiates."""

    def run(self, config: DictConfig) -> None:
        module: Any = main_ppo_v0
        module.RayPPOTrainer = EgcaRayPPOTrainer
        module.TaskRunner.__ray_metadata__.modified_class().run(config)
