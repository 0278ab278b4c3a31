"""Groups judged as one, for a framework that makes a prompt's samples side by side in one process.

They meet in a :class:`Together`, so that siblings that pass serve the others as references. A sample that cannot be
judged costs no other its verdict.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from weakref import WeakKeyDictionary

from egca_plugin.adapters import unjudged
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, SandboxError, TaskError
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.types import Completion, Credit

logger = logging.getLogger(__name__)


class Judge(Protocol):
    """What judges a group; a pool of sandboxes in a run. None stands for a sample that could not be judged."""

    def __call__(self, group: Group) -> Coroutine[None, None, Sequence[Credit | None]]: ...


class PoolJudge:
    """Judges groups in a pool of trusted processes, each beside its own sandbox; they die with this one.

    Raises SandboxError where the sandbox does not start, and where neither a whole group nor a sound program can be
    judged: then it is no sample that is broken.
    """

    def __init__(self, config: EgcaConfig, *, largest_group: int = 1) -> None:
        workers = config.sandbox.workers or max(1, min(8, len(os.sched_getaffinity(0)) // 2))
        self._pool: Pool = open_pool(config, workers=workers, largest_group=largest_group)
        self._pool.start()
        self._workers_lost = 0

    def close(self) -> None:
        """Stop the pool's processes."""
        self._pool.close()

    async def __call__(self, group: Group) -> list[Credit | None]:
        """The credits of ``group``, in its order; reward 0 for all where its task cannot be used."""
        credits = await self._settled(group)
        if all(credit is None for credit in credits):
            raise SandboxError(
                f"{group.task.task_id}: none of {len(credits)} samples could be judged, nor a sound program; see the "
                "log, and `egca doctor`"
            )
        lost, self._workers_lost = self._pool.restarts - self._workers_lost, self._pool.restarts
        if lost:  # the next sample to be done carries it to the metrics
            at = next(i for i, credit in enumerate(credits) if credit is not None)
            found = credits[at]
            assert found is not None
            credits[at] = replace(found, restarts={**found.restarts, "worker": lost})
        return credits

    async def _settled(self, group: Group) -> list[Credit | None]:
        """A group that fails is judged again, each sample alone."""
        try:
            return [unjudged.require(credit) for credit in await self._pool.run(group)]
        except TaskError as error:
            logger.warning("egca: samples have reward 0, their task cannot be used: %s", error)
            return [unjudged.bad_task(error)] * len(group.completions)
        except EgcaError as error:  # whatever a worker raises arrives as one
            if len(group.completions) == 1:
                return [await self._alone(group, error)]
            logger.warning("egca: %s: a group failed, each of it is judged alone: %s", group.task.task_id, error)
        alone = [replace(group, completions=(one,)) for one in group.completions]
        return [credit for (credit,) in await asyncio.gather(*map(self._settled, alone))]

    async def _alone(self, group: Group, first: EgcaError) -> Credit | None:
        """A sample that failed, once more: its verdict, reward 0 where a sound program has one, else None."""
        try:
            credit = unjudged.require((await self._pool.run(unjudged.without_credit(group)))[0])
        except EgcaError:
            return await self._given_up(group, first)
        return credit if group.judge_only else unjudged.stage_failed(credit)

    async def _given_up(self, group: Group, first: EgcaError) -> Credit | None:
        try:
            unjudged.require_control((await self._pool.run(unjudged.CONTROL))[0])
        except EgcaError as error:
            logger.error("egca: %s: neither a sample nor a sound program: %s; %s", group.task.task_id, first, error)
            return None
        logger.error("egca: %s: a sample has reward 0, no worker survives it: %s", group.task.task_id, first)
        return unjudged.unjudged(first)


@dataclass(slots=True)
class _Table:
    """One prompt's ``size`` samples: how many have a seat, how many will not come, and who is there, by seat."""

    group: Group  # without its completions
    size: int
    seats: int = 0
    gone: int = 0
    texts: dict[int, str] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    judging: asyncio.Task[Sequence[Credit | None]] | None = None


class Seat:
    """One sample's place among its siblings. Either :meth:`judged` or :meth:`leave` ends it."""

    def __init__(self, judge: Judge, table: _Table) -> None:
        self._judge, self._table, self._number = judge, table, table.seats
        table.seats += 1

    async def judged(self, text: str) -> tuple[Credit | None, float]:
        """This sample's credit and the mean reward of those that have one, as soon as all siblings are there or gone.

        Raises what the judge raises.
        """
        table = self._table
        table.texts[self._number] = text
        self._meet()
        await table.complete.wait()
        assert table.judging is not None, "one is there"
        credits = await asyncio.shield(table.judging)  # who is cancelled must not take it from the others
        rewards = [credit.reward for credit in credits if credit is not None]
        own = credits[sorted(table.texts).index(self._number)]
        return own, sum(rewards) / len(rewards) if rewards else 0.0

    def leave(self) -> None:
        """The sample will not come."""
        self._table.gone += 1
        self._meet()

    def _meet(self) -> None:
        """Have those who are there judged where nobody is missing any more."""
        table = self._table
        if len(table.texts) + table.gone < table.size:
            return
        if table.texts:
            there = tuple(Completion(table.texts[number]) for number in sorted(table.texts))
            table.judging = asyncio.ensure_future(self._judge(replace(table.group, completions=there)))
        table.complete.set()


class Together:
    """The tables at which samples wait for their siblings, by whatever names a prompt."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._tables: WeakKeyDictionary[object, _Table] = WeakKeyDictionary()

    def seat(self, prompt: object, group: Group, size: int) -> Seat:
        """A seat among the ``size`` samples of ``prompt``; ``group`` as it is to be judged, without completions.

        To be taken before the sample is made: then their order is not that in which they are done.
        """
        return Seat(self._judge, self._tables.setdefault(prompt, _Table(group, size)))
