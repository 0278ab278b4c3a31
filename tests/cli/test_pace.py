"""The demo's estimate: there from the first second, never none before the end, better with every step."""

from __future__ import annotations

import os

import pytest

from egca_plugin.cli import pace
from egca_plugin.cli.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    return Clock()


def test_it_is_there_before_anything_ran_and_goes_by_the_clock(clock: Clock) -> None:
    run = Pace(3, pace.TOKENS, clock)
    assert run.left() == pace.START_S + 3 * pace.STEP_S
    clock.now += pace.START_S
    assert run.left() == 3 * pace.STEP_S
    assert run.share() == pytest.approx(pace.START_S / (pace.START_S + 3 * pace.STEP_S))


def test_longer_answers_are_longer_steps(clock: Clock) -> None:
    assert Pace(1, 2 * pace.TOKENS, clock).left() == pace.START_S + 2 * pace.STEP_S


def test_what_is_overdue_is_never_quite_done(clock: Clock) -> None:
    run = Pace(1, pace.TOKENS, clock)
    shares = []
    for _ in range(10):
        clock.now += 100
        shares.append(run.share())
        assert run.left() > 0
    assert shares == sorted(shares)
    assert shares[-1] < 0.9


def test_steps_that_were_seen_correct_the_rest(clock: Clock) -> None:
    run = Pace(4, pace.TOKENS, clock)
    clock.now += 2 * (pace.START_S + pace.STEP_S)  # this host is half as fast
    run.step()
    assert run.left() == 3 * 2 * pace.STEP_S
    for took in (30, 50):
        clock.now += took
        run.step()
    assert run.left() == 40
    clock.now += 40
    run.step()
    assert (run.left(), run.share()) == (0.0, 1.0)
