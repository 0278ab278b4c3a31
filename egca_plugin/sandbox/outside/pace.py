"""Does a child that is late compute, on a host that gives it little, or does it wait? By what the kernel says of it."""

from __future__ import annotations

import os
from time import monotonic  # bound here, since tests patch the module
from typing import NamedTuple

AGAIN_S = 1.0  # between two looks
_SLOWEST = 0.02  # of a CPU, what one that computes is given on the busiest host that is thought of
_TICKS = os.sysconf("SC_CLK_TCK")


class Look(NamedTuple):
    """``at``: when, by :func:`time.monotonic`; ``cpu_s``: what the child had had by then."""

    at: float
    cpu_s: float

    def computed_since(self, before: Look) -> bool:
        """Whether it has been at work, and only the host has kept it waiting."""
        return self.cpu_s - before.cpu_s >= _SLOWEST * (self.at - before.at)


def look(pid: int) -> Look:
    """At what runs below the launcher ``pid``: of it the zygote, of the zygote its one child, which has none.

    No CPU time where it cannot be told.
    """
    try:
        while children := _read(f"/proc/{pid}/task/{pid}/children").split():
            pid = int(children[0])
        user, system = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:13]
    except (OSError, ValueError):
        return Look(monotonic(), 0.0)
    return Look(monotonic(), (int(user) + int(system)) / _TICKS)


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()
