"""The report's charts as numbers: the template draws them as inline SVG, without a chart library or a network.

Coordinates are those of a view box of :data:`WIDTH` units; the browser scales it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from egca_plugin.report.summary import Count, Step

WIDTH = 600
HEIGHT = 160


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle from ``x``, ``width`` wide, with what it stands for; ``kind`` picks the colour."""

    kind: str
    label: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline: ``points`` as SVG wants them, ``last`` the value of its right end."""

    kind: str
    points: str
    last: float


def stacked(counts: Sequence[Count]) -> tuple[Bar, ...]:
    """One bar over the whole width, cut by share."""
    bars, x = [], 0.0
    for count in counts:
        width = WIDTH * count.share
        bars.append(Bar(count.name, f"{count.name} {count.n} ({count.share:.0%})", round(x, 2), round(width, 2)))
        x += width
    return tuple(bars)


def columns(bins: Sequence[int]) -> tuple[tuple[float, float, float, float, int], ...]:
    """``(x, y, width, height, n)`` of a histogram over the whole width."""
    top = max(bins, default=0) or 1
    width = WIDTH / max(len(bins), 1)
    return tuple(
        (round(at * width + 1, 2), round(HEIGHT * (1 - n / top), 2), round(width - 2, 2), round(HEIGHT * n / top, 2), n)
        for at, n in enumerate(bins)
    )


def lines(steps: Sequence[Step], over: Sequence[Step] = ()) -> tuple[Line, ...]:
    """Shares over the training steps, 0 at the bottom, 1 at the top; none with fewer than two steps.

    ``over``: the steps of another run, which the axis has to hold too.
    """
    if len(steps) < 2:
        return ()
    held = [step.step for step in (*steps, *over)]
    first, last = min(held), max(held)
    across = [WIDTH * (s.step - first) / (last - first) for s in steps]
    courses = {
        "passed": [s.passed for s in steps],
        "narrow": [s.narrow for s in steps],
        "verified": [s.verified for s in steps],
    }
    return tuple(Line(kind, _points(across, values), values[-1]) for kind, values in courses.items())


def _points(across: Sequence[float], values: Sequence[float]) -> str:
    return " ".join(f"{x:.1f},{HEIGHT * (1 - y):.1f}" for x, y in zip(across, values, strict=True))
