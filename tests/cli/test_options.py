"""Settings on the command line: the names that they have in training, read as strictly."""

from __future__ import annotations

import argparse
from dataclasses import fields

import pytest

from egca_plugin.cli.options import TRAINING_ONLY, add_settings, settings_of
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import ConfigError


def read(*words: str) -> EgcaConfig:
    parser = argparse.ArgumentParser()
    add_settings(parser)
    return settings_of(parser.parse_args(words), SandboxConfig(timeout_s=2.0))


def test_without_words_the_defaults() -> None:
    assert read() == EgcaConfig(sandbox=SandboxConfig(timeout_s=2.0))


def test_each_kind_of_setting() -> None:
    given = read(
        *("--preset", "paper", "--localizer", "ochiai", "--set", "constraints=paper", "--set", "max_share=0.5"),
        *("--set", "egca.seed=7", "--set", "references=a=b.jsonl", "--set", "sandbox.memory_mb=256"),
        *("--set", "sandbox.packages=[numpy, sympy]", "--set", "reward=share", "--set", "sandbox.max_tests=20"),
        *("--set", "credit=decision", "--set", "praise=0.25"),
    )
    assert given == EgcaConfig(
        preset="paper",
        localizer="ochiai",
        constraints="paper",
        max_share=0.5,
        seed=7,
        references="a=b.jsonl",
        reward="share",
        credit="decision",
        praise=0.25,
        sandbox=SandboxConfig(timeout_s=2.0, memory_mb=256, packages=("numpy", "sympy"), max_tests=20),
    )


def test_null_is_the_presets_own() -> None:
    assert read("--set", "praise=null") == read()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("max_share", "expected KEY=VALUE"),
        ("max_share=half", "got 'half', expected float"),
        ("praise=half", r"got 'half', expected float \| None"),
        ("praise=2", "expected a number from 0 to 1"),
        ("max_share=7", "expected a number from 0 to 1"),
        ("maxshare=0.5", "did you mean 'max_share'"),
        ("sandbox.memory=256", "did you mean 'memory_mb'"),
        ("constraints=all", "expected one of off"),
        ("sandbox=3", "expected a mapping"),
    ],
)
def test_what_is_not_a_setting_is_named(word: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read("--set", word)


@pytest.mark.parametrize("name", TRAINING_ONLY)
def test_what_only_training_does_is_refused(name: str) -> None:
    assert name in {field.name for field in fields(EgcaConfig)}
    with pytest.raises(ConfigError, match="no effect outside training"):
        read("--set", f"{name}=1")
