"""The picture: pass rate by step, one panel a regime."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import bootstrap, new_figure, save_figure

SHOWN = {
    "grpo": "black",
    "conserve": "tab:blue",
    "unit": "tab:green",
    "mass_matched": "tab:olive",
    "positives_only": "tab:gray",
    "late": "tab:orange",
    "random": "tab:red",
}
WINDOW = 10  # steps averaged for a point


def draw(rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Mean over seeds of the smoothed training pass rate, the band being its bootstrap interval."""
    trained = [row for row in rows if row["arm"]]
    regimes = sorted({row["regime"] for row in trained})
    figure, axes = new_figure(len(regimes), width=3.4, height=3.0)
    for axis, regime in zip([axes] if len(regimes) == 1 else axes, regimes, strict=True):
        for arm, colour in SHOWN.items():
            curves = [_smooth(row["curve"]) for row in trained if (row["arm"], row["regime"]) == (arm, regime)]
            points = [bootstrap(at, statistics.fmean, resamples=400) for at in zip(*curves, strict=True)]
            steps = [WINDOW * k + WINDOW / 2 for k in range(len(points))]
            axis.plot(steps, [p.value for p in points], color=colour, label=arm, linewidth=1.4)
            axis.fill_between(steps, [p.low for p in points], [p.high for p in points], color=colour, alpha=0.12)
        axis.set_title(regime)
        axis.set_xlabel("step")
        axis.set_ylim(0, 1)
    first = axes if len(regimes) == 1 else axes[0]
    first.set_ylabel("pass rate of the samples")
    first.legend(fontsize=7)
    return save_figure(figure, "learning_synthetic", folder)


def _smooth(curve: Sequence[float]) -> list[float]:
    return [statistics.fmean(curve[k : k + WINDOW]) for k in range(0, len(curve) - WINDOW + 1, WINDOW)]
