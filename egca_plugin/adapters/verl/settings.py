"""From verl's configuration to EGCA's settings, and the combinations that are refused before anything starts.

``egca`` in the trainer's configuration is a mapping of the fields of :class:`egca_plugin.config.EgcaConfig` plus
``enabled``; ``off`` alone, or ``enabled: false``, is plain GRPO with the same rewards. ``bank: checkpoints`` is a
folder beside the run's checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf

from egca_plugin.config import PRESETS, EgcaConfig
from egca_plugin.errors import ConfigError

ESTIMATOR = REWARD_MANAGER = "egca"
TRAINER_MODES = ("egca_sync", "egca_colocate_async", "egca_separate_async")
# Losses that weigh a sequence as one: token-level credit would not mean there what it means in GRPO.
SEQUENCE_LEVEL_LOSSES = {
    "gspo": "its importance ratio and its clipping are per sequence",
    "geo_mean": "it averages a sequence's advantages (core_algos.py:1987)",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """``enabled`` False: rewards as ever, every credit uniform, stock GRPO advantages."""

    enabled: bool
    egca: EgcaConfig


def read(config: DictConfig) -> Settings:
    """The ``egca`` part of verl's whole configuration. Raises ConfigError for unknown keys and values."""
    value = OmegaConf.to_container(config.egca, resolve=True) if _is_node(config) else config.get("egca")
    if value is None:
        return Settings(True, EgcaConfig())
    if value in (False, "off"):
        return Settings(False, EgcaConfig())
    if isinstance(value, str):
        if value not in PRESETS:
            raise ConfigError(f"egca: got {value!r}, expected off, one of {', '.join(PRESETS)}, or a mapping")
        return Settings(True, EgcaConfig(preset=value))
    if not isinstance(value, Mapping):
        raise ConfigError(f"egca: got {value!r}, expected off, one of {', '.join(PRESETS)}, or a mapping")
    fields = {str(key): item for key, item in value.items()}
    enabled = fields.pop("enabled", True)
    if not isinstance(enabled, bool):
        raise ConfigError(f"egca.enabled: got {enabled!r}, expected true or false")
    if fields.get("bank") == "checkpoints":
        fields["bank"] = f"{config.trainer.default_local_dir}/egca_bank"
    return Settings(enabled, EgcaConfig.from_mapping(fields))


def check(config: DictConfig) -> Settings:
    """Settings of a run that is about to start. Raises ConfigError where EGCA could not work or would do nothing."""
    settings = read(config)
    estimator = config.algorithm.adv_estimator
    if estimator != ESTIMATOR:
        raise ConfigError(
            f"algorithm.adv_estimator: got {estimator!r}, the egca trainer modes need {ESTIMATOR!r}. "
            "For plain GRPO with the same rewards set egca.enabled=false instead"
        )
    manager = config.reward.reward_manager
    if manager.source == "register" and manager.name != REWARD_MANAGER:
        raise ConfigError(
            f"reward.reward_manager.name: got {manager.name!r}, expected {REWARD_MANAGER!r}: it judges the programs "
            "and brings the credit that the estimator places"
        )
    if OmegaConf.select(config, "reward.reward_model.enable") and not OmegaConf.select(
        config, "reward.custom_reward_function.path"
    ):
        raise ConfigError(
            "reward.reward_model.enable=true: verl then rewards by that model's score alone and never asks the egca "
            "manager (reward_loop.py, compute_score). Leave the model out, or set reward.custom_reward_function.path: "
            "verl then asks the manager, and a subclass of EgcaRewardManager may ask the model"
        )
    loss = OmegaConf.select(config, "actor_rollout_ref.actor.policy_loss.loss_mode")
    if settings.enabled and loss in SEQUENCE_LEVEL_LOSSES:
        raise ConfigError(
            f"actor_rollout_ref.actor.policy_loss.loss_mode={loss}: {SEQUENCE_LEVEL_LOSSES[loss]}, so token-level "
            "credit would not do what it says. Use a token-level loss such as vanilla, or set egca.enabled=false"
        )
    return settings


def _is_node(config: DictConfig) -> bool:
    return "egca" in config and OmegaConf.is_config(config.egca)
