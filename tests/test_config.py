from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.config import LOCALIZERS, EgcaConfig, SandboxConfig
from egca_plugin.errors import ConfigError
from egca_plugin.localize import registry


def test_defaults_and_nested_values() -> None:
    config = EgcaConfig.from_mapping({"preset": "paper", "mix": 1, "sandbox": {"timeout_s": 5}})
    assert (config.preset, config.mix, config.sandbox.timeout_s) == ("paper", 1, 5)
    assert EgcaConfig().localizer == "trace"


def test_the_preset_decides_the_scale_unless_it_is_said_and_conserve_is_not_chosen_in_silence() -> None:
    assert (EgcaConfig().scale, EgcaConfig(preset="paper").scale) == ("unit", "conserve")
    assert EgcaConfig.from_mapping({"preset": "paper", "scale": "unit"}).scale == "unit"
    assert EgcaConfig.from_mapping({"scale": ""}).scale == "unit"
    assert EgcaConfig().cautions == ()
    assert "worse than plain GRPO" in "".join(EgcaConfig(scale="conserve").cautions)


@pytest.mark.parametrize(
    ("values", "credit", "praise"),
    [
        ({}, "decision", 0.5),
        ({"credit": "", "praise": None}, "decision", 0.5),
        ({"credit": "span"}, "span", 0.0),
        ({"praise": 0}, "decision", 0.0),
        ({"scale": "conserve"}, "span", 0.0),
        ({"scale": "conserve", "credit": "decision"}, "decision", 0.0),
        ({"preset": "paper"}, "span", 0.0),
        ({"preset": "paper", "scale": "unit"}, "span", 0.0),
        ({"preset": "paper", "credit": "decision", "praise": 0.25}, "decision", 0.25),
    ],
)
def test_the_credit_that_was_measured_to_help_is_the_default_of_the_preset_alone(
    values: dict[str, Any], credit: str, praise: float
) -> None:
    config = EgcaConfig.from_mapping(values)
    assert (config.credit, config.praise_share, config.localizes_all) == (credit, praise, praise > 0)
    again = replace(config, records="r")
    assert (again.credit, again.praise, again.praise_share) == (credit, config.praise, praise)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"localiser": "trace"}, r"egca\.localiser: no such setting; did you mean 'localizer'\?"),
        ({"xyz": 1}, r"egca\.xyz: no such setting; expected one of .*budget"),
        ({"sandbox": {"timeout": 5}}, r"egca\.sandbox\.timeout: no such setting; did you mean 'timeout_s'"),
        ({"sandbox": 5}, r"egca\.sandbox: got 5, expected a mapping"),
        ({"mix": "half"}, r"egca\.mix: got 'half' \(str\), expected float"),
        ({"mix": True}, r"egca\.mix: got True \(bool\)"),
        ({"mix": 1.5}, r"egca\.mix: got 1.5, expected a number from 0 to 1"),
        ({"praise": "half"}, r"egca\.praise: got 'half' \(str\), expected float \| None"),
        ({"cap": 0.5}, r"egca\.cap: got 0.5, expected 0 \(none\) or a number of at least 1"),
        ({"sandbox": {"url": "sandbox:8080"}}, r"egca\.sandbox\.url: got 'sandbox:8080', expected null or .*/run_code"),
        ({"sandbox": {"url": "http://sandbox:8080"}}, r"egca\.sandbox\.url: .*/run_code"),
        ({"sandbox": {"url": "http://me:secret@sandbox/run_code"}}, r"egca\.sandbox\.url"),
        ({"sandbox": {"url": ""}}, r"egca\.sandbox\.url: got ''"),
        ({"sandbox": {"url": 5}}, r"egca\.sandbox\.url: got 5 \(int\), expected str \| None"),
        ({"sandbox": {"url": "http://s/run_code", "require": "landlock"}}, r"egca\.sandbox\.require: got 'landlock'"),
        ({"sandbox": {"url": "http://s/run_code"}, "bank": "b"}, r"egca\.bank: got 'b' with egca\.sandbox\.url"),
        ({"sandbox": {"packages": "numpy"}}, r"egca\.sandbox\.packages: got 'numpy' \(str\), expected tuple"),
        ({"sandbox": {"packages": ["a b"]}}, r"egca\.sandbox\.packages: got \('a b',\), expected import names"),
        ({"reward": "share", "sandbox": {"tests": "first_failure"}}, r"egca\.reward: got 'share'"),
        ({"preset": "fast"}, r"egca\.preset: got 'fast', expected one of verified, paper"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EgcaConfig.from_mapping(values)


def test_every_localiser_that_may_be_configured_exists_and_the_other_way_round() -> None:
    assert set(LOCALIZERS) == set(registry.LOCALIZERS)


def test_the_settings_page_names_every_setting_with_its_default() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", page, re.MULTILINE))
    settings = asdict(EgcaConfig()) | asdict(SandboxConfig())
    del settings["sandbox"]
    words = {"": '""', "None": "null", "()": "[]"}
    assert rows == {name: words.get(str(default), str(default)) for name, default in settings.items()}
