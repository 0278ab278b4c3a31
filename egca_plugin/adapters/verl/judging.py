"""The reward manager's judge: the whole pipeline in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

from dataclasses import replace

import ray

from egca_plugin.adapters.verl.settings import Settings
from egca_plugin.adapters.verl.shared_bank import BankLink
from egca_plugin.errors import SandboxError
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.types import Completion, Credit, Outcome, Task


class PoolJudge:
    """Judges one completion at a time; verl asks for many at once from one event loop.

    The pool's processes die with this one. Raises SandboxError where a sample could not be judged: verl then logs the
    cause and trains on the rest of the group, so a broken sandbox never looks like a wrong answer.
    """

    def __init__(self, chosen: Settings, workers: int) -> None:
        config = chosen.egca if chosen.enabled else replace(chosen.egca, localizer="uniform", bank="")
        self._pool = open_pool(config, workers=workers)
        self._pool.start()
        self._link = BankLink(config.bank) if config.bank and ray.is_initialized() else None

    async def __call__(self, task: Task, completion: Completion, step: int | None) -> Credit:
        credit: Credit = (await self._pool.run(Group(task, (completion,), step)))[0]
        if credit.outcome is Outcome.INFRASTRUCTURE:
            raise SandboxError(f"{task.task_id}: a sample could not be judged and is left out: {credit.stage}")
        if self._link is not None:
            self._link.saw(task)
        return credit
