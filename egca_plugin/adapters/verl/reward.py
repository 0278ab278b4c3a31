"""Reward manager ``reward.reward_manager.name=egca``: judges programs and says which sampled tokens are to blame.

It runs in verl's reward workers (Ray actors). No candidate's code runs here: a pool of trusted processes does the work,
each with its own sandbox.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Protocol

from verl import DataProto
from verl.experimental.reward_loop.reward_manager import register
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing
from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion, Credit, Task


class Judge(Protocol):
    """What judges one completion; the pool of sandboxes in a run."""

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit: ...


@register("egca")
class EgcaRewardManager(RewardManagerBase):
    """``run_single`` gives the reward and, in ``reward_extra_info``, the credit on the sampled tokens."""

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
        judge: Judge | None = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        chosen = settings.read(config)
        self._reader = Reader(tokenizer)
        names = (f.name for f in dataclasses.fields(Placing) if f.name != "enabled")
        self._placing = Placing(chosen.enabled, **{name: getattr(chosen.egca, name) for name in names})
        self._judge = judge if judge is not None else _open_judge(chosen, config.reward.num_workers)

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """One session, judged by its last output. Raises TaskError for a row without a task."""
        item = data[-1]
        extra = item.non_tensor_batch.get("extra_info") or {}
        task = parquet.task_of(item.non_tensor_batch.get("reward_model"), f"data set row {extra.get('index')}")
        response = self._reader.read(_response_ids(item))
        step = item.non_tensor_batch.get("global_steps")
        completion = Completion(response.text, group_id=str(item.non_tensor_batch.get("uid", "")))
        validation = bool(item.non_tensor_batch.get(rows.VALIDATION, False))
        credit = await self._judge(task, completion, None if step is None else int(step), judge_only=validation)
        row = response.row(credit, task.task_id, self._placing)
        return {"reward_score": credit.reward, "reward_extra_info": channel.pack(row)}


def _response_ids(item: Any) -> list[int]:
    """The sampled ids of one output, without the padding that verl adds where a session has several outputs."""
    responses = item.batch["responses"]
    length = item.non_tensor_batch.get("response_len")
    if length is None:  # the legacy and the colocated paths: attention_mask is laid out as [prompts | responses]
        length = item.batch["attention_mask"][-len(responses) :].sum()
    return [int(token) for token in responses[: int(length)]]


def _open_judge(chosen: settings.Settings, managers: int) -> Judge:
    from egca_plugin.adapters.verl.judging import PoolJudge  # the sandbox is needed in a run only, not to register

    cores = len(os.sched_getaffinity(0))
    return PoolJudge(chosen, workers=chosen.egca.sandbox.workers or max(1, min(8, cores // max(managers, 1))))
