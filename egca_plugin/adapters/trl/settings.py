"""What a user chose of EGCA, and the parts of TRL's configuration that do not go with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from trl import GRPOConfig

from egca_plugin.adapters.settings import OFF, Settings, unpraised, without_counterfactual
from egca_plugin.config import PRESETS, EgcaConfig
from egca_plugin.errors import ConfigError

_OF_A_GROUP = "praise is of the size of one group's advantages"
_AGAINST_PRAISE: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("scale_rewards", lambda value: value == "batch", _OF_A_GROUP),
    ("multi_objective_aggregation", lambda value: value == "normalize_then_sum", _OF_A_GROUP),
    (
        "off_policy_mask_threshold",
        lambda value: value is not None,
        "TRL keeps of a failing sequence that it masks the tokens whose advantage is positive, so praise alone",
    ),
)


def read(value: EgcaConfig | Settings | str | None) -> Settings:
    """The trainer's argument ``egca``: settings, ``off``, a preset's name, or None for the defaults.

    :class:`Settings` say both, such as those of a run that is plain GRPO and keeps records.

    Raises ConfigError for anything else.
    """
    if value is None:
        return Settings(True, EgcaConfig())
    if isinstance(value, Settings):
        return value
    if isinstance(value, EgcaConfig):
        return Settings(True, value)
    if value == OFF:
        return Settings(False, EgcaConfig(localizer="uniform"))
    if value in PRESETS:
        return Settings(True, EgcaConfig(preset=value))
    raise ConfigError(f"egca: got {value!r}, expected an EgcaConfig, {OFF!r} or one of {', '.join(PRESETS)}")


def check(settings: Settings, args: GRPOConfig) -> Settings:
    """The settings of a run with ``args``. Raises ConfigError where EGCA could not work or would do nothing."""
    if args.remove_unused_columns:
        raise ConfigError(
            "GRPOConfig.remove_unused_columns=True would take the column with the tasks away; expected False, its "
            "default"
        )
    if not settings.enabled:
        return settings
    if args.beta:
        without_counterfactual(
            settings, f"GRPOConfig.beta={args.beta:g}: TRL asks the reference model about what was sampled alone"
        )
    if args.importance_sampling_level != "token":
        raise ConfigError(
            f"GRPOConfig.importance_sampling_level: got {args.importance_sampling_level!r}, expected 'token': one "
            "ratio for a whole sequence averages its tokens' credit away. Set it to 'token', or train with egca=\"off\""
        )
    if args.top_entropy_quantile < 1.0:
        raise ConfigError(
            f"GRPOConfig.top_entropy_quantile: got {args.top_entropy_quantile}, expected 1.0: the loss would leave out "
            "tokens after the credit was placed, and with a blamed one all of its sequence's advantage. Set it to 1.0, "
            'or train with egca="off"'
        )
    for name, against, why in _AGAINST_PRAISE:
        if against(getattr(args, name, None)):
            settings = unpraised(settings, f"GRPOConfig.{name}={getattr(args, name)!r}: {why}")
    if settings.egca.bank == "checkpoints":
        bank = os.path.join(args.output_dir or ".", "egca_bank")
        return replace(settings, egca=replace(settings.egca, bank=bank))
    return settings
