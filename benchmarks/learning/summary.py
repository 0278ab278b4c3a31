"""From runs to tables: every arm against GRPO of the same seed, with bootstrap intervals over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common import Interval, bootstrap, table
from benchmarks.learning.arms import ARMS

Row = Mapping[str, Any]
BASE = "grpo"


def paired(rows: Sequence[Row], arm: str, regime: str, measure: str) -> list[float]:
    """``measure`` of ``arm`` minus that of GRPO, seed by seed."""
    own = {row["seed"]: row[measure] for row in rows if (row["arm"], row["regime"]) == (arm, regime)}
    base = {row["seed"]: row[measure] for row in rows if (row["arm"], row["regime"]) == (BASE, regime)}
    return [own[seed] - base[seed] for seed in sorted(own.keys() & base.keys())]


def level(rows: Sequence[Row], arm: str, regime: str, measure: str) -> Interval:
    """Mean of ``measure`` over seeds."""
    return bootstrap([r[measure] for r in rows if (r["arm"], r["regime"]) == (arm, regime)], statistics.fmean)


def tables(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Per regime what was learned, then the gradients on recorded batches."""
    trained = [row for row in rows if row["arm"]]
    regimes = list(dict.fromkeys(row["regime"] for row in sorted(trained, key=lambda r: r["seed"])))
    found = [_learning(trained, regime) for regime in regimes]
    return found + [_gradients([row for row in rows if not row["arm"]], regime) for regime in regimes]


def _learning(rows: Sequence[Row], regime: str) -> dict[str, Any]:
    start = level(rows, BASE, regime, "start").value
    body = []
    for arm in ARMS:
        difference = bootstrap(paired(rows, arm, regime, "during"), statistics.fmean)
        measures = [level(rows, arm, regime, m).show("{:.3f}") for m in ("during", "final", "held_out")]
        body.append([arm, *measures, "" if arm == BASE else difference.show("{:+.3f}")])
    columns = [
        "failing samples get",
        "mean pass rate in training",
        "at the end (exact)",
        "held out (exact)",
        "against grpo",
    ]
    return table(f"Learning, {regime}: pass rate {start:.2f} at the start", columns, body)


def _gradients(rows: Sequence[Row], regime: str) -> dict[str, Any]:
    body = []
    for arm in ARMS:
        cells = []
        for measure in ("faulty_share", "failing_cosine", "cosine", "snr"):
            values = [row["gradients"][arm][measure] for row in rows if row["regime"] == regime]
            cells.append(bootstrap(values, statistics.fmean).show("{:.3f}"))
        body.append([arm, *cells])
    columns = [
        "failing samples get",
        "their mass on the first faulty token",
        "cosine of their gradient with the exact one",
        "cosine of the whole gradient",
        "signal to noise of the whole",
    ]
    return table(f"Gradients of the untrained policy, {regime}", columns, body)
