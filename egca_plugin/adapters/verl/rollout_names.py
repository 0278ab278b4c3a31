"""The names of the CPU rollout. Loaded by name only: Ray may import :mod:`rollout_cpu` first, which imports verl."""

from __future__ import annotations

from typing import Any

from verl.workers.rollout.base import _ROLLOUT_REGISTRY
from verl.workers.rollout.replica import RolloutReplicaRegistry

NAME = "hf_cpu"


def _load_replica() -> Any:
    from egca_plugin.adapters.verl.rollout_cpu import HFReplica

    return HFReplica


RolloutReplicaRegistry.register(NAME, _load_replica)
_ROLLOUT_REGISTRY[(NAME, "async")] = "egca_plugin.adapters.verl.rollout_cpu.HFServerAdapter"
