"""What a node's credit service holds, when it begins, and what becomes of what is never asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("verl")

import tiny_policy as policy

from egca_plugin.adapters.responses import Response
from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.adapters.verl.service import CreditService, Sample
from egca_plugin.errors import SandboxError
from egca_plugin.judged import Answer, Judged
from egca_plugin.pipeline import PENDING
from egca_plugin.references import Reference
from egca_plugin.types import Completion, Credit, Localization, Mode, Outcome, Program, Task, Verdict

TASK = policy.TASKS[0]
ALL = None


class Phases:
    """``right`` passes, all else fails; what is credited says with whom. ``release`` lets crediting go on.

    Of what is asked ahead, ``wrong ... here`` is proven by itself, and ``wrong ... far`` has no answer.
    """

    def __init__(self) -> None:
        self.judged: list[str] = []
        self.ahead_of: list[str] = []
        self.beside: list[tuple[str, list[str], Answer | None]] = []
        self.known: list[set[str]] = []  # ahead, by each crediting
        self.credited: list[tuple[list[str], frozenset[int] | None]] = []
        self.release = asyncio.Event()
        self.release.set()
        self.broken = False

    async def judge(
        self, task: Task, completion: Completion, *, judge_only: bool = False
    ) -> tuple[Judged | None, Credit]:
        if self.broken:
            raise SandboxError("the sandbox is broken")
        self.judged.append(completion.text)
        await asyncio.sleep(0)
        passed = completion.text.startswith("right")
        outcome = Outcome.OK if passed else Outcome.WRONG_ANSWER
        reason = "" if passed else PENDING
        credit = Credit(Mode.LOGIC, float(passed), outcome, 1, 2, reason=reason)
        return Judged(
            completion.text, Program(completion.text.strip(), ()), Verdict(outcome, 1, 2), credit.reward
        ), credit

    async def credit(
        self,
        task: Task,
        samples: Sequence[tuple[Judged, Credit]],
        step: int | None,
        *,
        learnt: frozenset[int] | None = None,
        ahead: Mapping[str, Answer] | None = None,
    ) -> list[Credit]:
        texts = [judged.text for judged, _ in samples]
        self.known.append(set(ahead or ()))
        self.credited.append((texts, learnt))
        await self.release.wait()
        return [Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, stage=f"with {len(texts)}")] * len(texts)

    async def ahead(
        self,
        task: Task,
        one: Judged,
        step: int | None,
        *,
        siblings: Sequence[Reference] = (),
        first: Answer | None = None,
    ) -> Answer | None:
        if siblings:
            self.beside.append((one.text, [reference.name for reference in siblings], first))
            return Answer(Localization(), Mode.LOGIC, final=True)
        self.ahead_of.append(one.text)
        await self.release.wait()
        found = Localization(verified=one.text.endswith("here"))
        return None if one.text.endswith("far") else Answer(found, Mode.LOGIC)


def unplaced(response: Response, credit: Credit, task_id: str, placing: Placing) -> Row:
    return Row(credit, task_id, (), response.tokens, placing=placing)


def sample(uid: str, place: int, text: str, step: int = 1) -> Sample:
    return Sample(Ticket("here", uid, place), TASK, Response(text, 3, None), step, Placing())


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, timeout=20))


async def hand_over(service: CreditService, *samples: Sample) -> list[Credit]:
    return await asyncio.gather(*map(service.judge, samples))


def test_the_verdict_comes_at_once_and_the_credit_when_the_group_is_complete() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=3, at_once=1)
        early = await hand_over(service, sample("u", 2, "wrong c"), sample("u", 0, "right a"))
        assert [(credit.reward, credit.reason) for credit in early] == [(0.0, PENDING), (1.0, "")]
        await asyncio.sleep(0)
        assert phases.credited == []
        await hand_over(service, sample("u", 1, "wrong b"))
        fetched = await service.fetch({"u": [1, 2]}, wait_s=5)
        assert phases.credited == [(["right a", "wrong b", "wrong c"], ALL)], "in the group's order"
        assert {at: row.credit.stage for at, row in fetched.rows.items()} == {("u", 1): "with 3", ("u", 2): "with 3"}
        assert service.counts() == {"groups": 0, "bytes": 0}

    run(work())


def test_a_group_that_is_rewarded_alike_waits_for_the_trainer_who_knows_its_advantage() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=2, at_once=2)
        for uid in ("alike", "shaped"):
            await hand_over(service, sample(uid, 0, "wrong a"), sample(uid, 1, "wrong b"))
        await asyncio.sleep(0)
        assert phases.credited == []
        service.begin({"alike": False, "shaped": True, "unknown": True}, overtaken=1)
        await service.fetch({"alike": [0], "shaped": [0]}, wait_s=5)
        assert [who for _, who in phases.credited] == [frozenset(), ALL]
        eager = CreditService(phases, to_row=unplaced, size=1, at_once=1, everyone=True)
        await hand_over(eager, sample("u", 0, "wrong"))
        await eager.fetch({"u": [0]}, wait_s=5)
        assert phases.credited[-1] == (["wrong"], ALL)

    run(work())


def test_what_hangs_on_one_sample_alone_is_done_ahead_of_its_group_once_some_passed_and_some_failed() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=5, at_once=9)
        await hand_over(service, sample("u", 3, "wrong c here"), sample("u", 1, "wrong a"))
        await asyncio.sleep(0.01)
        assert phases.ahead_of == [], "they may all go wrong: then the work was for nothing"
        await hand_over(service, sample("u", 0, "right"))
        await asyncio.sleep(0.01)
        assert phases.ahead_of == ["wrong a", "wrong c here"], "in the group's order, and none of what passes"
        await hand_over(service, sample("u", 2, "wrong b here"))
        await asyncio.sleep(0.01)
        assert phases.ahead_of[2:] == ["wrong b here"]
        assert phases.credited == []
        await hand_over(service, sample("u", 4, " wrong b here"))
        fetched = await service.fetch({"u": [1, 2, 3, 4]}, wait_s=5)
        assert phases.ahead_of[3:] == [], "a repeat of the program"
        assert phases.known == [{"wrong a", "wrong c here", "wrong b here"}]
        assert len(fetched.rows) == 4

    run(work())


def test_when_its_group_is_complete_what_is_not_proven_is_compared_with_its_siblings_each_by_itself() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=5, at_once=9)
        texts = ("wrong a here", "right one", "wrong b", "wrong c far", "right two")
        await hand_over(service, *(sample("u", place, text) for place, text in enumerate(texts)))
        await service.fetch({"u": [0]}, wait_s=5)
        names = ["sibling:1", "sibling:4"]
        assert [(text, beside) for text, beside, _ in phases.beside] == [("wrong b", names), ("wrong c far", names)]
        assert [first is None for *_, first in phases.beside] == [False, True], "what was found ahead goes with it"
        assert phases.known == [{"wrong a here", "wrong b", "wrong c far"}]

    run(work())


def test_what_is_done_ahead_takes_its_turn_and_goes_with_its_group() -> None:
    async def work() -> None:
        phases = Phases()
        phases.release.clear()
        service = CreditService(phases, to_row=unplaced, size=3, at_once=1)
        await hand_over(service, sample("u", 0, "right"), sample("u", 1, "wrong a"), sample("v", 0, "wrong b"))
        await hand_over(service, sample("v", 1, "right"))
        await asyncio.sleep(0.01)
        assert phases.ahead_of == ["wrong a"], "one at a time"
        assert (await service.fetch({"u": [1]}, wait_s=0.01)).late == {"u"}
        await asyncio.sleep(0.01)
        assert phases.ahead_of == ["wrong a", "wrong b"], "nobody waits for the one that was given up"
        phases.release.set()
        assert ("v", 0) in (await service.fetch({"v": [0]}, wait_s=5)).rows

    run(work())


def test_a_group_without_an_advantage_costs_nothing_but_its_answer() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=2, at_once=1)
        await hand_over(service, sample("u", 0, "wrong a"), sample("u", 1, "wrong b"))
        service.begin({"u": False}, overtaken=1)
        await service.fetch({"u": [0, 1]}, wait_s=5)
        assert (phases.ahead_of, phases.credited) == ([], [(["wrong a", "wrong b"], frozenset())])

    run(work())


def test_repeats_are_judged_once_and_so_is_a_call_that_ray_repeats() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=4, at_once=1)
        first = sample("u", 0, "wrong")
        credits = await hand_over(service, first, first, sample("u", 1, "wrong"), sample("v", 0, "wrong"))
        assert len(set(map(id, credits[:3]))) == 1
        assert phases.judged == ["wrong", "wrong"], "once a group"

    run(work())


def test_a_broken_sandbox_is_told_and_asked_again() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=2, at_once=1)
        phases.broken = True
        with pytest.raises(SandboxError):
            await service.judge(sample("u", 0, "wrong"))
        phases.broken = False
        assert (await service.judge(sample("u", 0, "wrong"))).reason == PENDING

    run(work())


def test_what_is_slow_is_late_and_holds_nobody_up() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=2, at_once=2)
        await hand_over(service, sample("quick", 0, "wrong"), sample("quick", 1, "right"))
        await asyncio.sleep(0.01)
        phases.release.clear()
        await hand_over(service, sample("slow", 0, "wrong"), sample("slow", 1, "right"))
        fetched = await service.fetch({"quick": [0], "slow": [0], "lost": [0]}, wait_s=0.05)
        assert list(fetched.rows) == [("quick", 0)]
        assert fetched.late == {"slow"}
        assert service.counts() == {"groups": 0, "bytes": 0}

    run(work())


def test_a_sample_that_comes_when_its_group_was_begun_is_credited_by_itself() -> None:
    async def work() -> None:
        phases = Phases()
        service = CreditService(phases, to_row=unplaced, size=2, at_once=1)
        await hand_over(service, sample("u", 0, "wrong a"), sample("u", 1, "right"), sample("u", 2, "wrong c"))
        fetched = await service.fetch({"u": [0, 2]}, wait_s=5)
        assert {("u", 0), ("u", 2)} == fetched.rows.keys()

    run(work())


def test_what_was_overtaken_is_dropped() -> None:
    async def work() -> None:
        service = CreditService(Phases(), to_row=unplaced, size=2, at_once=1)
        for step in (1, 2, 3):
            await hand_over(service, sample(f"u{step}", 0, "wrong", step))
        service.begin({"u1": True}, overtaken=3)
        assert service.counts()["groups"] == 2, "the one that was asked for, and the newest"
        assert (await service.fetch({"u2": [0]}, wait_s=1)).rows == {}

    run(work())


def test_what_is_held_is_bounded_and_the_oldest_goes_first() -> None:
    async def work() -> None:
        service = CreditService(Phases(), to_row=unplaced, size=9, at_once=1, held=10_000)
        for number in range(12):
            await hand_over(service, sample(f"u{number}", 0, "wrong"))
        assert service.counts()["bytes"] <= 10_000
        fetched = await service.fetch({f"u{number}": [0] for number in range(12)}, wait_s=1)
        assert ("u11", 0) in fetched.rows
        assert ("u0", 0) not in fetched.rows
        assert fetched.dropped == 12 - len(fetched.rows)
        assert (await service.fetch({}, wait_s=0)).dropped == 0, "it was told"

    run(work())


def test_what_is_held_survives_in_a_checkpoint() -> None:
    async def work() -> None:
        before = CreditService(Phases(), to_row=unplaced, size=2, at_once=1)
        await hand_over(before, sample("u", 0, "wrong"), sample("u", 1, "right"), sample("v", 0, "wrong"))
        phases = Phases()
        after = CreditService(phases, to_row=unplaced, size=2, at_once=1)
        after.restored(before.state())
        assert after.counts() == before.counts()
        await hand_over(after, sample("v", 0, "right again"), sample("v", 1, "wrong too"))  # verl asks it anew
        fetched = await after.fetch({"u": [0], "v": [0, 1]}, wait_s=5)
        assert fetched.rows.keys() == {("u", 0), ("v", 1)}
        assert sorted(texts for texts, _ in phases.credited) == [["right again", "wrong too"], ["wrong", "right"]]

    run(work())


def test_a_group_that_was_underway_is_sampled_anew_as_a_whole() -> None:
    """Its uid stays; a sample of the old one beside those of the new one would be of another response."""

    async def work() -> None:
        before = CreditService(Phases(), to_row=unplaced, size=3, at_once=1)
        await hand_over(before, sample("v", 0, "wrong old"), sample("v", 1, "right old"))
        phases = Phases()
        after = CreditService(phases, to_row=unplaced, size=3, at_once=1)
        after.restored(before.state())
        await after.judge(sample("v", 2, "wrong new"))
        await hand_over(after, sample("v", 0, "wrong newer"), sample("v", 1, "right new"))
        fetched = await after.fetch({"v": [0, 1, 2]}, wait_s=5)
        assert fetched.rows.keys() == {("v", 0), ("v", 2)}
        assert [texts for texts, _ in phases.credited] == [["wrong newer", "right new", "wrong new"]]

    run(work())
