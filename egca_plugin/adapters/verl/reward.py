"""Reward manager ``reward.reward_manager.name=egca``: judges programs and says which sampled tokens are to blame.

It runs in verl's reward workers (Ray actors). No candidate's code runs here: a pool of trusted processes does the work,
each with its own sandbox.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from typing import Any, Protocol

from verl import DataProto
from verl.experimental.reward_loop.reward_manager import register
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.credit.spans import AlignedText
from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.errors import TokenizerError
from egca_plugin.program.fences import reasoning
from egca_plugin.types import Completion, Credit, Span, Task

logger = logging.getLogger(__name__)


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
        self._tokenizer = tokenizer
        chosen = settings.read(config)
        self._token_bytes = TokenBytes(tokenizer)
        names = (f.name for f in dataclasses.fields(channel.Placing) if f.name != "enabled")
        self._placing = channel.Placing(chosen.enabled, **{name: getattr(chosen.egca, name) for name in names})
        self._judge = judge if judge is not None else _open_judge(chosen, config.reward.num_workers)

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """One session, judged by its last output. Raises TaskError for a row without a task."""
        item = data[-1]
        extra = item.non_tensor_batch.get("extra_info") or {}
        task = rows.task_of(item.non_tensor_batch.get("reward_model"), f"data set row {extra.get('index')}")
        ids = _response_ids(item)
        text, aligned, fallback = self._align(ids)
        step = item.non_tensor_batch.get("global_steps")
        completion = Completion(text, group_id=str(item.non_tensor_batch.get("uid", "")))
        validation = bool(item.non_tensor_batch.get(rows.VALIDATION, False))
        credit = await self._judge(task, completion, None if step is None else int(step), judge_only=validation)
        spans = aligned.tokens(credit.spans) if aligned is not None else ()
        if credit.spans and not spans and not fallback:
            fallback = "span_without_tokens"
        thinking = aligned.tokens([Span(*stretch) for stretch in reasoning(text)]) if aligned is not None else ()
        row = channel.Row(
            credit, task.task_id, spans, len(ids), fallback if credit.spans else "", thinking, self._placing
        )
        return {"reward_score": credit.reward, "reward_extra_info": channel.pack(row)}

    def _align(self, ids: Sequence[int]) -> tuple[str, AlignedText | None, str]:
        """The text and its map to tokens, or the text alone and why there is no map: then credit stays uniform."""
        try:
            aligned = self._token_bytes.align(ids)
        except TokenizerError as error:
            logger.warning("egca: a response keeps uniform credit: %s", error)
            text = self._tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
            return text, None, "tokenizer_mismatch"
        return aligned.text, aligned, ""


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
