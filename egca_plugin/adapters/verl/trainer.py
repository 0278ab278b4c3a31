"""Trainer modes ``trainer.v1.trainer_mode=egca_sync``, ``egca_colocate_async`` and ``egca_separate_async``.

Each is verl's trainer of that mode with one method wrapped: around verl's own advantage computation the batch's
credits are fetched from TransferQueue and handed to the estimator. KL, rollout correction, sessions and writing back
stay verl's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transfer_queue as tq
from omegaconf import DictConfig, open_dict
from transfer_queue import KVBatchMeta
from verl.trainer.ppo.v1 import (
    PPOTrainer,
    PPOTrainerColocateAsync,
    PPOTrainerSeparateAsync,
    PPOTrainerSync,
    register_trainer,
)

from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.adapters.verl.estimator import Scope, credits
from egca_plugin.adapters.verl.metrics import step_metrics
from egca_plugin.adapters.verl.recording import lines
from egca_plugin.adapters.verl.shared_bank import OwnedBank
from egca_plugin.records import RecordWriter


class EgcaMixin(PPOTrainer):
    """Wraps ``_compute_advantage`` of a v1 trainer; ``base_mode`` is verl's name of the mode that it extends."""

    base_mode: str

    def __init__(self, config: DictConfig) -> None:
        self._settings = settings.check(config)
        # verl compares trainer_mode with "sync" in seven places of trainer_base.py (replay buffer, checkpoints ...) and
        # reads trainer.v1.<trainer_mode>: past the look-up in the registry the config must carry the base mode's name.
        with open_dict(config):
            config.trainer.v1.trainer_mode = self.base_mode
        super().__init__(config)
        records = self._settings.egca.records
        self._records = RecordWriter(records) if records else None
        bank = self._settings.egca.bank if self._settings.enabled else ""
        self._bank = OwnedBank(bank) if bank else None

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        for name, dataset in (("data.train_files", self.train_dataset), ("data.val_files", self.val_dataset)):
            rows.check_dataset(name, dataset.dataframe)

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        fields = ["extra_fields", channel.KEY, *(["responses"] if self._records else [])]
        data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
        real = [i for i, tag in enumerate(batch.tags) if not tag.get("is_padding", False)]
        scope = Scope(
            config=self._settings.egca,
            enabled=self._settings.enabled,
            rows=_only(real, _credits_of(data)),
            keys=batch.keys,
        )
        keys, responses = batch.keys, data["responses"].unbind() if self._records else ()
        with credits(scope):
            batch = super()._compute_advantage(batch, metrics)
        metrics.update(step_metrics(scope.rows, scope.placement, real))
        if self._bank is not None:
            metrics.update(self._bank.metrics())
        if self._records is not None:
            for line in lines(self.global_steps, scope, keys, responses, real, self.tokenizer):
                self._records.write(line)
        return batch


def _credits_of(data: Any) -> list[channel.Row | None]:
    """Rows of a TransferQueue batch. A colocated reward model leaves its extras as columns of their own."""
    if channel.KEY in data:
        return [channel.unpack({channel.KEY: text}) for text in data[channel.KEY]]
    return channel.unpack_batch(list(data["extra_fields"]))


def _only(real: Sequence[int], all_rows: Sequence[channel.Row | None]) -> list[channel.Row | None]:
    """Padding rows are copies of row 0 with its credit (padding_utils.py:90): they must not count."""
    keep = set(real)
    return [row if i in keep else None for i, row in enumerate(all_rows)]


@register_trainer("egca_sync")
class EgcaSync(EgcaMixin, PPOTrainerSync):
    base_mode = "sync"


@register_trainer("egca_colocate_async")
class EgcaColocateAsync(EgcaMixin, PPOTrainerColocateAsync):
    base_mode = "colocate_async"


@register_trainer("egca_separate_async")
class EgcaSeparateAsync(EgcaMixin, PPOTrainerSeparateAsync):
    base_mode = "separate_async"
