"""The reward manager's judge: the whole pipeline in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

import logging
from dataclasses import replace

import ray

from egca_plugin.adapters.verl.settings import Settings
from egca_plugin.adapters.verl.shared_bank import BankLink
from egca_plugin.errors import SandboxError
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.types import Completion, Credit, Outcome, Task

logger = logging.getLogger(__name__)


class PoolJudge:
    """Judges one completion at a time; verl asks for many at once from one event loop.

    The pool's processes die with this one. Raises SandboxError where a sample could not be judged: verl then logs the
    cause and trains on the rest of the group, so a broken sandbox never looks like a wrong answer.
    """

    def __init__(self, chosen: Settings, workers: int) -> None:
        config = chosen.egca if chosen.enabled else replace(chosen.egca, localizer="uniform", bank="")
        self._pool = open_pool(config, workers=workers)
        self._pool.start()
        self._workers_lost = 0
        self._restarted = _was_restarted()
        if self._restarted:
            logger.warning("egca: this reward worker died and was started again by Ray; its samples are judged again")
        self._link = BankLink(config.bank) if config.bank and ray.is_initialized() else None

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit:
        credit: Credit = (await self._pool.run(Group(task, (completion,), step, judge_only)))[0]
        if credit.outcome is Outcome.INFRASTRUCTURE:
            raise SandboxError(f"{task.task_id}: a sample could not be judged and is left out: {credit.stage}")
        if self._link is not None and not judge_only:
            self._link.saw(task)
        restarts = self._new_restarts()
        return replace(credit, restarts={**credit.restarts, **restarts}) if restarts else credit

    def _new_restarts(self) -> dict[str, int]:
        """What was lost and replaced since the last sample; the next one to be done carries it to the metrics."""
        new = {"worker": self._pool.restarts - self._workers_lost, "reward_worker": int(self._restarted)}
        self._workers_lost, self._restarted = self._pool.restarts, False
        return {kind: count for kind, count in new.items() if count}


def _was_restarted() -> bool:
    """Is this process an actor that Ray started again?"""
    if not ray.is_initialized():
        return False
    here = ray.get_runtime_context()
    return here.get_actor_id() is not None and bool(here.was_current_actor_reconstructed)
