"""Reward manager ``reward.reward_manager.name=egca``: judges programs and says which sampled tokens are to blame.

It runs in verl's reward workers (Ray actors). No candidate's code runs here: a pool of trusted processes does the work,
each with its own sandbox. Under our trainers that is the pool of the node's credit service
(:mod:`egca_plugin.adapters.verl.service`): the reward is answered as soon as a sample is judged, and the row has a
ticket for its credit. Under others this process has a pool of its own, and each sample is judged and credited alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from verl import DataProto
from verl.experimental.reward_loop.reward_manager import register
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase
from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager

from egca_plugin.adapters import unjudged
from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.adapters.turns import Turns
from egca_plugin.adapters.verl import channel, rows, settings
from egca_plugin.adapters.verl.judging import PoolJudge, share_of_cores
from egca_plugin.adapters.verl.node import ServiceLink, find_services
from egca_plugin.adapters.verl.service import Sample
from egca_plugin.errors import TaskError
from egca_plugin.pipeline import PENDING
from egca_plugin.tasks.rows import place, task_of_row
from egca_plugin.types import Completion, Credit, Task, TokenSpan

_ONE_TURN = 2  # as verl counts: the user's and the assistant's


class Judge(Protocol):
    """What judges and credits one completion by itself; the pool of sandboxes in a run."""

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit: ...


@register("egca")
class EgcaRewardManager(RewardManagerBase):
    """``run_single`` gives the reward and, in ``reward_extra_info``, the credit on the sampled tokens.

    A row that is no code goes to verl's ``naive`` manager with ``compute_score``, which is verl's own scorer or the
    configured ``reward.custom_reward_function``.
    """

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
        judge: Judge | None = None,
        service: ServiceLink | None = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        chosen = settings.read(config)
        self._reader, self._turns = Reader(tokenizer), Turns(tokenizer)
        self._placing = Placing.of(chosen.egca, chosen.enabled)
        self._others = NaiveRewardManager(
            config, tokenizer, compute_score, reward_router_address, reward_model_tokenizer
        )
        self._service = service if service is not None or judge is not None else find_services()
        self._judge = (
            judge
            or self._service
            or PoolJudge(chosen, chosen.egca.sandbox.workers or share_of_cores(config.reward.num_workers))
        )

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """One session, judged by its last output. A row whose task cannot be read has reward 0, counted."""
        item = data[-1]
        columns = item.non_tensor_batch
        where = place(columns, "a row of the data set")
        try:
            task = task_of_row(columns, where)
        except TaskError as error:  # named at the start already
            row = Row(unjudged.bad_task(error), where, (), len(_response_ids(item)), placing=self._placing)
            return {"reward_score": 0.0, "reward_extra_info": channel.pack(row)}
        if task is None:
            return await self._scored_elsewhere(data)
        ids = _response_ids(item)
        response = self._reader.read(ids, self._foreign(item, ids))
        credit, ticket = await self._judged(task, response, columns)
        row = self._reader.row(response, credit, task.task_id, self._placing)
        if credit.reason == PENDING:
            row = replace(row, ticket=ticket)
        return {"reward_score": credit.reward, "reward_extra_info": channel.pack(row)}

    def _foreign(self, item: Any, ids: Sequence[int]) -> tuple[TokenSpan, ...]:
        """What tools wrote: verl's reward loop is told the number of turns, and not which tokens were sampled."""
        turns = item.non_tensor_batch.get("__num_turns__")
        return self._turns.foreign(ids) if turns is not None and int(turns) > _ONE_TURN else ()

    async def _judged(self, task: Task, response: Response, columns: Mapping[str, Any]) -> tuple[Credit, Ticket | None]:
        """All at once in validation, in a run without EGCA, and where no trainer of ours fetches the rest."""
        step = rows.step_of(columns)
        if self._service is not None and self._placing.enabled:
            ticket = rows.ticket_of(columns)
            if ticket is not None:
                return await self._service.judge(Sample(ticket, task, response, step, self._placing))
        completion = Completion(response.text, group_id=str(columns.get("uid", "")))
        validation = bool(columns.get(rows.VALIDATION, False))
        return await self._judge(task, completion, step, judge_only=validation), None

    async def _scored_elsewhere(self, data: DataProto) -> dict[str, Any]:
        """The scorer's own reward. Of its extras ``acc`` alone is kept: verl wants the same keys in every sample."""
        scored = await self._others.run_single(data)
        score = float(scored["reward_score"])
        try:
            acc = float(scored["reward_extra_info"].get("acc", score))
        except (TypeError, ValueError):
            acc = score
        row = Row.of_another_scorer("verl", score, len(_response_ids(data[-1])))
        return {"reward_score": score, "reward_extra_info": channel.pack(row, acc)}


def _response_ids(item: Any) -> list[int]:
    """The sampled ids of one output, without the padding that verl adds where a session has several outputs."""
    responses = item.batch["responses"]
    length = item.non_tensor_batch.get("response_len")
    if length is None:  # the legacy and the colocated paths: attention_mask is laid out as [prompts | responses]
        length = item.batch["attention_mask"][-len(responses) :].sum()
    return [int(token) for token in responses[: int(length)]]
