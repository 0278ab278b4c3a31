"""``python -m egca_plugin.adapters.openrlhf.train``: OpenRLHF's ``train_ppo_ray`` with EGCA, and its own options.

Three names are rebound in this process before OpenRLHF's command line runs: its two trainers, and ``get_strategy``, the
first that it calls with the parsed options.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from typing import Any

from egca_plugin.adapters.openrlhf import settings, versions
from egca_plugin.adapters.openrlhf.data import AGENT
from egca_plugin.adapters.settings import Settings, split
from egca_plugin.errors import ConfigError

PROGRAM = "openrlhf.cli.train_ppo_ray"


def command(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """EGCA's settings, and OpenRLHF's words, with the executor and the column of the tasks where they name none.

    Raises ConfigError.
    """
    chosen, theirs = split(argv)
    named = {word.split("=")[0] for word in theirs}
    if "--reward.remote_url" in named:
        raise ConfigError(
            "--reward.remote_url: the sandbox is the reward, and OpenRLHF ignores this option beside "
            "--train.agent_func_path, which EGCA needs. Leave it out"
        )
    if "--train.agent_func_path" not in named:
        theirs += ["--train.agent_func_path", str(AGENT)]
    if "--data.label_key" not in named:
        theirs += ["--data.label_key", settings.LABEL]
    return chosen, theirs


def install(chosen: Settings) -> None:
    """Rebind the three names."""
    import ray

    from egca_plugin.adapters.openrlhf.trainer import EgcaPPOTrainer, EgcaPPOTrainerAsync

    def get_strategy(args: Any) -> Any:
        args.egca = settings.check(chosen, args)
        return stock(args)

    stock = versions.rebind("openrlhf.utils", "get_strategy", get_strategy)
    versions.rebind("openrlhf.trainer.ppo_trainer", "PPOTrainer", ray.remote(EgcaPPOTrainer))
    versions.rebind("openrlhf.trainer.ppo_trainer_async", "PPOTrainerAsync", ray.remote(EgcaPPOTrainerAsync))


def main() -> None:
    """Run OpenRLHF's command line. Raises FrameworkError for another OpenRLHF, ConfigError for settings."""
    versions.check(versions.installed())
    chosen, theirs = command(sys.argv[1:])
    sys.argv = [PROGRAM, *theirs]
    install(chosen)
    runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
