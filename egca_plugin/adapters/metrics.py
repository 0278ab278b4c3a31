"""Metrics of one training step under ``egca/``: those of the credits, and those of their placing on the tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from egca_plugin import metrics as core
from egca_plugin.adapters.samples import Row
from egca_plugin.adapters.tensors import Placement


def step_metrics(rows: Sequence[Row | None], placement: Placement | None, real: Sequence[int]) -> dict[str, float]:
    """``real`` are the indices of the rows that are no padding; ``placement`` is None where EGCA is off.

    A sample without a credit counts under ``egca/fallback/no_credit``.
    """
    known = [row for row in (rows[i] for i in real) if row is not None]
    fallbacks = Counter(row.fallback for row in known if row.fallback)
    fallbacks["no_credit"] = len(real) - len(known)
    out = core.of_credits([row.credit for row in known])
    if placement is not None:
        fallbacks["span_masked"] = sum(placement.lost[i] for i in real)
        out |= _of_placement(placement, real)
    return out | {f"egca/fallback/{code}": count / max(len(real), 1) for code, count in sorted(fallbacks.items())}


def _of_placement(placement: Placement, real: Sequence[int]) -> dict[str, float]:
    """``credited_tokens`` is a share of all response tokens; ``concentration`` is T / |S| of the moved rows."""
    moved = [placement.concentration[i] for i in real if placement.moved[i]]
    tokens = sum(placement.tokens[i] for i in real)
    return {
        "egca/moved": len(moved) / max(len(real), 1),
        "egca/credited_tokens": sum(placement.credited[i] for i in real) / max(tokens, 1),
        "egca/concentration/mean": sum(moved) / len(moved) if moved else 1.0,
        "egca/concentration/max": max(moved, default=1.0),
        "egca/mass_error": max((placement.mass_error[i] for i in real), default=0.0),
    }
