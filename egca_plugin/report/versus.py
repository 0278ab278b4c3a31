"""Two runs compared: the same figures of each, and the difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from egca_plugin.report.summary import Summary
from egca_plugin.types import Mode


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of each run, None where it has none to tell."""

    name: str
    this: float | None
    other: float | None

    @property
    def difference(self) -> float | None:
        return None if self.this is None or self.other is None else self.this - self.other


def figures(this: Summary, other: Summary) -> tuple[Figure, ...]:
    """Shares of all samples, unless the name says of which."""
    rows = zip(_shares(this), _shares(other), strict=True)
    return tuple(Figure(name, mine, theirs) for (name, mine), (_, theirs) in rows)


def _shares(summary: Summary) -> Iterator[tuple[str, float | None]]:
    yield "passed all tests", summary.passed / summary.samples
    modes = {count.name: count.share for count in summary.modes}
    for mode in Mode:
        if mode is not Mode.CORRECT:
            yield mode.value, modes.get(mode.value, 0.0)
    yield "narrow credit, of the failing", summary.narrow / summary.failed if summary.failed else None
    yield "proved by a patch, of the narrow", summary.verified / summary.narrow if summary.narrow else None
    yield "credited share of a response, median of the narrow", summary.credited
