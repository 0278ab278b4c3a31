"""verl's legacy trainer (``trainer.use_v1=False``) with EGCA: ``python -m egca_plugin.adapters.verl.legacy OVERRIDES``.

verl 0.9 deprecates that trainer and has no registry for it: its task runner names the trainer class. So this module is
a ``main`` of its own around verl's. A verl that has not what it takes is refused here, before its modules are missed.
"""

from __future__ import annotations

import hydra
from omegaconf import DictConfig

from egca_plugin.adapters.verl import versions


@hydra.main(config_path="pkg://egca_plugin.adapters.verl.config", config_name="grpo_egca", version_base=None)
def main(config: DictConfig) -> None:
    """verl's ``main_ppo.main`` for the legacy trainer."""
    from verl.trainer import main_ppo
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config
    from verl.utils.device import auto_set_device

    from egca_plugin.adapters.verl import legacy_trainer, settings

    auto_set_device(config)
    settings.check(config)
    validate_config(config=config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    main_ppo.run_ppo(config, task_runner_class=legacy_trainer.EgcaTaskRunner)


if __name__ == "__main__":
    versions.check(versions.installed())  # before Hydra composes a configuration that an older verl does not have
    main()
