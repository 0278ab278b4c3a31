"""What goes with TRL and what is refused before anything starts; who is judged together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import tiny_policy as policy
import trl_runs as runs

from egca_plugin.adapters.trl import dataset, settings, versions
from egca_plugin.adapters.trl.reward import Batch, SandboxReward
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError, FrameworkError
from egca_plugin.tasks import parquet
from egca_plugin.tasks.rows import task_of_row


def test_this_trl_is_a_supported_one() -> None:
    versions.check(versions.installed())


@pytest.mark.parametrize(("version", "said"), [("1.13.3", "Upgrade"), ("1.17.0", "newer"), ("main", "not a version")])
def test_other_versions_are_refused_with_a_way_out(version: str, said: str) -> None:
    with pytest.raises(FrameworkError, match=said):
        versions.check(version)


@pytest.mark.parametrize("version", ["1.14.2", "1.15.0", "1.16.0", "1.16.1.post1"])
def test_the_minors_that_were_run_are_taken(version: str) -> None:
    versions.check(version)


def test_an_untested_version_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(versions.OVERRIDE, "1")
    versions.check("2.0.0")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"importance_sampling_level": "sequence"}, "importance_sampling_level: got 'sequence'"),
        ({"top_entropy_quantile": 0.2}, "top_entropy_quantile: got 0.2"),
    ],
)
def test_what_would_undo_the_credit_is_refused(tmp_path: Path, setting: dict[str, Any], said: str) -> None:
    args = runs.config(tmp_path, **setting)
    with pytest.raises(ConfigError, match=said):
        settings.check(settings.read(None), args)
    settings.check(settings.read("off"), args)


def test_another_token_is_learnt_where_its_size_and_its_reference_can_be_told(tmp_path: Path) -> None:
    chosen = settings.read(EgcaConfig(credit="counterfactual"))
    assert settings.check(chosen, runs.config(tmp_path)) == chosen
    for against in ({"beta": 0.1}, {"scale_rewards": "batch"}):
        with pytest.raises(
            ConfigError, match=r"egca\.credit: got 'counterfactual', expected 'decision' or 'span' with"
        ):
            settings.check(chosen, runs.config(tmp_path, **against))


def test_praise_is_of_the_size_of_one_group(tmp_path: Path) -> None:
    praising = settings.read(EgcaConfig(credit="decision", praise=0.5))
    batch = runs.config(tmp_path, scale_rewards="batch")
    with pytest.raises(ConfigError, match=r"egca\.praise: got 0\.5, .*scale_rewards='batch'"):
        settings.check(praising, batch)
    assert settings.check(settings.read(None), batch).egca.praise_share == 0, "a default is left out"
    for scale in ("group", "none"):
        assert settings.check(praising, runs.config(tmp_path, scale_rewards=scale)) == praising


def test_the_tasks_column_must_stay(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="remove_unused_columns"):
        settings.check(settings.read("off"), runs.config(tmp_path, remove_unused_columns=True))


@pytest.mark.parametrize(
    ("value", "enabled", "preset"),
    [(None, True, "verified"), ("paper", True, "paper"), ("off", False, "verified"), (EgcaConfig(), True, "verified")],
)
def test_the_argument_is_settings_a_preset_or_off(value: Any, enabled: bool, preset: str) -> None:
    found = settings.read(value)
    assert (found.enabled, found.egca.preset) == (enabled, preset)


def test_anything_else_is_refused() -> None:
    with pytest.raises(ConfigError, match="got 'on', expected an EgcaConfig, 'off' or one of verified, paper"):
        settings.read("on")


def test_a_bank_beside_the_checkpoints_is_in_the_output_folder(tmp_path: Path) -> None:
    found = settings.check(settings.read(EgcaConfig(bank="checkpoints")), runs.config(tmp_path))
    assert found.egca.bank == str(tmp_path / "egca_bank")


def test_rows_are_those_that_prepare_writes() -> None:
    rows = dataset(policy.TASKS, instruction="Python, please. ")
    assert rows[1]["prompt"] == [{"role": "user", "content": "Python, please. Write succ(x)."}]
    assert [task_of_row(row, "row") for row in rows] == list(policy.TASKS)
    assert set(rows.column_names) == set(parquet.row(policy.TASKS[0], data_source="t", split="s", index=0))


def test_siblings_on_one_process_are_credited_together() -> None:
    """The second process of a run whose groups of four begin in the first's rows."""
    reward = SandboxReward()
    reward.batch = Batch(step=0, first=6, group_size=4)
    task = policy.TASKS[0]
    assert reward._together([task, task, task, None, task, task]) == [[0, 1], [2, 4, 5]]
