"""What a benchmark run adds to verl, named in ``VERL_USE_EXTERNAL_MODULES``: a rollout and a trainer mode.

As in the plugin itself, nothing of verl is imported before verl imports it.
"""

from __future__ import annotations

import importlib

from egca_plugin.adapters.verl.hooks import after_import

ROLLOUT, TRAINER = "replay", "egca_paired"


def _register_rollout() -> None:
    from verl.workers.rollout.base import _ROLLOUT_REGISTRY
    from verl.workers.rollout.replica import RolloutReplicaRegistry

    module = "benchmarks.overhead.replay_rollout"
    RolloutReplicaRegistry.register(ROLLOUT, lambda: importlib.import_module(module).ReplayReplica)
    _ROLLOUT_REGISTRY[(ROLLOUT, "async")] = "egca_plugin.adapters.verl.rollout_cpu.HFServerAdapter"


after_import("verl.workers.rollout.replica", _register_rollout)
after_import("verl.trainer.ppo.v1", lambda: importlib.import_module("benchmarks.overhead.paired_trainer"))
