"""Determinism: a logical clock and seeded randomness, put in place before any candidate exists.

Every reading of the clock moves it on by a millisecond, and sleeping moves it without waiting: a program sees time
pass, sees the same times in every run, and never sees the host's clock through ``time``.

Standard library only: this runs in the zygote.
"""

from __future__ import annotations

import os
import time
from typing import Any

_register = os.register_at_fork
os.register_at_fork = lambda **_: None  # `random` would have every child start from the system's entropy
import random  # noqa: E402

os.register_at_fork = _register

START_NS = 1_700_000_000 * 1_000_000_000
TICK_NS = 1_000_000


class Clock:
    """Stands in for the clock functions of the module ``time``."""

    def __init__(self) -> None:
        self.now = START_NS

    def read_ns(self) -> int:
        self.now += TICK_NS
        return self.now

    def read(self) -> float:
        return self.read_ns() / 1e9

    def sleep(self, seconds: float, /) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.now += int(seconds * 1e9)


def install() -> Clock:
    """Replace the sources of nondeterminism of the standard library that programs use."""
    clock = Clock()
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, clock.read)
        setattr(time, f"{name}_ns", clock.read_ns)
    time.sleep = clock.sleep  # type: ignore[assignment]
    entropy = random.Random(0)
    os.urandom = random._urandom = entropy.randbytes  # type: ignore[attr-defined]
    seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, 0 if a is None else a, version)

    random.Random.seed = seeded  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random.seed(0)
    return clock


def reseed(clock: Clock, seed: int) -> None:
    """Start over: the same ``seed``, the same numbers and times."""
    clock.now = START_NS + seed * 86_400 * 1_000_000_000
    random.seed(seed)
