"""This process' judge: both phases in a pool of trusted processes, each beside its own sandbox."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from egca_plugin.adapters import unjudged
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, SandboxError, TaskError
from egca_plugin.judged import Judged
from egca_plugin.pipeline import JUDGE_ONLY, PENDING, Crediting, Group, Judging, learnt, open_pool
from egca_plugin.types import Completion, Credit

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
        """The credits of each group, in its order: all are judged side by side, then credited group by group.

        A sample that cannot be judged is logged and left out. One whose task cannot be used has a credit with reward 0,
        as all of its group. Raises SandboxError where nothing could be judged: then it is not a sample that is broken.
        """
        asked = [[self._pool.submit(_judging(group, one)) for one in group.completions] for group in groups]
        judged = [
            [self._judged(group, number, future) for number, future in enumerate(futures)]
            for group, futures in zip(groups, asked, strict=True)
        ]
        if groups and not any(sample for samples in judged for sample in samples):
            count = sum(map(len, judged))
            raise SandboxError(
                f"none of {count} samples could be judged; the last cause: {self._cause}"
            ) from self._cause
        credits = [self._pool.submit(_crediting(group, samples)) for group, samples in zip(groups, judged, strict=True)]
        return [self._credited(*one) for one in zip(groups, judged, credits, strict=True)]

    def _judged(self, group: Group, number: int, future: Future[Any], attempts: int = 1) -> _Sample | None:
        """A sample that fails is judged once more, by other workers: one costs no other its verdict."""
        try:
            judged, credit = future.result()
        except TaskError as error:
            logger.warning("egca: a sample has reward 0, its task cannot be used: %s", error)
            return None, unjudged.bad_task(error)
        except EgcaError as error:  # whatever a worker raises arrives as one
            if attempts:
                again = self._pool.submit(_judging(group, group.completions[number]))
                return self._judged(group, number, again, attempts - 1)
            logger.error("egca: %s: a sample could not be judged and is left out: %s", group.task.task_id, error)
            self._cause = error
            return None
        lost, self._workers_lost = self._pool.restarts - self._workers_lost, self._pool.restarts
        if lost:  # the next sample to be done carries it to the metrics
            credit = replace(credit, restarts={**credit.restarts, "worker": lost})
        return (None if group.judge_only else judged), credit

    def _credited(
        self, group: Group, samples: Sequence[_Sample | None], future: Future[list[Credit]]
    ) -> list[Credit | None]:
        """A group that fails is credited one by one: that costs nobody else a span."""
        there = [sample for sample in samples if sample is not None and sample[0] is not None]
        try:
            credits: list[Credit | None] = list(future.result())
        except EgcaError as error:
            logger.warning("egca: %s: samples keep plain GRPO credit: %s", group.task.task_id, error)
            if len(there) > 1:
                alone = [(one, self._pool.submit(_crediting(group, [one]))) for one in there]
                credits = [self._credited(group, [one], asked)[0] for one, asked in alone]
            else:
                credits = [unjudged.stage_failed(credit) for _, credit in there]
        found = iter(credits)
        return [
            sample if sample is None else sample[1] if sample[0] is None else _with_restarts(next(found), sample[1])
            for sample in samples
        ]


_Sample = tuple[Judged | None, Credit]  # what crediting needs, None where there is no more to be found; the verdict


def _judging(group: Group, completion: Completion) -> Judging:
    return Judging(group.task, completion, JUDGE_ONLY if group.judge_only else PENDING)


def _crediting(group: Group, samples: Sequence[_Sample | None]) -> Crediting:
    there = [sample for sample in samples if sample is not None]
    agree = learnt([credit.reward for _, credit in there]) if group.whole else None
    return Crediting(group.task, tuple(one for one, _ in there if one is not None), group.step, agree)


def _with_restarts(credit: Credit | None, before: Credit) -> Credit | None:
    return credit and replace(credit, restarts={**before.restarts, **credit.restarts})


def _share_of_cores() -> int:
    """Of this machine's, for each of its ranks; at most 8. The launchers of torch and accelerate tell how many."""
    cores = len(os.sched_getaffinity(0))
    return max(1, min(8, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
