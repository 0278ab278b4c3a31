"""What a row of the matrix is: settings, and what must hold once verl has run with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STEPS, PROMPTS, SAMPLES = 2, 4, 4


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: metrics by step (0: validation before training), records, its own files and its log."""

    code: int
    seconds: float
    metrics: Mapping[int, Mapping[str, float]]
    records: tuple[Mapping[str, Any], ...]
    home: Path
    log: str

    @property
    def steps(self) -> list[Mapping[str, float]]:
        """Metrics of the training steps, in order."""
        return [self.metrics[step] for step in sorted(self.metrics) if step]


class CheckFailed(Exception):
    """A run did not show what its row says."""


Check = Callable[[Ran], str]
"""Says in one phrase what it found to hold; raises :class:`CheckFailed`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run. ``settings`` are fields of ``launch.CpuRun``; ``replay``: the name of the recorded responses
    that are given instead of sampled ones, ``answers``, ``tool_calls`` or ``thoughts``.

    ``real``: the policy is SmolLM2-135M on the starter tasks. ``refused``: the run must stop by itself, and say these
    words.
    """

    name: str
    shows: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    replay: str = ""
    real: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A setting that no CPU can run: ``why``, and what was ``shown`` of it instead."""

    name: str
    shows: tuple[str, ...]
    why: str
    shown: str


def require(holds: bool, said: str) -> None:
    """Raise :class:`CheckFailed` with ``said`` unless ``holds``."""
    if not holds:
        raise CheckFailed(said)
