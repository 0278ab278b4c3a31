"""The judge when samples cost their workers, with a pool that says so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("trl")

import tiny_policy as policy

from egca_plugin.adapters.trl import judging
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, SandboxError, TaskError
from egca_plugin.judged import Judged
from egca_plugin.pipeline import Crediting, Group, Judging, Work
from egca_plugin.sandbox.outside.pool import WorkerLost
from egca_plugin.types import Completion, Credit, Mode, Outcome, Program, Verdict

FINE = Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1)
LOST = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="the worker died")


Answer = Callable[[str, Work], Credit]  # by what a completion says


def judge_of(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> judging.PoolJudge:
    """Over a pool that answers as told, and whose workers die of a lost sample."""
    pool = SimpleNamespace(start=lambda: None, restarts=0)

    def submit(work: Work) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            if isinstance(work, Judging):
                text = work.completion.text
                credit = answer(text, work)
                if credit == LOST:
                    pool.restarts += 1
                    raise WorkerLost("the worker died")
                verdict = Verdict(credit.outcome, 1, 1)
                future.set_result((Judged(text, Program(text, ()), verdict, credit.reward), credit))
            else:
                assert isinstance(work, Crediting)
                future.set_result([answer(one.text, work) for one in work.judged])
        except EgcaError as error:
            future.set_exception(error)
        return future

    pool.submit = submit
    monkeypatch.setattr(judging, "open_pool", lambda *_, **__: pool)
    return judging.PoolJudge(EgcaConfig())


def killed_by(killer: str) -> Answer:
    return lambda text, work: LOST if text == killer else FINE


def group(*texts: str, **how: bool) -> Group:
    return Group(policy.TASKS[0], tuple(Completion(text) for text in texts), **how)


def test_a_sample_that_costs_its_workers_costs_no_sibling_its_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, lost, last), (other,) = judge_of(monkeypatch, killed_by("killer"))([group("a", "killer", "b"), group("c")])
    assert lost is None
    assert [credit and credit.outcome for credit in (first, last, other)] == [Outcome.OK] * 3
    assert first is not None
    assert first.restarts == {"worker": 1}, "the first that is done tells of it"


def test_where_all_are_lost_it_is_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="none of 2 samples could be judged; the last cause: the worker died"):
        judge_of(monkeypatch, killed_by("a"))([group("a", "a")])


def test_a_stage_that_fails_behind_the_verdict_costs_the_span_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(text: str, work: Work) -> Credit:
        if isinstance(work, Crediting) and text == "odd":
            raise SandboxError("the handler failed: a digit too many")
        return replace(FINE, stage="credited") if isinstance(work, Crediting) else FINE

    ((plain, odd),) = judge_of(monkeypatch, answer)([group("plain", "odd")])
    assert (plain, odd) == (replace(FINE, stage="credited"), replace(FINE, reason="stage_failed"))


def test_a_group_is_credited_together_and_a_whole_one_that_agrees_has_nothing_to_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Crediting] = []

    def answer(text: str, work: Work) -> Credit:
        if isinstance(work, Crediting) and work not in asked:
            asked.append(work)
        return replace(FINE, reward=float(text == "right"))

    judge = judge_of(monkeypatch, answer)
    judge([group("wrong", "right", whole=True), group("wrong", "bad", whole=True), group("wrong")])
    assert [[one.text for one in work.judged] for work in asked] == [["wrong", "right"], ["wrong", "bad"], ["wrong"]]
    assert [work.learnt for work in asked] == [None, frozenset(), None]
    credited = len(asked)
    judge([group("wrong", judge_only=True)])
    assert len(asked) == credited, "in evaluation nobody is credited"


def test_a_task_that_cannot_be_used_gives_its_whole_group_0(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(text: str, work: Work) -> Credit:
        raise TaskError("tiny/double, field tests: no test")

    (credits,) = judge_of(monkeypatch, answer)([group("a", "b")])
    assert [(credit and (credit.reward, credit.reason, credit.stage)) for credit in credits] == [
        (0.0, "bad_task", "tiny/double, field tests: no test")
    ] * 2


def test_cores_are_shared_by_the_ranks_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging.os, "sched_getaffinity", lambda _: set(range(12)))
    shares = {}
    for ranks in ("1", "4", "64"):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", ranks)
        shares[ranks] = judging._share_of_cores()
    assert shares == {"1": 8, "4": 3, "64": 1}
