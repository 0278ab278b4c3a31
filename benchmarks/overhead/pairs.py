"""The statistics of a paired comparison: ratios within pairs, their median, and its bootstrap interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.common import Interval, bootstrap
from benchmarks.overhead.schedule import EGCA, GRPO, WARM_UP, arm_of, pair_of, share_index

UPDATE = ("update_actor", "update_weights")
PHASES = ("gen", "old_log_prob", "adv", *UPDATE, "step")


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds by phase of the two steps of one pair."""

    share: float
    grpo: Mapping[str, float]
    egca: Mapping[str, float]


def pairs(steps: Mapping[int, Mapping[str, float]], shares: Sequence[float]) -> list[Pair]:
    """Complete pairs after the warm-up; ``steps`` maps the 1-based step to its seconds by phase."""
    found: dict[int, dict[str, Mapping[str, float]]] = {}
    for step, seconds in steps.items():
        if step > WARM_UP:
            found.setdefault(pair_of(step), {})[arm_of(step)] = seconds
    return [
        Pair(shares[share_index(pair, len(shares))], arms[GRPO], arms[EGCA])
        for pair, arms in sorted(found.items())
        if len(arms) == 2
    ]


def overhead(chosen: Sequence[Pair], phase: str) -> Interval:
    """Median over pairs of EGCA's time in ``phase`` over GRPO's, minus one."""
    return bootstrap([pair.egca[phase] / pair.grpo[phase] - 1 for pair in chosen])


def added(chosen: Sequence[Pair], phase: str) -> Interval:
    """Median over pairs of the seconds that EGCA adds in ``phase``."""
    return bootstrap([pair.egca[phase] - pair.grpo[phase] for pair in chosen])


def before_update(chosen: Sequence[Pair]) -> tuple[Interval, Interval]:
    """Seconds that EGCA adds to a step in front of its update, and as a share of GRPO's whole step; medians over pairs.

    The update is the same work in both, and on a CPU the noisiest part by far: nothing of EGCA's runs in it.
    """
    more = [_in_front(pair.egca) - _in_front(pair.grpo) for pair in chosen]
    shares = [seconds / pair.grpo["step"] for seconds, pair in zip(more, chosen, strict=True)]
    return bootstrap(more), bootstrap(shares)


def _in_front(seconds: Mapping[str, float]) -> float:
    return seconds["step"] - sum(seconds.get(phase, 0.0) for phase in UPDATE)
