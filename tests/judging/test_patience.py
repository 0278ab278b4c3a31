"""Trusted work that would not end is ended, in the main thread, and never within an exchange."""

from __future__ import annotations

import signal
import threading
import time
from typing import NoReturn

import pytest

from egca_plugin.sandbox.patience import patience


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
    with pytest.raises(Over), patience(0.05, halt, busy=lambda: False):
        spin(60.0)
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0


def test_waiting_costs_no_patience() -> None:
    with patience(0.05, halt, busy=lambda: False):
        time.sleep(0.2)


def test_exchange_is_finished_first() -> None:
    exchanged: list[bool] = []

    def exchange() -> None:
        spin(0.1)
        exchanged.append(True)
        spin(60.0)

    with pytest.raises(Over), patience(0.02, halt, busy=lambda: not exchanged):
        exchange()
    assert exchanged


def test_other_threads_are_not_watched() -> None:
    done = []

    def work() -> None:
        with patience(0.001, halt, busy=lambda: False):
            done.append(sum(range(200_000)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
