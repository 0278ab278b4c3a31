"""How long the stages of one sample take: for people and for the ledger of overheads, never for a decision."""

from __future__ import annotations

import time
from collections.abc import Mapping


class Stopwatch:
    """Milliseconds by stage: each ``lap`` ends the stage that it names. ``ms``: what earlier stages took."""

    def __init__(self, ms: Mapping[str, float] | None = None) -> None:
        self.ms: dict[str, float] = dict(ms or {})
        self._last = time.perf_counter()

    def lap(self, stage: str) -> float:
        now = time.perf_counter()
        ms = 1e3 * (now - self._last)
        self.ms[stage] = self.ms.get(stage, 0.0) + ms
        self._last = now
        return ms
