"""How long a training run takes still: guessed before it starts, corrected by every step that has been seen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from rich.progress import BarColumn, ProgressColumn, Task
from rich.progress_bar import ProgressBar
from rich.text import Text

from egca_plugin.cli.progress import span

# Of SmolLM2-135M on two cores: Ray, verl and its workers; a step of 24 samples, prompts of 88 and answers of 96 tokens.
START_S, STEP_S, TOKENS = 45.0, 80.0, 24 * (88 + 96)
OVERDUE = 0.15  # of what a phase has taken is still to come, once it has taken as long as was guessed


class Pace:
    """Start-up and then ``steps`` of samples with ``tokens`` tokens in all; ``clock`` gives seconds."""

    def __init__(self, steps: int, tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._clock = steps, clock
        cores = len(os.sched_getaffinity(0))
        self._step_s = STEP_S * tokens / TOKENS * 2 / cores
        self._took: list[float] = []  # seconds of start-up with the first step, then of each further step
        self._began = self._last = clock()

    def step(self) -> None:
        """One more step has ended."""
        now = self._clock()
        self._took.append(now - self._last)
        self._last = now
        known = self._took[1:] or [self._took[0] * self._step_s / (START_S + self._step_s)]
        self._step_s = sum(known) / len(known)

    def left(self) -> float:
        """Seconds to the end, never quite none before the last step."""
        ahead = self._steps - len(self._took)
        if ahead <= 0:
            return 0.0
        here = self._step_s + (0.0 if self._took else START_S)
        since = self._clock() - self._last
        return max(here - since, OVERDUE * since) + (ahead - 1) * self._step_s

    def share(self) -> float:
        """What is done, from 0 to 1."""
        past = self._clock() - self._began
        return past / ((past + self.left()) or 1.0)


class PaceBar(BarColumn):
    """A bar that moves by the clock where a task has a ``pace``, else by what was counted."""

    def render(self, task: Task) -> ProgressBar:
        pace: Pace | None = task.fields.get("pace")
        return ProgressBar(total=1.0, completed=pace.share(), width=self.bar_width) if pace else super().render(task)


class PaceLeft(ProgressColumn):
    """``about 2 min left``."""

    def render(self, task: Task) -> Text:
        pace: Pace | None = task.fields.get("pace")
        left = pace.left() if pace else 0.0
        return Text(f"about {span(left)} left" if left else "")
