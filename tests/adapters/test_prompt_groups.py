"""Samples of one prompt meet and are judged as one group; the judge of groups when samples cost their workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from egca_plugin.adapters import groups, unjudged
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, SandboxError, TaskError
from egca_plugin.pipeline import Group
from egca_plugin.types import Completion, Credit, Mode, Outcome, Task

TASK = Task("tiny/double", "Double x.", "double", "def double(x):\n    return 2 * x\n", ("assert double(3) == 6",))
FINE = Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1)
LOST = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="the worker died")


def group(*texts: str) -> Group:
    return Group(TASK, tuple(map(Completion, texts)), 1)


class Prompt:
    """Whatever names one."""


# --- meeting ----------------------------------------------------------------------------------------------------


def test_siblings_are_judged_once_and_in_the_order_of_their_seats() -> None:
    asked = []

    async def judge(one: Group) -> list[Credit | None]:
        asked.append([completion.text for completion in one.completions])
        return [replace(FINE, reward=float(k)) for k, _ in enumerate(one.completions)]

    async def sample(seat: groups.Seat, text: str, turns: int) -> float:
        for _ in range(turns):
            await asyncio.sleep(0)
        credit, mean = await seat.judged(text)
        assert mean == 1.0
        assert credit is not None
        return credit.reward

    async def run() -> list[float]:
        prompt, together = Prompt(), groups.Together(judge)
        seats = [together.seat(prompt, group(), 3) for _ in range(3)]
        return await asyncio.gather(*(sample(s, t, n) for s, t, n in zip(seats, "abc", (5, 1, 3), strict=True)))

    assert asyncio.run(run()) == [0.0, 1.0, 2.0]
    assert asked == [["a", "b", "c"]]


def test_two_prompts_with_one_text_do_not_meet() -> None:
    asked = []

    async def judge(one: Group) -> list[Credit | None]:
        asked.append(len(one.completions))
        return [FINE] * len(one.completions)

    async def run() -> None:
        first, second, together = Prompt(), Prompt(), groups.Together(judge)
        seats = [together.seat(prompt, group(), 2) for prompt in (first, second, first, second)]
        await asyncio.gather(*(seat.judged("a") for seat in seats))

    asyncio.run(run())
    assert asked == [2, 2]


def test_who_leaves_is_not_waited_for_and_who_is_cancelled_takes_nothing_along() -> None:
    async def judge(one: Group) -> list[Credit | None]:
        await asyncio.sleep(0.01)
        return [FINE] * len(one.completions)

    async def run() -> tuple[Credit | None, float]:
        prompt, together = Prompt(), groups.Together(judge)
        seats = [together.seat(prompt, group(), 3) for _ in range(3)]
        waits = [asyncio.create_task(seat.judged("a")) for seat in seats[:2]]
        await asyncio.sleep(0)
        seats[2].leave()
        await asyncio.sleep(0)
        waits[0].cancel()
        return await waits[1]

    assert asyncio.run(run()) == (FINE, 1.0)


# --- judging ----------------------------------------------------------------------------------------------------


def judge_of(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str, Group], Credit]) -> groups.PoolJudge:
    """Over a pool that answers as told, and whose workers die of a group with a lost sample in it."""
    pool = SimpleNamespace(start=lambda: None, restarts=0)

    async def run(one: Group) -> list[Credit]:
        credits = [answer(completion.text, one) for completion in one.completions]
        pool.restarts += LOST in credits
        return [LOST] * len(credits) if LOST in credits else credits

    pool.run = run
    monkeypatch.setattr(groups, "open_pool", lambda *_, **__: pool)
    return groups.PoolJudge(EgcaConfig())


def judged(judge: groups.PoolJudge, one: Group) -> list[Any]:
    return asyncio.run(judge(one))


def test_a_sample_that_costs_its_workers_has_reward_0_and_costs_no_sibling_its_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge = judge_of(monkeypatch, lambda text, _: LOST if text == "killer" else FINE)
    first, lost, last = judged(judge, group("a", "killer", "b"))
    assert (first.outcome, last.outcome) == (Outcome.OK, Outcome.OK)
    assert (lost.reward, lost.reason) == (0.0, unjudged.UNJUDGED)
    assert first.restarts == {"worker": 3}, "the group's, then the sample's own two"


def test_where_not_even_a_sound_program_is_judged_it_is_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judge_of(monkeypatch, lambda *_: LOST)
    with pytest.raises(SandboxError, match="none of 2 samples could be judged, nor a sound program"):
        judged(judge, group("a", "b"))


def test_a_sample_that_alone_fails_while_the_sandbox_does_has_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = judge_of(monkeypatch, lambda text, one: FINE if text == "a" else LOST)
    assert judged(judge, group("a", "b")) == [replace(FINE, restarts={"worker": 4}), None]


def test_a_stage_that_fails_behind_the_verdict_costs_the_span_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(text: str, one: Group) -> Credit:
        if not one.judge_only and text == "odd":
            raise SandboxError("the handler failed: a digit too many")
        return FINE

    assert judged(judge_of(monkeypatch, answer), group("plain", "odd")) == [FINE, replace(FINE, reason="stage_failed")]


def test_a_task_that_cannot_be_used_gives_its_whole_group_0(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(text: str, one: Group) -> Credit:
        raise TaskError("tiny/double, field tests: no test")

    credits = judged(judge_of(monkeypatch, answer), group("a", "b"))
    assert [(one.reward, one.reason, one.stage) for one in credits] == [
        (0.0, "bad_task", "tiny/double, field tests: no test")
    ] * 2


def test_what_is_no_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(text: str, one: Group) -> Credit:
        raise ZeroDivisionError

    assert not issubclass(ZeroDivisionError, EgcaError)
    with pytest.raises(ZeroDivisionError):
        judged(judge_of(monkeypatch, answer), group("a"))
