"""The reward manager's judge with the real pipeline and the real sandbox, in the way verl asks: many at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

import tiny_policy as policy

from egca_plugin.adapters.verl.judging import PoolJudge
from egca_plugin.adapters.verl.settings import Settings
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import SandboxError
from egca_plugin.types import Completion, Credit, Mode, Outcome

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


def test_a_sample_that_could_not_be_judged_is_never_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = PoolJudge(Settings(True, EgcaConfig()), workers=1)
    lost = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="two workers lost")

    async def run(payload: object) -> list[Credit]:
        return [replace(lost)]

    monkeypatch.setattr(judge._pool, "run", run)
    with pytest.raises(SandboxError, match="two workers lost"):
        asyncio.run(judge(TASK, Completion(TEXTS[0]), None))


def test_a_task_without_a_reference_is_helped_by_what_has_passed(tmp_path: Path) -> None:
    """verl asks sample by sample, so a group cannot vote: what the bank holds stands in, before that it is counted."""
    task = replace(TASK, reference="")
    right, wrong = TEXTS[:2]

    async def one_after_another() -> list[Credit]:
        judge = PoolJudge(Settings(True, EgcaConfig(bank=str(tmp_path))), workers=1)
        return [await judge(task, Completion(text, "g"), 1) for text in (wrong, right, wrong)]

    early, passed, late = asyncio.run(one_after_another())
    assert (early.reason, early.spans, early.reference) == ("no_reference", (), "")
    assert passed.passed
    assert late.verified
    assert late.reference.startswith("bank:")
