"""The overhead budget ``egca.budget``: how much of a step's wall clock localisation may take.

Each worker process keeps its own ledger of its own time: workers run side by side, so a step is held up by no more than
the share that every one of them keeps to. A refused sample gets plain GRPO with the reason :data:`REASON`.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable

REASON = "budget_spent"
_REMEMBERED = 5  # steps; the median shrugs off one with validation or a checkpoint in it


class Budget:
    """Says whether the next sample of a step may be localised.

    A step lasts from its first sample here to the next step's first sample: generation, update and all. How long it
    will be is known from the steps before it, so the first step is measured and never limited. In an asynchronous run
    steps overlap: a late sample of an earlier step counts for the one that has begun. ``share`` is of a step's length,
    from 0 (never localise) to 1.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._lengths: deque[float] = deque(maxlen=_REMEMBERED)
        self._step: int | None = None
        self._began = 0.0
        self._spent = 0.0

    def allows(self, step: int | None) -> bool:
        """May a sample of ``step`` be localised now? Samples outside training have no step (None) and no limit."""
        if self._share <= 0:
            return False
        if step is None:
            return True
        if self._step is None or step > self._step:
            self._turn_to(step)
        return not self._lengths or self._spent < self._share * statistics.median(self._lengths)

    def spend(self, seconds: float) -> None:
        """Book the wall clock of one localisation."""
        self._spent += seconds

    def _turn_to(self, step: int) -> None:
        now = self._clock()
        if self._step is not None:
            self._lengths.append(now - self._began)
        self._step, self._began, self._spent = step, now, 0.0
