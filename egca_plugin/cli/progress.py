"""How far a long command is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from egca_plugin.cli.terminal import console

EVERY_S = 30.0  # between two lines in a log

T = TypeVar("T")


@contextmanager
def progress(what: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Calling the result with a number says that so many more are done; ``done`` are from the start."""
    screen = console()
    if not screen.is_terminal:
        yield _Log(what, total, done).advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        job = bar.add_task(what, total=total, completed=done)
        yield lambda more: bar.advance(job, more)


def tracked(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """``items`` as they are, each counted once the next is asked for."""
    with progress(what, total) as advance:
        for item in items:
            yield item
            advance(1)


class _Log:
    def __init__(self, what: str, total: int, done: int) -> None:
        self._what, self._total, self._done, self._first = what, total, done, done
        self._began = self._said = time.monotonic()

    def advance(self, more: int) -> None:
        self._done += more
        now = time.monotonic()
        if now - self._said >= EVERY_S and self._done < self._total:
            self._said = now
            left = (now - self._began) / max(self._done - self._first, 1) * (self._total - self._done)
            console().print(f"{self._what}: {self._done} of {self._total}, about {span(left)} left", soft_wrap=True)


def span(seconds: float) -> str:
    """A time in the unit that a person would take: ``45 s``, ``3 min``, ``2.5 h``."""
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
