"""What a sample's credit is before its group is credited, and whether there is more to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from egca_plugin.config import EgcaConfig
from egca_plugin.credit.assignment import assigned
from egca_plugin.credit.blame import settled
from egca_plugin.credit.gate import Route, route
from egca_plugin.judged import Judged
from egca_plugin.localize.api import Reason
from egca_plugin.types import Credit, Localization

JUDGE_ONLY = "judge_only"  # reason of samples that nothing is learnt from (validation)
PENDING = "pending"  # reason of samples that are judged and will be localised, or would be
NO_ADVANTAGE = "no_advantage"  # reason of failing samples in whose group all are rewarded alike
FAILED = "examination_failed"  # reason of samples of which a stage after the verdict could make nothing
REMOTE = "remote_sandbox"  # reason of samples that a server judged: it can neither trace them nor try a patch


def learnt(rewards: Sequence[float]) -> frozenset[int] | None:
    """Which samples of a whole group have an advantage in GRPO: none where all rewards are equal, else all (None)."""
    return frozenset() if len(set(rewards)) == 1 else None


def awaits(one: Judged, config: EgcaConfig) -> bool:
    """Does a sample's credit hang on more than its verdict?"""
    chosen = gated(one, config)
    return not one.failed and (settled(one, chosen) is None or chosen.reason == Reason.NO_REFERENCE.value)


def uncredited(one: Judged, reason: str, config: EgcaConfig) -> Credit:
    """The credit of a sample after the first phase alone; ``reason`` is why one that awaits the second has no span."""
    chosen = gated(one, config)
    found = Localization(reason=reason) if awaits(one, config) else settled(one, chosen)
    if one.failed or found is None:
        found = Localization(reason=FAILED)
    credit = assigned(one.text, one.program, one.verdict, chosen.mode, found, config)
    return replace(credit, ms=one.ms, anomalies=one.anomalies, restarts=one.restarts)


def gated(one: Judged, config: EgcaConfig) -> Route:
    """The gate's answer beside no reference."""
    return route(one.program, one.verdict, one.violations, None, config.preset)
