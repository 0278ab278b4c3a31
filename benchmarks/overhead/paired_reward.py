"""The reward manager of a paired run: EGCA's own in its steps, a plain one over the same pool in GRPO's."""

from __future__ import annotations

import time
from typing import Any

from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from benchmarks.overhead.schedule import EGCA, arm_of
from egca_plugin.adapters.verl.node import find_services
from egca_plugin.adapters.verl.reward import EgcaRewardManager
from egca_plugin.tasks.rows import task_of_row
from egca_plugin.types import Completion


class PlainRewardManager(RewardManagerBase):
    """verl's ``naive`` manager with the sandbox as its scorer: decode, judge, return the reward and nothing else."""

    def __init__(self, config: Any, tokenizer: Any, judge: Any) -> None:
        super().__init__(config, tokenizer, None)
        self._judge = judge

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        item = data[-1]
        task = task_of_row(item.non_tensor_batch, "replayed row")
        ids = item.batch["responses"][: int(item.non_tensor_batch["response_len"])]
        text = await self.loop.run_in_executor(None, lambda: self.tokenizer.decode(ids, skip_special_tokens=True))
        credit = await self._judge(task, Completion(text), None, judge_only=True)
        return {"reward_score": credit.reward, "reward_extra_info": {"acc": credit.reward}}


class PairedRewardManager(RewardManagerBase):
    """Named in ``reward.reward_manager`` with the source ``importlib``."""

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        self._plain = PlainRewardManager(config, tokenizer, find_services())
        self._egca = EgcaRewardManager(config, tokenizer, compute_score)
        self._slow_s = float(config.get("egca_bench", {}).get("slow_s", 0.0))

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        if arm_of(int(data[-1].non_tensor_batch["global_steps"])) != EGCA:
            return await self._plain.run_single(data)
        if self._slow_s:  # a deliberate slow-down, to see whether the harness notices it
            time.sleep(self._slow_s)
        return await self._egca.run_single(data)
