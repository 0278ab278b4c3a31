"""Trainer mode ``egca_control``: EGCA's, with a control's advantages in the place of its own."""

from __future__ import annotations

from typing import Any

import torch
import transfer_queue as tq
from omegaconf import DictConfig
from tensordict import TensorDict
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1 import register_trainer
from verl.workers.utils.padding import response_to_nested

from benchmarks.learning.controls import transform
from egca_plugin.adapters.verl.trainer import EgcaSync


@register_trainer("egca_control")
class ControlTrainer(EgcaSync):
    """``+egca_bench.control`` names one of :data:`benchmarks.learning.controls.CONTROLS`."""

    def __init__(self, config: DictConfig) -> None:
        super().__init__(config)
        self._control = config.egca_bench.control
        self._generator = torch.Generator().manual_seed(int(config.egca.seed))

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        batch = super()._compute_advantage(batch, metrics)
        where = {"keys": batch.keys, "partition_id": batch.partition_id}
        data = tq.kv_batch_get(**where, select_fields=["advantages", "response_mask"])
        layout = data["response_mask"]
        padded = data.to_padded_tensor()
        changed = transform(self._control, padded["advantages"], padded["response_mask"], self._generator)
        fields = TensorDict({"advantages": response_to_nested(changed, layout)}, batch_size=len(batch))
        tq.kv_batch_put(**where, fields=fields)
        return batch
