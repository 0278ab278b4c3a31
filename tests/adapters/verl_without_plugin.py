"""Imported into every process of a run by VERL_USE_EXTERNAL_MODULES: in the reward worker's there is no EGCA.

As on a node whose environment lacks it: verl finds no plugin there, and importing it fails.
"""

from __future__ import annotations

import sys
from typing import Any

import ray

WORKER = "reward_loop_worker_0"  # as verl names the actor


class _Hide:
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] == "egca_plugin":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if ray.is_initialized() and ray.get_runtime_context().get_actor_name() == WORKER:
    for name in [name for name in sys.modules if name.partition(".")[0] == "egca_plugin"]:
        del sys.modules[name]
    sys.meta_path[:] = [_Hide(), *(one for one in sys.meta_path if "egca" not in type(one).__module__)]
