"""From verl's configuration to EGCA's settings, and the combinations that are refused before anything starts.

``egca`` in the trainer's configuration is a mapping of the fields of :class:`egca_plugin.config.EgcaConfig` plus
``enabled``; ``off`` alone, or ``enabled: false``, is plain GRPO with the same rewards. ``bank: checkpoints`` is a
folder beside the run's checkpoints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from egca_plugin.adapters.settings import Settings
from egca_plugin.config import PRESETS, EgcaConfig
from egca_plugin.errors import ConfigError

ESTIMATOR = REWARD_MANAGER = "egca"
TRAINER_MODES = ("egca_sync", "egca_colocate_async", "egca_separate_async")
# Losses that weigh a sequence as one: token-level credit would not mean there what it means in GRPO.
SEQUENCE_LEVEL_LOSSES = {
    "geo_mean": "it averages a sequence's advantages (core_algos.py:1987)",
}


# verl's configuration still has these, for its recipes; its trainer reads `reward` alone.
_BEFORE_0_9 = {
    "custom_reward_function": "reward.custom_reward_function",
    "reward_model": "reward (reward.num_workers, reward.reward_manager.name, reward.reward_model)",
    "sandbox_fusion": "reward.sandbox_fusion",
}


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
    _check_rewarding(config)
    if settings.enabled and settings.egca.localizer == "debugger" and not os.environ.get("EGCA_DEBUGGER_URL"):
        raise ConfigError(
            "egca.localizer=debugger: the environment's EGCA_DEBUGGER_URL names no server, so that every sample would "
            "keep plain GRPO credit; set it on every node, such as http://localhost:8000/v1"
        )
    loss = OmegaConf.select(config, "actor_rollout_ref.actor.policy_loss.loss_mode")
    if settings.enabled and loss in SEQUENCE_LEVEL_LOSSES:
        raise ConfigError(
            f"actor_rollout_ref.actor.policy_loss.loss_mode={loss}: {SEQUENCE_LEVEL_LOSSES[loss]}, so token-level "
            "credit would not do what it says. Use a token-level loss such as vanilla, or set egca.enabled=false"
        )
    if settings.enabled and settings.egca.counterfactual:
        _check_counterfactual(config)
    return settings


def _check_counterfactual(config: DictConfig) -> None:
    """Raises ConfigError where the loss is not PPO's on the log-probabilities that the trainer computed."""
    for name, expected in (
        ("actor_rollout_ref.actor.policy_loss.loss_mode", "vanilla"),
        ("algorithm.rollout_correction.bypass_mode", False),
    ):
        value = OmegaConf.select(config, name)
        if value not in (None, expected):
            raise ConfigError(
                f"egca.credit: got 'counterfactual' with {name}={value}, expected {expected}: what is learnt is PPO's "
                "ratio to an old log-probability of 0"
            )


def credits_everyone(config: DictConfig, settings: Settings) -> bool:
    """Are groups credited in which all samples have the same reward?

    Praise wants those that fail altogether, where verl keeps them: with ``algorithm.filter_groups`` it does not.
    """
    kept = not OmegaConf.select(config, "algorithm.filter_groups.enable")
    return settings.egca.localize == "all" or (kept and settings.egca.learns_from_mended)


def _check_rewarding(config: DictConfig) -> None:
    """Refuse what verl's other reward managers read and this one, or verl itself, would drop in silence."""
    for old, new in _BEFORE_0_9.items():
        for name, value in _set(OmegaConf.select(config, old)):
            raise ConfigError(
                f"{old}.{name}: got {value!r} under a name that verl 0.9 no longer reads, so it would be dropped in "
                f"silence; say it under {new}"
            )
    registered = OmegaConf.select(config, "reward.reward_manager.source") in (None, "register")
    found = OmegaConf.select(config, "reward.reward_kwargs") if registered else None  # a subclass may read them
    given: Any = OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
    buffer = given.get("overlong_buffer_cfg") if isinstance(given, Mapping) else None
    unused = isinstance(given, Mapping) and set(given) <= {"overlong_buffer_cfg", "max_resp_len"}
    if given and not (unused and not (buffer or {}).get("enable")):
        raise ConfigError(
            f"reward.reward_kwargs: got {given!r}, which the manager 'dapo' reads and 'egca' does not: a penalty for "
            "length would be dropped. Leave it out, or name a subclass of EgcaRewardManager that applies it by "
            "reward.reward_manager.source=importlib"
        )
    custom = OmegaConf.select(config, "reward.custom_reward_function")
    if custom and custom.get("reward_kwargs") and not custom.get("path"):
        raise ConfigError(
            f"reward.custom_reward_function.reward_kwargs: got {dict(custom.reward_kwargs)!r} without a path, so no "
            "function gets them; set reward.custom_reward_function.path, or leave them out"
        )
    url = OmegaConf.select(config, "reward.sandbox_fusion.url")
    if url:
        raise ConfigError(
            f"reward.sandbox_fusion.url: got {url!r}, which verl's scorer of programs reads and EGCA does not: it runs "
            "them itself. Leave it out, or set egca.sandbox.url to the server's run_code"
        )


def _set(node: Any) -> Iterator[tuple[str, Any]]:
    """The leaves below ``node`` that have a value, by their dotted names."""
    for name, value in node.items() if isinstance(node, DictConfig) else ():
        if isinstance(value, DictConfig):
            yield from ((f"{name!s}.{below}", leaf) for below, leaf in _set(value))
        elif value is not None:
            yield str(name), value


def _is_node(config: DictConfig) -> bool:
    return "egca" in config and OmegaConf.is_config(config.egca)
