"""What stands between the two phases: a completion that was judged, and where its fault is, as far as that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from egca_plugin.program.constraints import Violation
from egca_plugin.types import Localization, Mode, Program, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """All that judging found of one completion, so that crediting runs none of it again. It pickles.

    ``failed``: some stage after the verdict could make nothing of the program. ``ms`` maps a stage's name to
    milliseconds, ``restarts`` a kind of process to how many were lost and replaced meanwhile.
    """

    text: str
    program: Program
    verdict: Verdict
    reward: float
    violations: tuple[Violation, ...] = ()
    anomalies: tuple[str, ...] = ()
    failed: bool = False
    ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    restarts: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def exemplary(self) -> bool:
        """May others be compared with it? It passes, the same each time, and nothing about it is suspect."""
        sound = self.verdict.passed and self.verdict.stable
        return sound and not (self.violations or self.anomalies or self.failed)


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the fault of one program is, with its mode; ``ms`` and ``restarts`` as in :class:`Judged`.

    ``final``: its siblings, where it has some, were asked too.
    """

    found: Localization
    mode: Mode
    final: bool = False
    ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    restarts: Mapping[str, int] = field(default_factory=dict, compare=False)
