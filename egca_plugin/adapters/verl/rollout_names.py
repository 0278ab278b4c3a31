"""The name of the CPU rollout, by which verl finds it. Its code is loaded by name alone: it imports verl."""

from __future__ import annotations

import importlib
from typing import Any

from verl.workers.rollout.base import _ROLLOUT_REGISTRY
from verl.workers.rollout.replica import RolloutReplicaRegistry

NAME = "hf_cpu"
_MODULE = "egca_plugin.adapters.verl.rollout_cpu"


def _replica() -> Any:
    return importlib.import_module(_MODULE).HFReplica


RolloutReplicaRegistry.register(NAME, _replica)
_ROLLOUT_REGISTRY[(NAME, "async")] = f"{_MODULE}.HFServerAdapter"
