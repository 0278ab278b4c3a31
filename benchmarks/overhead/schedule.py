"""Which arm a training step runs, and with which logic share: pairs of steps over the same recorded responses.

Within a pair the arms' order alternates (AB BA AB BA ...), so that a drifting machine hurts both alike; the logic share
changes every two pairs, so that every share sees both orders.
"""

from __future__ import annotations

GRPO, EGCA = "grpo", "egca"
ARMS = (GRPO, EGCA)
WARM_UP = 4  # steps: two pairs that are run and not counted


def pair_of(step: int) -> int:
    """0-based pair of the 1-based ``step``."""
    return (step - 1) // 2


def arm_of(step: int) -> str:
    """The arm of the 1-based training ``step``."""
    second = (step - 1) % 2
    return ARMS[second ^ (pair_of(step) % 2)]


def share_index(pair: int, shares: int) -> int:
    """Which of ``shares`` logic shares a pair runs with."""
    return pair // 2 % shares
