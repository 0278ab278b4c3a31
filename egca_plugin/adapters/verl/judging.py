"""A judge in a verl process: both phases in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ray

from egca_plugin.adapters import unjudged
from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl.shared_bank import BankLink
from egca_plugin.credit.standing import FAILED, gated
from egca_plugin.errors import EgcaError, SandboxError, TaskError
from egca_plugin.pipeline import JUDGE_ONLY, PENDING, Ahead, Answer, Crediting, Judged, Judging, open_pool
from egca_plugin.references import Reference
from egca_plugin.types import Completion, Credit, Localization, Task

logger = logging.getLogger(__name__)

_CONTROL = Judging(unjudged.CONTROL.task, unjudged.CONTROL.completions[0], JUDGE_ONLY)


class PoolJudge:
    """Judges one completion at a time and credits groups; verl asks for many at once from one event loop.

    The pool's processes die with this one. A sample that fails where a sound program passes has reward 0 and a reason
    (:mod:`egca_plugin.adapters.unjudged`): verl would leave it out of its group. Raises SandboxError where not even
    that one passes, so that a broken sandbox never looks like a wrong answer.
    """

    def __init__(self, chosen: Settings, workers: int, *, largest_group: int = 1, kind: str = "reward_worker") -> None:
        """``kind``: what this process counts as where Ray had to start it again."""
        self.config = chosen.egca if chosen.enabled else replace(chosen.egca, localizer="uniform", bank="")
        self._pool = open_pool(self.config, workers=workers, largest_group=largest_group)
        self._pool.start()
        self._workers_lost = 0
        self._kind = kind
        self._restarted = was_restarted()
        if self._restarted:
            logger.warning("egca: this %s died and was started again by Ray; its samples are judged again", kind)
        self._link = BankLink(self.config.bank) if self.config.bank and ray.is_initialized() else None

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit:
        """Both phases, of a sample that nobody else is compared with."""
        judged, credit = await self.judge(task, completion, judge_only=judge_only)
        if judged is None or judge_only:
            return credit
        (whole,) = await self.credit(task, [(judged, credit)], step)
        return replace(whole, restarts={**credit.restarts, **whole.restarts})

    async def judge(
        self, task: Task, completion: Completion, *, judge_only: bool = False
    ) -> tuple[Judged | None, Credit]:
        """The first phase: what the second needs, None where there is none, and the credit until then."""
        try:
            judged, credit = await self._judged(task, completion, JUDGE_ONLY if judge_only else PENDING)
        except TaskError as error:
            logger.warning("egca: a sample has reward 0, its task cannot be used: %s", error)
            judged, credit = None, unjudged.bad_task(error)
        restarts = self._new_restarts()
        return judged, replace(credit, restarts={**credit.restarts, **restarts}) if restarts else credit

    async def credit(
        self,
        task: Task,
        samples: Sequence[tuple[Judged, Credit]],
        step: int | None,
        *,
        learnt: frozenset[int] | None = None,
        ahead: Mapping[str, Answer] | None = None,
    ) -> list[Credit]:
        """The second phase of a group, or of a part of one. A sample that cannot be credited keeps its verdict.

        ``ahead``: what :meth:`ahead` has answered already, by the program's source.
        """
        asked = Crediting(task, tuple(judged for judged, _ in samples), step, learnt, ahead or {})
        try:
            credits: list[Credit] = await self._pool.run(asked)
        except EgcaError as error:
            logger.warning("egca: %s: a group could not be credited, plain GRPO credit: %s", task.task_id, error)
            if len(samples) > 1:  # one by one, so that it costs nobody else a span
                return [(await self.credit(task, [one], step, ahead=ahead))[0] for one in samples]
            return [unjudged.stage_failed(credit) for _, credit in samples]
        if self._link is not None:
            self._link.saw(task)
        return self._with_restarts(credits, samples)

    async def ahead(
        self,
        task: Task,
        one: Judged,
        step: int | None,
        *,
        siblings: Sequence[Reference] = (),
        first: Answer | None = None,
    ) -> Answer | None:
        """The part of the second phase that is one sample's: see :meth:`egca_plugin.assessor.Assessor.ahead`.

        A sample that costs the workers that try has no span, and costs no more of them.
        """
        try:
            answer: Answer | None = await self._pool.run(Ahead(task, one, step, tuple(siblings), first))
        except EgcaError as error:
            logger.warning("egca: %s: a sample could not be credited, plain GRPO credit: %s", task.task_id, error)
            return Answer(Localization(reason=FAILED), gated(one, self.config).mode, final=True)
        return answer

    async def _judged(self, task: Task, completion: Completion, reason: str) -> tuple[Judged | None, Credit]:
        asked = Judging(task, completion, reason)
        try:
            return await self._ask(asked)
        except TaskError:
            raise
        except EgcaError as error:
            first = error
        logger.warning("egca: %s: a sample failed and is judged once more: %s", task.task_id, first)
        try:
            return await self._ask(asked)
        except TaskError:
            raise
        except EgcaError:
            try:
                unjudged.require_control((await self._ask(_CONTROL))[1])
            except EgcaError as error:
                raise SandboxError(
                    f"{task.task_id}: a sample could not be judged, and neither could a sound program: {first}"
                ) from error
            logger.error("egca: %s: a sample has reward 0, no worker survives it: %s", task.task_id, first)
            return None, unjudged.unjudged(first)

    async def _ask(self, asked: Judging) -> tuple[Judged, Credit]:
        judged, credit = await self._pool.run(asked)
        return judged, unjudged.require(credit)

    def _with_restarts(self, credits: list[Credit], samples: Sequence[tuple[Judged, Credit]]) -> list[Credit]:
        """The first of those that are waited for tells what was lost and replaced."""
        first = next((i for i, (_, early) in enumerate(samples) if early.reason == PENDING), None)
        if first is not None and (restarts := self._new_restarts()):
            credits[first] = replace(credits[first], restarts={**credits[first].restarts, **restarts})
        return credits

    def _new_restarts(self) -> dict[str, int]:
        """What was lost and replaced since the last sample; the next one to be done carries it to the metrics."""
        new = {"worker": self._pool.restarts - self._workers_lost, self._kind: int(self._restarted)}
        self._workers_lost, self._restarted = self._pool.restarts, False
        return {kind: count for kind, count in new.items() if count}


def share_of_cores(managers: int) -> int:
    """Workers of one reward worker where ``managers`` of them share a node; at most 8."""
    return max(1, min(8, len(os.sched_getaffinity(0)) // max(managers, 1)))


def was_restarted() -> bool:
    """Is this process an actor that Ray started again?"""
    if not ray.is_initialized():
        return False
    here: Any = ray.get_runtime_context()
    return here.get_actor_id() is not None and bool(here.was_current_actor_reconstructed)
