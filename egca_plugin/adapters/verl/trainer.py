"""Trainer modes ``trainer.v1.trainer_mode=egca_sync``, ``egca_colocate_async`` and ``egca_separate_async``.

Each is verl's trainer of that mode with two methods wrapped. When a batch is there the credit services are told to go
on with it, beside log-probabilities and values; around verl's own advantage computation the batch's credits are fetched
and handed to the estimator. KL, rollout correction, sessions and writing back stay verl's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
import transfer_queue as tq
from omegaconf import DictConfig, open_dict
from transfer_queue import KVBatchMeta
from verl import DataProto
from verl.trainer.ppo.utils import Role
from verl.trainer.ppo.v1 import (
    PPOTrainer,
    PPOTrainerColocateAsync,
    PPOTrainerSeparateAsync,
    PPOTrainerSync,
    register_trainer,
    trainer_base,
)
from verl.utils import tensordict_utils as tu
from verl.utils.device import get_device_name

from egca_plugin.adapters import counterfactual
from egca_plugin.adapters.observer import Observer, caution
from egca_plugin.adapters.samples import Row, Scope
from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.adapters.verl.credits import Credits
from egca_plugin.adapters.verl.estimator import credits, divides_by_std, judged_rows
from egca_plugin.adapters.verl.shared_bank import OwnedBank
from egca_plugin.adapters.verl.workers import CreditingRewardLoopManager, await_ready, lasting_reward_workers
from egca_plugin.errors import FrameworkError

HELD = "egca_credits"  # folder in a checkpoint: what the credit services held
UNBOUNDED = 64  # steps: verl drops no sample for its age then
_SWAPPED = ("input_ids", "response_mask", "old_log_probs")
PATIENCE = 50  # batches' worth of prompts, without one batch to train on


class EgcaMixin(PPOTrainer):
    """Wraps ``_balance_batch`` and ``_compute_advantage`` of a v1 trainer.

    ``base_mode`` is verl's name of the mode that it extends.
    """

    base_mode: str
    reward_loop_manager: CreditingRewardLoopManager

    def __init__(self, config: DictConfig) -> None:
        self._settings = settings.check(config)
        # verl compares trainer_mode with "sync" in seven places of trainer_base.py (replay buffer, checkpoints ...) and
        # reads trainer.v1.<trainer_mode>: past the look-up in the registry the config must carry the base mode's name.
        with open_dict(config):
            config.trainer.v1.trainer_mode = self.base_mode
        super().__init__(config)
        self._observer = Observer(self._settings.egca.records)
        if self._settings.enabled:
            caution(self._settings.egca)
        self._asked_for = 0
        self._behind = 0  # steps that a sample may be older than the one that trains on it
        if self.base_mode != "sync":
            self._behind = config.trainer.v1.sampler.max_off_policy_threshold or UNBOUNDED
        bank = self._settings.egca.bank if self._settings.enabled else ""
        self._bank = OwnedBank(bank) if bank else None

    def _setup(self) -> None:
        with lasting_reward_workers(trainer_base, CreditingRewardLoopManager):
            super()._setup()
        services = self.reward_loop_manager.credit_services
        await_ready(self.reward_loop_manager.reward_loop_workers)
        await_ready(list(services.values()), what="credit service")
        self._credits = Credits(services, self._settings.egca.wait_s)
        if self.global_steps:  # a checkpoint was loaded
            self._credits.restore(self._checkpoint() / HELD)

    def _save_checkpoint(self) -> None:
        super()._save_checkpoint()
        if self.base_mode != "sync":  # samples that are not trained on yet are in the checkpoint
            self._credits.save(self._checkpoint() / HELD)

    def _checkpoint(self) -> Path:
        """The folder of the checkpoint of this step, which was loaded or saved last."""
        trainer = self.config.trainer
        if trainer.resume_mode == "resume_path" and trainer.resume_from_path.endswith(
            f"global_step_{self.global_steps}"
        ):
            return Path(trainer.resume_from_path)
        return Path(trainer.default_local_dir) / f"global_step_{self.global_steps}"

    def _add_prompts_to_generate(self, num_prompts: int) -> int:
        """verl replaces whatever fails, for ever where everything does: FrameworkError after PATIENCE batches."""
        self._asked_for += num_prompts
        if self._asked_for > PATIENCE * self.config.data.train_batch_size:
            raise FrameworkError(
                f"{self._asked_for} prompts were asked for since the last batch that could be trained on, and too few "
                "came back. The log says what became of them, at 'Error in _run_prompt'; with algorithm.filter_groups, "
                "too few groups may differ in reward"
            )
        return int(super()._add_prompts_to_generate(num_prompts))

    def _init_dataloader(self) -> None:
        super()._init_dataloader()
        rows.check_datasets(self.config, self.train_dataset, self.val_dataset, self._settings.egca.bad_rows)
        self._task_columns = (*rows.columns_of(self.train_dataset, self.val_dataset), "uid")
        rows.mark_validation(self.val_dataset)

    def _compute_reward_colocate(self, batch: KVBatchMeta, metrics: dict[str, Any] | None = None) -> KVBatchMeta:
        """With a reward model on the trainer's devices. verl hands its manager the texts; ours needs the tasks too."""
        manager = self.reward_loop_manager
        self.reward_loop_manager = _WithTasks(manager, batch, self._task_columns)  # type: ignore[assignment]  # for this call
        try:
            return super()._compute_reward_colocate(batch, metrics=metrics)
        finally:
            self.reward_loop_manager = manager

    def _balance_batch(self, batch: KVBatchMeta, *args: Any, **how: Any) -> KVBatchMeta:
        """The first thing that verl does with a batch that has its rewards."""
        if self._settings.enabled:
            scores = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=["rm_scores"])
            rewards = [float(row.sum()) for row in scores["rm_scores"].unbind()]
            groups = [key.rsplit("_", 2)[0] for key in batch.keys]
            self._credits.begin(rewards, groups, overtaken=self.global_steps - self._behind)
        return super()._balance_batch(batch, *args, **how)

    def _compute_advantage(self, batch: KVBatchMeta, metrics: dict[str, Any]) -> KVBatchMeta:
        fields = ["extra_fields", channel.KEY, *(["responses"] if self._observer.records else [])]
        data = tq.kv_batch_get(keys=batch.keys, partition_id=batch.partition_id, select_fields=fields)
        real = [i for i, tag in enumerate(batch.tags) if not tag.get("is_padding", False)]
        settled, waited = self._credits.settled(_only(real, _credits_of(data)))
        scope = Scope(config=self._settings.egca, enabled=self._settings.enabled, rows=settled, keys=batch.keys)
        keys, responses = batch.keys, data["responses"].unbind() if self._observer.records else ()
        with credits(scope):
            batch = super()._compute_advantage(batch, metrics)
        self._learn_instead(batch, scope)
        self._asked_for = 0
        self._observer.tokenizer = self.tokenizer
        lost = self._lost([keys[i] for i in real])
        metrics.update(self._observer.observe(self.global_steps, scope, keys, responses, real, lost) | waited)
        if self._bank is not None:
            metrics.update(self._bank.metrics())
        return batch

    def _learn_instead(self, batch: KVBatchMeta, scope: Scope) -> None:
        """With ``egca.credit=counterfactual``: put repairs' tokens where decisions were."""
        if not scope.enabled or not scope.config.counterfactual or scope.placement is None:
            return
        by_std = divides_by_std(self.config.algorithm)
        swaps = counterfactual.swaps(judged_rows(scope), scope.placement, by_std=by_std)
        if not swaps:
            return
        keys = [batch.keys[swap.row] for swap in swaps]
        data = tq.kv_batch_get(keys=keys, partition_id=batch.partition_id, select_fields=list(_SWAPPED))
        given = zip(*(data[name].unbind() for name in _SWAPPED), strict=True)
        rows = [asdict(counterfactual.learnt(swap, *row)) for swap, row in zip(swaps, given, strict=True)]
        fields: dict[str, Any] = {
            name: torch.nested.as_nested_tensor([row[name] for row in rows], layout=torch.jagged)
            for name in (*_SWAPPED, "advantages")
        }
        tq.kv_batch_put(keys=keys, partition_id=batch.partition_id, fields=tu.get_tensordict(fields))
        if self.config.actor_rollout_ref.actor.use_kl_loss:  # the reference model has said it of what was sampled
            self._compute_ref_log_prob(batch, {})

    def _lost(self, keys: Sequence[str]) -> int:
        """Samples of a batch that verl gave up. In the asynchronous modes it replaces their groups instead."""
        sessions = {key.rpartition("_")[0] for key in keys}
        prompts = self.config.data.train_batch_size // self.parameter_sync_step
        asked = int(prompts * self.config.actor_rollout_ref.rollout.n)
        return max(0, asked - len(sessions))


class _WithTasks:
    """verl's reward loop manager, for one batch: adds the columns in which a row's task is found."""

    def __init__(self, manager: Any, batch: KVBatchMeta, columns: Sequence[str]) -> None:
        self._manager, self._batch, self._columns = manager, batch, columns

    def compute_rm_score(self, data: DataProto) -> DataProto:
        """What verl's manager gives for ``data`` with its tasks."""
        found = tq.kv_batch_get(
            keys=self._batch.keys, partition_id=self._batch.partition_id, select_fields=list(self._columns)
        )
        columns = {name: list(found[name]) for name in self._columns} | {rows.KEY: list(self._batch.keys)}
        for name, values in columns.items():
            data.non_tensor_batch[name] = np.empty(len(data), dtype=object)
            data.non_tensor_batch[name][:] = values
        scored: DataProto = self._manager.compute_rm_score(data)
        return scored


def _credits_of(data: Any) -> list[Row | None]:
    """Rows of a TransferQueue batch. A colocated reward model leaves its extras as columns of their own."""
    if channel.KEY in data:
        return [channel.unpack({channel.KEY: text}) for text in data[channel.KEY]]
    return channel.unpack_batch(list(data["extra_fields"]))


def _only(real: Sequence[int], all_rows: Sequence[Row | None]) -> list[Row | None]:
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

    def _init_resource_pool_mgr(self) -> None:
        super()._init_resource_pool_mgr()
        if get_device_name() == "cpu":
            from egca_plugin.adapters.verl.detached_cpu import CpuDetachActorWorker

            for role in (Role.ActorRolloutRef, Role.ActorRollout, Role.Actor):
                if role in self.role_worker_mapping:
                    self.role_worker_mapping[role] = ray.remote(CpuDetachActorWorker)
