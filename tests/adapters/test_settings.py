"""EGCA's settings inside verl's configuration: what is read, and what is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("hydra")

from hydra import compose, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl import settings
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError


@pytest.fixture(scope="module")
def composed() -> Any:
    pytest.importorskip("verl")

    def composed_(*overrides: str) -> Any:
        with initialize_config_module("egca_plugin.adapters.verl.config", version_base=None):
            return compose("grpo_egca", overrides=list(overrides))

    return composed_


def of(value: Any) -> Settings:
    return settings.read(OmegaConf.create({"egca": value}))


def test_without_any_setting_egca_is_on_with_its_defaults() -> None:
    assert settings.read(OmegaConf.create({})) == Settings(True, EgcaConfig())


@pytest.mark.parametrize(
    ("value", "filtered", "everyone"),
    [
        ({}, False, True),
        ({}, True, False),  # verl replaces groups that fail altogether, so there is nothing to praise in them
        ({"praise": 0}, False, False),
        ({"localize": "all"}, True, True),
        ("paper", False, False),
    ],
)
def test_groups_that_fail_altogether_are_credited_where_they_are_learnt_from(
    value: Any, filtered: bool, everyone: bool
) -> None:
    config = OmegaConf.create({"egca": value, "algorithm": {"filter_groups": {"enable": filtered}}})
    assert settings.credits_everyone(config, settings.read(config)) is everyone


@pytest.mark.parametrize("value", ["off", False, {"enabled": False}])
def test_off_in_one_word(value: Any) -> None:
    assert of(value).enabled is False


def test_a_preset_in_one_word() -> None:
    assert of("paper") == Settings(True, EgcaConfig(preset="paper"))


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
    assert settings.check(config) == Settings(True, EgcaConfig())
    assert config.trainer.v1.trainer_mode == "egca_sync"
    assert settings.check(composed("egca=paper", "egca.scale=unit")).egca == EgcaConfig(preset="paper", scale="unit")
    assert settings.check(composed("egca=off")) == Settings(False, EgcaConfig())


def test_verls_own_command_finds_our_configuration_by_name() -> None:
    """``--config-name grpo_egca egca=off`` needs no path; on verl's own configuration Hydra wants a plus."""
    pytest.importorskip("verl")
    import egca_plugin.adapters.verl.search_path  # noqa: F401 - the plugin does it when verl's command imports Hydra

    with initialize_config_module("verl.trainer.config", version_base=None):
        ours = compose("grpo_egca", ["egca=off", "egca.mix=0.5"])
        assert settings.check(ours) == Settings(False, EgcaConfig(mix=0.5))
        four = ["algorithm.adv_estimator=egca", "reward.reward_manager.name=egca", "trainer.v1.trainer_mode=egca_sync"]
        for said, chosen in (
            (["+egca=off"], Settings(False, EgcaConfig())),
            (["+egca=paper"], Settings(True, EgcaConfig(preset="paper"))),
            (["+egca.scale=unit"], Settings(True, EgcaConfig(scale="unit"))),
            ([], Settings(True, EgcaConfig())),
        ):
            assert settings.check(compose("ppo_trainer", [*four, *said])) == chosen
        with pytest.raises(ConfigCompositionException, match=r"append to your default list use \+egca=off"):
            compose("ppo_trainer", [*four, "egca=off"])


def test_the_bank_may_live_beside_the_checkpoints(composed: Any) -> None:
    config = composed("egca.bank=checkpoints", "trainer.default_local_dir=/runs/7")
    assert settings.read(config).egca.bank == "/runs/7/egca_bank"


def test_the_yaml_defaults_are_the_dataclass_defaults(composed: Any) -> None:
    written = OmegaConf.to_container(composed().egca)
    assert written.pop("enabled") is True
    assert EgcaConfig.from_mapping(written) == EgcaConfig()
    assert set(written) == set(EgcaConfig.__dataclass_fields__)


def test_a_sequence_level_loss_is_refused_and_gspo_is_none(composed: Any) -> None:
    assert settings.check(composed("actor_rollout_ref.actor.policy_loss.loss_mode=gspo")).enabled
    override = "actor_rollout_ref.actor.policy_loss.loss_mode=geo_mean"
    with pytest.raises(ConfigError, match="token-level credit would not do what it says"):
        settings.check(composed(override))
    assert settings.check(composed(override, "egca=off")).enabled is False


@pytest.mark.parametrize(
    "against",
    [
        "actor_rollout_ref.actor.policy_loss.loss_mode=gspo",
        "algorithm.rollout_correction.bypass_mode=True",
    ],
)
def test_another_token_than_the_sampled_one_is_learnt_by_ppos_ratio_alone(composed: Any, against: str) -> None:
    assert settings.check(composed("egca.credit=counterfactual")).egca.counterfactual
    with pytest.raises(ConfigError, match=f"got 'counterfactual' with {against}, expected (vanilla|False): "):
        settings.check(composed("egca.credit=counterfactual", against))
    assert settings.check(composed("egca.credit=decision", against)).enabled


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("algorithm.adv_estimator=grpo", "adv_estimator"),
        ("reward.reward_manager.name=naive", "reward_manager"),
        ("reward.reward_model.enable=true", "never asks the egca manager"),
        ("+reward.reward_kwargs.overlong_buffer_cfg={enable: true, len: 64}", "a penalty for length would be dropped"),
        ("+reward.reward_kwargs={mine: 1}", r"reward.reward_kwargs: got \{'mine': 1\}"),
        ("+reward.custom_reward_function.reward_kwargs={a: 1}", "without a path, so no function gets them"),
        ("custom_reward_function.path=mine.py", "custom_reward_function.path: got 'mine.py' under a name"),
        ("reward_model.reward_manager=egca", "say it under reward .*reward.reward_manager.name"),
        ("+reward_model.reward_kwargs={overlong_buffer_cfg: {enable: true}}", "overlong_buffer_cfg.enable: got True"),
        ("reward.sandbox_fusion.url=http://there/run_code", "reward.sandbox_fusion.url: got 'http://there/run_code'"),
    ],
)
def test_half_a_set_up_and_what_would_be_dropped_is_refused(composed: Any, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings.check(composed(override))


def test_what_changes_nothing_passes(composed: Any) -> None:
    settings.check(composed("+reward.reward_kwargs={overlong_buffer_cfg: {enable: false}, max_resp_len: 128}"))
    named = "reward.custom_reward_function.path=mine.py"
    settings.check(composed(named, "+reward.custom_reward_function.reward_kwargs={a: 1}"))


def test_the_papers_debugger_is_one_word_and_wants_a_server(composed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EGCA_DEBUGGER_URL", raising=False)
    config = composed("egca=paper_llm")
    with pytest.raises(ConfigError, match="EGCA_DEBUGGER_URL names no server"):
        settings.check(config)
    monkeypatch.setenv("EGCA_DEBUGGER_URL", "http://localhost:8000/v1")
    chosen = settings.check(config).egca
    assert (chosen.preset, chosen.localizer, chosen.scale) == ("paper", "debugger", "conserve")
