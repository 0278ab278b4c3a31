"""From cells to differences: every arm against GRPO of the same world, rate and seed, with t intervals over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.common import Interval
from benchmarks.learning.programs.stages import CONTROLS

Row = Mapping[str, Any]
BASE = "grpo"
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


def area(row: Row) -> float:
    """Mean held-out pass rate over training: the area under the curve by the trapezoid rule, by step."""
    curve = [(at["step"], at["passed"]) for at in row["evals"]]
    total = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve))
    return float(total / (curve[-1][0] - curve[0][0]))


def final(row: Row) -> float:
    """Held-out pass rate at the end."""
    return float(row["evals"][-1]["passed"])


def reach(row: Row, base: Row) -> float:
    """Sampled tokens until ``row`` first reaches the end of ``base``, as a share of those that ``base`` sampled.

    Between two points of the curve it is interpolated; where the level is never reached, the row's own tokens count as
    what it took, so that the mean is too low rather than infinite (:func:`reached` says how often it was).
    """
    level, curve = final(base), [(at["sampled"], at["passed"]) for at in row["evals"]]
    whole = base["evals"][-1]["sampled"]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if y1 >= level:
            return float((x1 if y0 >= level else x0 + (x1 - x0) * (level - y0) / (y1 - y0)) / whole)
    return float(curve[-1][0] / whole)


def reached(row: Row, base: Row) -> bool:
    """Does ``row`` ever reach the end of ``base``?"""
    return any(at["passed"] >= final(base) for at in row["evals"][1:])


def t_interval(values: Sequence[float]) -> Interval:
    """Mean with Student's 95% interval; infinite for one value. Raises ValueError for none."""
    if not values:
        raise ValueError("t_interval: got no values, expected at least one")
    mean = statistics.fmean(values)
    if len(values) == 1:
        return Interval(mean, -math.inf, math.inf)
    degrees = len(values) - 1
    t = _T95[degrees - 1] if degrees <= len(_T95) else 1.96 + 2.4 / degrees
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def pairs(rows: Sequence[Row], arm: str, world: str, base: str = BASE) -> list[tuple[Row, Row]]:
    """The cells of ``arm`` beside those of ``base`` with the same rate and seed, in order."""
    theirs = {(row["rate"], row["seed"]): row for row in rows if (row["arm"], row["world"]) == (base, world)}
    own = {(row["rate"], row["seed"]): row for row in rows if (row["arm"], row["world"]) == (arm, world)}
    return [(own[key], theirs[key]) for key in sorted(own.keys() & theirs.keys())]


def gains(rows: Sequence[Row], arm: str, world: str, base: str = BASE) -> list[float]:
    """Differences in held-out area, one a seed, in order; none to itself."""
    return list(_by_seed(rows, arm, world, base).values())


def gains_over(rows: Sequence[Row], arm: str, worlds: Sequence[str], base: str = BASE) -> list[float]:
    """Mean differences over ``worlds``, as the rule takes them, one for each seed that has run in all of them."""
    found = [_by_seed(rows, arm, world, base) for world in worlds]
    return [statistics.fmean(one[seed] for one in found) for seed in found[0] if all(seed in one for one in found)]


def _by_seed(rows: Sequence[Row], arm: str, world: str, base: str) -> dict[int, float]:
    """Those at several rates are averaged, since they share the seed."""
    by_seed: dict[int, list[float]] = {}
    for own, theirs in pairs(rows, arm, world, base) if arm != base else ():
        by_seed.setdefault(own["seed"], []).append(area(own) - area(theirs))
    return {seed: statistics.fmean(found) for seed, found in sorted(by_seed.items())}


def chosen(rows: Sequence[Row], worlds: Sequence[str], arms: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The arm that the rule of :mod:`benchmarks.learning.programs.stages` makes the default, and a word on each.

    Controls cannot become it, nor can an arm that has not run in every one of ``worlds`` with two seeds.
    """
    verdicts, best = {BASE: "what all are compared with"}, {BASE: 0.0}
    for arm in arms:
        found = [gains(rows, arm, world) for world in worlds]
        if arm == BASE:
            continue
        if arm in CONTROLS:
            verdicts[arm] = "a control"
        elif any(len(values) < 2 for values in found):
            verdicts[arm] = "not enough cells"
        elif worse := [world for world, v in zip(worlds, found, strict=True) if t_interval(v).high < 0]:
            verdicts[arm] = f"worse than {BASE} in {', '.join(worse)}"
        else:
            best[arm] = statistics.fmean(statistics.fmean(values) for values in found)
            verdicts[arm] = f"not worse; mean difference {best[arm]:+.3f}"
    winner = max(best, key=lambda arm: best[arm])
    return winner, verdicts
