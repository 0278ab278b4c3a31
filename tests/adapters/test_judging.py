"""The reward manager's judge with the real pipeline and the real sandbox, in the way verl asks: many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

import tiny_policy as policy

from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl.judging import PoolJudge
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import SandboxError
from egca_plugin.judged import Judged
from egca_plugin.pipeline import Crediting, Work
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.types import Completion, Credit, Mode, Outcome, Program, Verdict

TASK = policy.TASKS[0]
TEXTS = policy.answers(TASK)


def ask(enabled: bool = True) -> list[Credit]:
    async def all_at_once() -> list[Credit]:
        judge = PoolJudge(Settings(enabled, EgcaConfig()), workers=1)
        return await asyncio.gather(*(judge(TASK, Completion(text, "g"), 1) for text in TEXTS))

    return asyncio.run(all_at_once())


def test_each_answer_gets_its_outcome_and_its_blame() -> None:
    right, wrong, raising, broken = ask()
    assert [c.outcome for c in (right, wrong, raising, broken)] == [
        *(Outcome.OK, Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.COMPILE_ERROR)
    ]
    assert (right.mode, right.reward, right.spans) == (Mode.CORRECT, 1.0, ())
    for text, credit in zip(TEXTS[1:], (wrong, raising, broken), strict=True):
        blamed = "".join(text[span.start : span.end] for span in credit.spans)
        assert credit.reward == 0.0
        assert blamed
        assert set(blamed.split("\n")) <= set(text.split("\n")) or blamed in text
        assert "return" not in blamed or credit is broken


def test_switched_off_the_logic_sample_is_not_localised() -> None:
    assert ask(enabled=False)[1].spans == ()


LOST = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="two workers lost")
FINE = Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2)
JUDGED = Judged(TEXTS[0], Program(TASK.reference, ()), Verdict(Outcome.OK, 2, 2), 1.0)


def judge_of(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Work], Credit | list[Credit]]) -> PoolJudge:
    """Over a pool that answers as told."""

    async def run(self: Pool, work: Work) -> object:
        found = answer(work)
        return (JUDGED, found) if isinstance(found, Credit) else found

    monkeypatch.setattr(Pool, "start", lambda self: None)
    monkeypatch.setattr(Pool, "run", run)
    return PoolJudge(Settings(True, EgcaConfig()), workers=1)


def answered(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Work], Credit | list[Credit]]) -> Credit:
    """The credit of a sample where the pool answers as told."""
    return asyncio.run(judge_of(monkeypatch, answer)(TASK, Completion(TEXTS[0]), None))


def test_a_sample_that_no_worker_survives_has_reward_0_where_a_sound_program_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credit = answered(monkeypatch, lambda work: LOST if work.task == TASK else FINE)
    assert (credit.reward, credit.outcome, credit.reason, credit.stage) == (
        *(0.0, Outcome.TIMEOUT, "unjudged", "two workers lost"),
    )


@pytest.mark.parametrize("control", [LOST, Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1)])
def test_a_broken_sandbox_is_never_a_wrong_answer(monkeypatch: pytest.MonkeyPatch, control: Credit) -> None:
    with pytest.raises(SandboxError, match="and neither could a sound program: two workers lost"):
        answered(monkeypatch, lambda work: LOST if work.task == TASK else control)


def test_a_stage_that_fails_behind_the_verdict_costs_the_span_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(work: Work) -> Credit:
        if isinstance(work, Crediting):
            raise SandboxError("the handler failed: a digit too many")
        return FINE

    assert answered(monkeypatch, answer) == replace(FINE, reason="stage_failed")


def test_a_sample_that_cannot_be_credited_costs_its_siblings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(JUDGED, text="odd")

    def answer(work: Work) -> list[Credit]:
        assert isinstance(work, Crediting)
        if odd in work.judged:
            raise SandboxError("two workers lost")
        return [replace(FINE, reference="canonical")] * len(work.judged)

    judge = judge_of(monkeypatch, answer)
    credits = asyncio.run(judge.credit(TASK, [(JUDGED, FINE), (odd, FINE)], 1))
    assert [(credit.reference, credit.reason) for credit in credits] == [("canonical", ""), ("", "stage_failed")]


def test_a_sample_that_costs_the_workers_ahead_of_its_group_has_no_span_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(work: Work) -> list[Credit]:
        raise SandboxError("two workers lost")

    found = asyncio.run(judge_of(monkeypatch, answer).ahead(TASK, JUDGED, 1))
    assert found is not None
    assert (found.found.reason, found.found.spans, found.final) == ("examination_failed", (), True)


def test_a_task_that_cannot_be_used_costs_no_sample() -> None:
    """Its tests are not Python: every one of its group has reward 0, which teaches nothing."""

    async def judged() -> Credit:
        judge = PoolJudge(Settings(True, EgcaConfig()), workers=1)
        return await judge(replace(TASK, tests=("assert double(",)), Completion(TEXTS[0]), 1)

    credit = asyncio.run(judged())
    assert (credit.reward, credit.reason) == (0.0, "bad_task")
    assert "tiny/double" in credit.stage


def test_a_task_without_a_reference_is_helped_by_what_has_passed(tmp_path: Path) -> None:
    """Where verl asks sample by sample no sibling is there: what the bank holds stands in, before that it is counted.

    The bank holds what several programs that are built differently agree on.
    """
    task = replace(TASK, reference="")
    wrong = TEXTS[1]
    right = [f"```python\ndef double(x):\n    return {value}\n```" for value in ("x + x", "sum([x, x])")]

    async def one_after_another() -> list[Credit]:
        judge = PoolJudge(Settings(True, EgcaConfig(bank=str(tmp_path))), workers=1)
        return [await judge(task, Completion(text, "g"), 1) for text in (wrong, TEXTS[0], *right, wrong)]

    early, *passed, late = asyncio.run(one_after_another())
    assert (early.reason, early.spans, early.reference) == ("no_reference", (), "")
    assert all(credit.passed for credit in passed)
    assert late.verified
    assert late.reference.startswith("bank:")
