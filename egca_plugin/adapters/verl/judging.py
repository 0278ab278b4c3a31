"""The reward manager's judge: the whole pipeline in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

from dataclasses import replace

from egca_plugin.adapters.verl.settings import Settings
from egca_plugin.pipeline import HANDLER, Group
from egca_plugin.sandbox.pool import Pool
from egca_plugin.types import Completion, Credit, Task


class PoolJudge:
    """Judges one completion at a time; verl asks for many at once from one event loop."""

    def __init__(self, chosen: Settings, workers: int) -> None:
        config = chosen.egca if chosen.enabled else replace(chosen.egca, localizer="uniform")
        self._pool = Pool(HANDLER, config, workers=workers)

    async def __call__(self, task: Task, completion: Completion) -> Credit:
        credits = await self._pool.run(Group(task, (completion,)))
        return credits[0]
