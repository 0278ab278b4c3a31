"""The judge when samples cost their workers, with a pool that says so."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("trl")

import tiny_policy as policy

from egca_plugin.adapters.trl import judging
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import SandboxError
from egca_plugin.pipeline import Group
from egca_plugin.types import Completion, Credit, Mode, Outcome

FINE = Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1)
LOST = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="the worker died")


def judge_of(monkeypatch: pytest.MonkeyPatch, killer: str) -> judging.PoolJudge:
    """Over a pool whose workers die of the completion ``killer``, and of nothing else."""
    pool = SimpleNamespace(start=lambda: None, restarts=0)

    def submit(group: Group) -> Future[Any]:
        future: Future[Any] = Future()
        dies = any(one.text == killer for one in group.completions)
        pool.restarts += dies
        future.set_result([LOST if dies else FINE] * len(group.completions))
        return future

    pool.submit = submit
    monkeypatch.setattr(judging, "open_pool", lambda *_, **__: pool)
    return judging.PoolJudge(EgcaConfig())


def group(*texts: str) -> Group:
    return Group(policy.TASKS[0], tuple(Completion(text) for text in texts))


def test_a_sample_that_costs_its_workers_costs_no_sibling_its_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    (first, lost, last), (other,) = judge_of(monkeypatch, "killer")([group("a", "killer", "b"), group("c")])
    assert lost is None
    assert [credit and credit.outcome for credit in (first, last, other)] == [Outcome.OK] * 3
    assert first is not None
    assert first.restarts == {"worker": 1}, "the group's own loss, before each was judged alone"


def test_where_all_are_lost_it_is_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="none of 2 samples could be judged; the last cause: the worker died"):
        judge_of(monkeypatch, "a")([group("a", "a")])


def test_cores_are_shared_by_the_ranks_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging.os, "sched_getaffinity", lambda _: set(range(12)))
    shares = {}
    for ranks in ("1", "4", "64"):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", ranks)
        shares[ranks] = judging._share_of_cores()
    assert shares == {"1": 8, "4": 3, "64": 1}
