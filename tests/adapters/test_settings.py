"""EGCA's settings inside verl's configuration: what is read, and what is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("hydra")

from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from egca_plugin.adapters.verl import settings
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError


@pytest.fixture(scope="module")
def composed() -> Any:
    pytest.importorskip("verl")
    with initialize_config_module("egca_plugin.adapters.verl.config", version_base=None):
        yield lambda *overrides: compose("grpo_egca", overrides=list(overrides))


def of(value: Any) -> settings.Settings:
    return settings.read(OmegaConf.create({"egca": value}))


def test_without_any_setting_egca_is_on_with_its_defaults() -> None:
    assert settings.read(OmegaConf.create({})) == settings.Settings(True, EgcaConfig())


@pytest.mark.parametrize("value", ["off", False, {"enabled": False}])
def test_off_in_one_word(value: Any) -> None:
    assert of(value).enabled is False


def test_a_preset_in_one_word() -> None:
    assert of("paper") == settings.Settings(True, EgcaConfig(preset="paper"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"localiser": "trace"}, "did you mean 'localizer'"),
        ({"sandbox": {"timeout": 3}}, "egca.sandbox.timeout"),
        ({"enabled": "no"}, "egca.enabled"),
        ("vanilla", "expected off"),
        (["paper"], "expected off"),
    ],
)
def test_unknown_settings_are_named(value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        of(value)


def test_our_configuration_composes_verls_and_passes_the_check(composed: Any) -> None:
    config = composed()
    assert settings.check(config) == settings.Settings(True, EgcaConfig())
    assert config.trainer.v1.trainer_mode == "egca_sync"
    assert settings.check(composed("egca=paper", "egca.scale=unit")).egca == EgcaConfig(preset="paper", scale="unit")
    assert settings.check(composed("egca=off")) == settings.Settings(False, EgcaConfig())


def test_the_bank_may_live_beside_the_checkpoints(composed: Any) -> None:
    config = composed("egca.bank=checkpoints", "trainer.default_local_dir=/runs/7")
    assert settings.read(config).egca.bank == "/runs/7/egca_bank"


def test_the_yaml_defaults_are_the_dataclass_defaults(composed: Any) -> None:
    written = OmegaConf.to_container(composed().egca)
    assert written.pop("enabled") is True
    assert EgcaConfig.from_mapping(written) == EgcaConfig()
    assert set(written) == set(EgcaConfig.__dataclass_fields__)


@pytest.mark.parametrize("loss", ["gspo", "geo_mean"])
def test_a_sequence_level_loss_is_refused(composed: Any, loss: str) -> None:
    override = f"actor_rollout_ref.actor.policy_loss.loss_mode={loss}"
    with pytest.raises(ConfigError, match="token-level credit would not do what it says"):
        settings.check(composed(override))
    assert settings.check(composed(override, "egca=off")).enabled is False


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("algorithm.adv_estimator=grpo", "adv_estimator"),
        ("reward.reward_manager.name=naive", "reward_manager"),
        ("reward.reward_model.enable=true", "never asks the egca manager"),
    ],
)
def test_half_a_set_up_is_refused(composed: Any, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings.check(composed(override))
