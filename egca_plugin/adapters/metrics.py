"""Metrics of one training step under ``egca/``: those of the credits, and those of their placing on the tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from egca_plugin.adapters.samples import Placement, Row
from egca_plugin.monitor import metrics as core


def step_metrics(rows: Sequence[Row | None], placement: Placement | None, real: Sequence[int]) -> dict[str, float]:
    """``real`` are the indices of the rows that are no padding; ``placement`` is None where EGCA is off.

    A sample without a credit counts under ``egca/fallback/no_credit``, one that is no code under ``egca/no_code``; the
    shares of modes and outcomes are of the others.
    """
    there = [row for row in (rows[i] for i in real) if row is not None]
    known = [row for row in there if row.judged]
    fallbacks = Counter(row.fallback for row in known if row.fallback)
    fallbacks["no_credit"] = len(real) - len(there)
    out = core.of_credits([row.credit for row in known])
    if placement is not None:
        fallbacks["span_masked"] = sum(placement.lost[i] for i in real)
        out |= _of_placement(placement, real)
        if any(row.placing.credit == "counterfactual" for row in known):
            learnt = [i for i in real if placement.moved[i] and (row := rows[i]) is not None and row.learns_instead]
            out["egca/counterfactual"] = len(learnt) / max(len(real), 1)
    out["egca/no_code"] = (len(there) - len(known)) / max(len(real), 1)
    return out | {f"egca/fallback/{code}": count / max(len(real), 1) for code, count in sorted(fallbacks.items())}


def _of_placement(placement: Placement, real: Sequence[int]) -> dict[str, float]:
    """``credited_tokens`` and ``praised_tokens`` are shares of all response tokens; ``concentration`` (T / |S|) and
    ``mass`` of moved rows.
    """
    moved = [placement.concentration[i] for i in real if placement.moved[i]]
    mass = [placement.mass[i] for i in real if placement.moved[i]]
    tokens = sum(placement.tokens[i] for i in real)
    return {
        "egca/moved": len(moved) / max(len(real), 1),
        "egca/credited_tokens": sum(placement.credited[i] for i in real) / max(tokens, 1),
        "egca/praised_tokens": sum(placement.praised[i] for i in real) / max(tokens, 1),
        "egca/concentration/mean": sum(moved) / len(moved) if moved else 1.0,
        "egca/concentration/max": max(moved, default=1.0),
        "egca/mass/mean": sum(mass) / len(mass) if mass else 1.0,
        "egca/mass/max": max(mass, default=1.0),
    }
