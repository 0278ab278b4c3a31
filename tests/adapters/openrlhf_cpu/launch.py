"""Starts the launcher under test on a Ray that believes in four GPUs: ``python launch.py OPTIONS``."""

from __future__ import annotations

import time
from typing import Any

import ray
from ray._private import services

from egca_plugin.adapters.openrlhf import train

_find = services.get_node


def _patient(*args: Any, **kwargs: Any) -> Any:
    """Ray gives its own start 30 s, too little on a machine with other work."""
    for _ in range(300):
        try:
            return _find(*args, **kwargs)
        except RuntimeError:
            time.sleep(1)
    return _find(*args, **kwargs)


if __name__ == "__main__":
    services.get_node = _patient
    ray.init(
        num_cpus=8,
        num_gpus=4,
        include_dashboard=False,
        log_to_driver=True,
        object_store_memory=300_000_000,
        runtime_env={"env_vars": {"TOKENIZERS_PARALLELISM": "false"}},
    )
    train.main()
