"""An end to trusted work that an untrusted answer can make endless, such as a test that counts up to it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

AGAIN_S = 0.1


@contextmanager
def patience(seconds: float, halt: Callable[[], NoReturn]) -> Iterator[None]:
    """Call ``halt``, which raises, once the block has taken ``seconds`` of this process's own CPU time, and again.

    For the main thread alone. One long step within C is not interrupted: the process needs a limit from outside too.
    """

    def stop(number: int, frame: Any) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, AGAIN_S)  # whoever catches what it raises is halted again
        halt()

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
