"""An end to trusted work that an untrusted answer can make endless, such as a test that counts up to it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

AGAIN_S = 0.01


@contextmanager
def patience(seconds: float, halt: Callable[[], NoReturn], busy: Callable[[], bool]) -> Iterator[None]:
    """Call ``halt``, which raises, once the block has taken ``seconds`` of this process's own CPU time.

    Not while ``busy``: an exchange with another process must not be left half done. Only a signal can interrupt a loop,
    and only the main thread gets one: in any other nothing is watched, and whoever waits for it needs a deadline.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        if not busy():
            halt()
        signal.setitimer(signal.ITIMER_VIRTUAL, AGAIN_S)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
