"""Trusted work that would not end is ended."""

from __future__ import annotations

import signal
import time
from typing import NoReturn

import pytest

from egca_plugin.judging.patience import patience


class Over(Exception):
    pass


def halt() -> NoReturn:
    raise Over


def spin(cpu_s: float) -> None:
    began = time.process_time()
    while time.process_time() - began < cpu_s:
        pass


def test_endless_loop_is_ended_and_the_signal_given_back() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(Over), patience(0.05, halt):
        spin(60.0)
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0


def test_waiting_costs_no_patience() -> None:
    with patience(0.05, halt):
        time.sleep(0.2)


def test_whoever_catches_what_it_raises_is_halted_again() -> None:
    def stubborn() -> None:
        try:
            spin(60.0)
        except Over:
            spin(60.0)

    with pytest.raises(Over), patience(0.02, halt):
        stubborn()
