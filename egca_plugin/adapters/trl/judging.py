"""This process' judge: the whole pipeline in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, SandboxError
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.types import Credit, Outcome

logger = logging.getLogger(__name__)


class Judge(Protocol):
    """What judges groups; the pool of sandboxes in a run. None stands for a sample that could not be judged."""

    def __call__(self, groups: Sequence[Group]) -> list[list[Credit | None]]: ...


class PoolJudge:
    """Judges groups side by side. Raises SandboxError when the sandbox does not start."""

    def __init__(self, config: EgcaConfig, *, largest_group: int = 1) -> None:
        workers = config.sandbox.workers or _share_of_cores()
        self._pool = open_pool(config, workers=workers, largest_group=largest_group)
        self._pool.start()
        self._workers_lost = 0
        self._cause: EgcaError | None = None

    def close(self) -> None:
        """Stop the pool's processes. They die with this one in any case."""
        self._pool.close()

    def __call__(self, groups: Sequence[Group]) -> list[list[Credit | None]]:
        """The credits of each group, in its order. A sample that fails is logged and left out.

        Raises SandboxError where all of them fail: then it is not a sample that is broken.
        """
        futures = [self._pool.submit(group) for group in groups]
        judged = [self._settled(group, future) for group, future in zip(groups, futures, strict=True)]
        if groups and not any(credit for credits in judged for credit in credits):
            count = sum(map(len, judged))
            raise SandboxError(
                f"none of {count} samples could be judged; the last cause: {self._cause}"
            ) from self._cause
        return judged

    def _settled(self, group: Group, future: Future[list[Credit]]) -> list[Credit | None]:
        """A group that fails is judged again, each sample alone: one costs no other its verdict."""
        try:
            credits = future.result()
            for credit in credits:
                if credit.outcome is Outcome.INFRASTRUCTURE:
                    raise SandboxError(credit.stage)
        except EgcaError as error:  # whatever a worker raises arrives as one
            if len(group.completions) > 1:
                alone = [replace(group, completions=(one,)) for one in group.completions]
                return [self._settled(one, self._pool.submit(one))[0] for one in alone]
            logger.error("egca: %s: a sample could not be judged and is left out: %s", group.task.task_id, error)
            self._cause = error
            return [None]
        lost, self._workers_lost = self._pool.restarts - self._workers_lost, self._pool.restarts
        if lost:  # the next sample to be done carries it to the metrics
            credits[0] = replace(credits[0], restarts={**credits[0].restarts, "worker": lost})
        return list(credits)


def _share_of_cores() -> int:
    """Of this machine's, for each of its ranks; at most 8. The launchers of torch and accelerate tell how many."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(8, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
