"""``capsys`` as pytest gives it: what was printed while a test ran, the program's prints among it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

CAPTURES = frozenset({"capsys", "capfd"})


class Captured(NamedTuple):
    out: str
    err: str


class Capture:
    """Standard output and error go here until the end of the test."""

    def __init__(self) -> None:
        self._before = sys.stdout, sys.stderr
        self._begin()

    def _begin(self) -> None:
        self._streams = io.StringIO(), io.StringIO()
        sys.stdout, sys.stderr = self._streams

    def readouterr(self) -> Captured:
        """What has come since it was last asked."""
        out, err = (stream.getvalue() for stream in self._streams)
        self._begin()
        return Captured(out, err)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Meanwhile nothing is taken."""
        sys.stdout, sys.stderr = self._before
        try:
            yield
        finally:
            sys.stdout, sys.stderr = self._streams

    def end(self) -> None:
        sys.stdout, sys.stderr = self._before
