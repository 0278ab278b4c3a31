"""The credit service: on each node one actor that judges at once and credits when a group is complete.

Reward workers hand it their samples over the node's own pool of sandboxes. It answers with the verdict, holds what was
judged, and credits a group behind the trainer's own work: as soon as it is complete, where its rewards differ, or when
the trainer says that no more of it will come. What hangs on one sample alone it does ahead of that, as soon as some of
the group have passed and some failed: before, nobody knows that the group has an advantage. The trainer fetches the
credits when it computes advantages. What is held is bounded, and dropped when it was fetched or overtaken.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from egca_plugin.adapters.responses import Response, ToRow
from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.errors import SandboxError
from egca_plugin.pipeline import PENDING, Answer, Judged, learnt
from egca_plugin.references import Reference, siblings
from egca_plugin.types import Completion, Credit, Task

logger = logging.getLogger(__name__)

HELD = 512 << 20  # bytes of samples that wait for their group, or to be fetched


@dataclass(frozen=True, slots=True)
class Sample:
    """One response on its way through both phases; ``step`` is the training step for which it was sampled."""

    ticket: Ticket
    task: Task
    response: Response
    step: int | None
    placing: Placing


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched: ``rows`` by group and place, ``late`` groups that were not ready, and how many samples the
    service gave up since the last time for want of room."""

    rows: Mapping[tuple[str, int], Row]
    late: frozenset[str] = frozenset()
    dropped: int = 0


class Phases(Protocol):
    """What does the work: :class:`egca_plugin.adapters.verl.judging.PoolJudge` in a run."""

    async def judge(
        self, task: Task, completion: Completion, *, judge_only: bool = False
    ) -> tuple[Judged | None, Credit]: ...

    async def credit(
        self,
        task: Task,
        samples: Sequence[tuple[Judged, Credit]],
        step: int | None,
        *,
        learnt: frozenset[int] | None = None,
        ahead: Mapping[str, Answer] | None = None,
    ) -> list[Credit]: ...

    async def ahead(
        self,
        task: Task,
        one: Judged,
        step: int | None,
        *,
        siblings: Sequence[Reference] = (),
        first: Answer | None = None,
    ) -> Answer | None: ...


_Held = tuple[Sample, Judged, Credit]


@dataclass(eq=False)
class _Group:
    """The samples of one prompt here, by their place in the group. Of those that are ``held``, judged that is, nobody
    has begun to credit the ``waiting`` ones, but for what is done ``ahead``, by the program's source."""

    step: int | None
    asked: dict[int, asyncio.Task[Credit]] = field(default_factory=dict)
    texts: dict[str, asyncio.Task[tuple[Judged | None, Credit]]] = field(default_factory=dict)
    held: dict[int, _Held] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    rewards: dict[int, float] = field(default_factory=dict)  # of all that are judged
    ahead: dict[str, asyncio.Task[Answer | None]] = field(default_factory=dict)
    work: list[asyncio.Task[None]] = field(default_factory=list)
    rows: dict[int, Row] = field(default_factory=dict)
    weight: int = 0
    restored: bool = False

    def cancel(self) -> None:
        for task in (*self.work, *self.ahead.values()):
            task.cancel()


class CreditService:
    """State and order of one node's samples; lives in one event loop. ``to_row`` brings a credit onto its tokens.

    ``size``: samples of a whole group. ``at_once``: groups, and samples ahead of theirs, that are credited at a time,
    so that what is to be judged waits for the first of them to end, and not for all that wait. ``everyone``: groups
    that are rewarded alike are credited too (``egca.localize=all``).
    """

    def __init__(
        self, phases: Phases, *, to_row: ToRow, size: int, at_once: int, everyone: bool = False, held: int = HELD
    ) -> None:
        self._phases, self._to_row, self._size, self._everyone, self._most = phases, to_row, size, everyone, held
        self._groups: dict[str, _Group] = {}  # the oldest first
        self._turn = asyncio.Semaphore(max(1, at_once))
        self._held = 0
        self._dropped = 0  # samples that were given up for want of room, since it was told

    async def judge(self, sample: Sample) -> Credit:
        """The verdict, as soon as it is there. The reason PENDING promises more, for :meth:`fetch`.

        Asked again, as Ray does where a reward worker died, it answers the same. Raises SandboxError.
        """
        uid, place = sample.ticket.group, sample.ticket.sample
        if uid in self._groups and self._groups[uid].restored:  # it was underway, and is sampled anew as a whole
            self._drop(uid)
        group = self._groups.setdefault(uid, _Group(sample.step))
        if place not in group.asked:
            group.asked[place] = asyncio.create_task(self._judged(group, sample))
        try:
            return await asyncio.shield(group.asked[place])
        except SandboxError:
            group.asked.pop(place, None)  # asked again, it is judged again
            raise

    def begin(self, advantages: Mapping[str, bool], overtaken: int) -> None:
        """No more samples of these groups will come. The values say whether their rewards differ.

        Groups sampled before the step ``overtaken`` are not asked for any more.
        """
        for uid, group in list(self._groups.items()):
            if group.step is not None and group.step < overtaken and uid not in advantages:
                self._drop(uid)
        for uid, differ in advantages.items():
            if uid in self._groups:
                self._credit(self._groups[uid], None if differ else frozenset())

    async def fetch(self, wanted: Mapping[str, Sequence[int]], wait_s: float) -> Fetched:
        """These samples, by group and place in it, as far as they are ready within ``wait_s``; then they are gone."""
        groups = {uid: self._groups[uid] for uid in wanted if uid in self._groups}
        for group in groups.values():
            self._credit(group, None)
        work = {task: uid for uid, group in groups.items() for task in group.work}
        late = (await asyncio.wait(work, timeout=wait_s))[1] if work else set()
        rows = {
            (uid, place): group.rows[place]
            for uid, group in groups.items()
            for place in wanted[uid]
            if place in group.rows
        }
        for uid in groups:
            self._drop(uid)
        dropped, self._dropped = self._dropped, 0
        return Fetched(rows, frozenset(work[task] for task in late), dropped)

    def state(self) -> bytes:
        """All that is held, for :meth:`restored` of a later run."""
        return pickle.dumps([held for group in self._groups.values() for held in group.held.values()])

    def restored(self, state: bytes) -> None:
        """Hold what a run held whose checkpoint is gone on with; it is credited when it is asked for.

        A group of which samples were still to come is sampled anew by the trainer, under the same name.
        """
        for held in pickle.loads(state):  # noqa: S301 - of a checkpoint, and as trusted as the rest of it
            sample, _, credit = held
            group = self._groups.setdefault(sample.ticket.group, _Group(sample.step, restored=True))
            group.rewards[sample.ticket.sample] = credit.reward
            self._hold(group, held)

    def counts(self) -> dict[str, int]:
        """What is held, in groups and in bytes."""
        return {"groups": len(self._groups), "bytes": self._held}

    async def _judged(self, group: _Group, sample: Sample) -> Credit:
        text = sample.response.text
        if text not in group.texts:  # repeats are judged once
            completion = Completion(text, sample.ticket.group)
            group.texts[text] = asyncio.create_task(self._phases.judge(sample.task, completion))
        try:
            judged, credit = await asyncio.shield(group.texts[text])
        except SandboxError:
            group.texts.pop(text, None)
            raise
        group.rewards[sample.ticket.sample] = credit.reward
        if judged is not None and self._groups.get(sample.ticket.group) is group:
            self._hold(group, (sample, judged, credit))
        self._go_on(group)
        return credit

    def _go_on(self, group: _Group) -> None:
        """Nothing where the rewards agree so far: they may go on to. Where all are there it is credited at once; one
        whose rewards agree here may differ for the trainer."""
        if self._everyone or learnt(list(group.rewards.values())) is None:
            self._look_ahead(group)
            if len(group.rewards) >= self._size:
                self._credit(group, None)

    def _look_ahead(self, group: _Group) -> None:
        """Sample by sample, each program once; in the order of their places where several wait."""
        for place in sorted(group.waiting):
            sample, judged, credit = group.held[place]
            source = judged.program.source
            if credit.reason == PENDING and source not in group.ahead:
                group.ahead[source] = asyncio.create_task(self._ahead(sample, judged))

    async def _ahead(
        self, sample: Sample, judged: Judged, beside: Sequence[Reference] = (), first: Answer | None = None
    ) -> Answer | None:
        async with self._turn:
            return await self._phases.ahead(sample.task, judged, sample.step, siblings=beside, first=first)

    def _credit(self, group: _Group, who: frozenset[int] | None) -> None:
        """Those of ``who``, all where it is None."""
        if group.waiting:
            if who is None:
                self._look_ahead(group)
            samples = [group.held[place] for place in sorted(group.waiting)]
            group.waiting = set()
            group.work.append(asyncio.create_task(self._credited(group, samples, who)))

    async def _credited(self, group: _Group, samples: Sequence[_Held], who: frozenset[int] | None) -> None:
        first = samples[0][0]
        answers = await self._answers(group, samples) if who is None else {}
        async with self._turn:
            pairs = [(judged, credit) for _, judged, credit in samples]
            credits = await self._phases.credit(first.task, pairs, first.step, learnt=who, ahead=answers)
        for (sample, _, early), credit in zip(samples, credits, strict=True):
            if early.reason == PENDING:
                group.rows[sample.ticket.sample] = self._to_row(
                    sample.response, credit, sample.task.task_id, sample.placing
                )

    async def _answers(self, group: _Group, samples: Sequence[_Held]) -> dict[str, Answer]:
        """By program, side by side: what was found ahead, and beside its siblings where that proves nothing."""
        asked = {
            judged.program.source: (sample, judged) for sample, judged, early in samples if early.reason == PENDING
        }
        firsts = await asyncio.gather(*(group.ahead[source] for source in asked))
        found = {source: answer for source, answer in zip(asked, firsts, strict=True) if answer is not None}
        unproven = [source for source in asked if source not in found or not found[source].found.verified]
        if beside := siblings([judged for _, judged, _ in samples]):
            work = (self._ahead(*asked[source], beside, found.get(source)) for source in unproven)
            seconds = await asyncio.gather(*work)
            found |= {source: answer for source, answer in zip(unproven, seconds, strict=True) if answer is not None}
        return found

    def _hold(self, group: _Group, held: _Held) -> None:
        sample, judged, _ = held
        group.held[sample.ticket.sample] = held
        group.waiting.add(sample.ticket.sample)
        weight = _weight(sample, judged)
        group.weight += weight
        self._held += weight
        while self._held > self._most and len(self._groups) > 1:
            uid = next(iter(self._groups))
            if not self._dropped:
                logger.warning("egca: the credit service is full; samples that wait longest keep plain GRPO credit")
            self._dropped += len(self._groups[uid].rewards)
            self._drop(uid)

    def _drop(self, uid: str) -> None:
        group = self._groups.pop(uid, None)
        if group is not None:  # while somebody waited, room may have been made
            group.cancel()
            self._held -= group.weight


def _weight(sample: Sample, judged: Judged) -> int:
    """Bytes, about."""
    calls = sum(len(tested.call.arguments) + len(tested.result.value) for tested in judged.verdict.calls)
    return 40 * len(sample.response.text) + calls + 2_000
