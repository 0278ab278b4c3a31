"""verl's legacy trainer (``trainer.use_v1=False``) with EGCA: ``python -m egca_plugin.adapters.verl.legacy OVERRIDES``.

verl 0.9 deprecates that trainer and has no registry for it: its task runner names the trainer class. So this module is
a ``main`` of its own around verl's. The legacy trainer computes advantages in the middle of ``fit``; the hook is the
step behind it, ``_update_actor``, whose batch carries the reward manager's extras.
"""

from __future__ import annotations

from typing import Any

import hydra
import ray
from omegaconf import DictConfig, open_dict
from verl import DataProto
from verl.trainer import main_ppo, main_ppo_v0
from verl.trainer.ppo.ray_trainer import RayPPOTrainer
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config
from verl.utils.device import auto_set_device

from egca_plugin.adapters import tensors
from egca_plugin.adapters.verl import channel, settings
from egca_plugin.adapters.verl.estimator import Scope, spans_of
from egca_plugin.adapters.verl.metrics import step_metrics
from egca_plugin.adapters.verl.recording import lines
from egca_plugin.errors import FrameworkError
from egca_plugin.records import RecordWriter


class EgcaRayPPOTrainer(RayPPOTrainer):
    """Computes plain GRPO as verl does, and places it on the blamed tokens before the actor learns from it."""

    def __init__(self, config: DictConfig, *args: Any, **kwargs: Any) -> None:
        self._settings = settings.check(config)
        with open_dict(config):
            config.algorithm.adv_estimator = "grpo"
        super().__init__(config, *args, **kwargs)
        records = self._settings.egca.records
        self._records = RecordWriter(records) if records else None

    def _update_actor(self, batch: DataProto) -> DataProto:
        rows = [channel.unpack({channel.KEY: text}) for text in batch.non_tensor_batch.get(channel.KEY, ())]
        if not any(rows):
            raise FrameworkError("no sample of this batch carries a credit; set reward.reward_manager.name=egca")
        chosen = self._settings.egca
        scope = Scope(chosen, self._settings.enabled, rows, group_advantages=batch.batch["advantages"])
        mask = batch.batch["response_mask"]
        if scope.enabled:
            batch.batch["advantages"], scope.placement = tensors.place(
                batch.batch["advantages"], mask, spans_of(scope), scale=chosen.scale, mix=chosen.mix, cap=chosen.cap
            )
        real = range(len(rows))
        if self._records is not None:
            responses = [ids[kept.bool()] for ids, kept in zip(batch.batch["responses"], mask, strict=True)]
            for line in lines(self.global_steps, scope, batch.non_tensor_batch["uid"], responses, real, self.tokenizer):
                self._records.write(line)
        output = super()._update_actor(batch)
        output.meta_info["metrics"].update(step_metrics(rows, scope.placement, real))
        return output


@ray.remote
class EgcaTaskRunner:
    """verl's task runner, with our trainer under the name that it instantiates."""

    def run(self, config: DictConfig) -> None:
        module: Any = main_ppo_v0
        module.RayPPOTrainer = EgcaRayPPOTrainer
        module.TaskRunner.__ray_metadata__.modified_class().run(config)


@hydra.main(config_path="pkg://egca_plugin.adapters.verl.config", config_name="grpo_egca", version_base=None)
def main(config: DictConfig) -> None:
    """verl's ``main_ppo.main`` for the legacy trainer."""
    auto_set_device(config)
    settings.check(config)
    validate_config(config=config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    main_ppo.run_ppo(config, task_runner_class=EgcaTaskRunner)


if __name__ == "__main__":
    main()
