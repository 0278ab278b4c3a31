"""``egca doctor --recipe`` on a recipe's trainer mode and on the first rows of its data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

from egca_plugin.cli.checks import Check, State
from egca_plugin.cli.checks_recipe import recipe_checks
from egca_plugin.tasks import parquet
from egca_plugin.types import Task

RECIPE = """
hydra: {{searchpath: ["pkg://verl.trainer.config", "pkg://egca_plugin.adapters.verl.config"]}}
defaults: [ppo_trainer, {{egca: verified}}, _self_]
algorithm: {{adv_estimator: {estimator}}}
reward: {{reward_manager: {{name: egca}}, custom_reward_function: {{path: {custom}}}}}
trainer: {{use_v1: {v1}, v1: {{trainer_mode: {mode}}}}}
data: {{train_files: ["{train}"], val_files: "{val}"}}
"""
OURS = parquet.row(
    Task("t/1", "Write f.", "f", "def f(): return 1\n", ("assert f() == 1",)), data_source="x", split="train", index=0
)


def row(source: str, truth: Any) -> dict[str, Any]:
    cell = {"style": "rule", "ground_truth": truth if isinstance(truth, str) else json.dumps(truth)}
    return {
        **OURS,
        "data_source": source,
        "reward_model": cell,
        "extra_info": {"index": 3, "split": "s", "task_id": ""},
    }


STDIN = row("taco", {"inputs": ["1\n"], "outputs": ["2\n"]})
CALLED = row("taco", {"inputs": ["1"], "outputs": ["2"], "fn_name": "f"})
BAD = row("apps", {"inputs": ["1"], "outputs": []})
MATHS, UNKNOWN = row("openai/gsm8k", "42"), row("my/maths", "42")


@pytest.fixture
def checked(tmp_path: Path) -> Any:
    def check(*rows: dict[str, Any], **settings: Any) -> dict[str, Check]:
        train = tmp_path / "train.parquet"
        if rows:
            parquet.write(list(rows), train)
        chosen = {"estimator": "egca", "mode": "egca_sync", "v1": "true", "custom": "null", "val": tmp_path / "none"}
        recipe = tmp_path / "mine.yaml"
        recipe.write_text(RECIPE.format(**{**chosen, "train": train, **settings}))
        return {check.name: check for check in recipe_checks(recipe)}

    return check


def test_a_recipe_on_mixed_data_is_well(checked: Any) -> None:
    found = checked(OURS, STDIN, CALLED, MATHS)
    assert [found[name].state for name in ("recipe", "trainer mode", "data.train_files")] == [State.OK] * 3
    said = found["data.train_files"].found
    assert "4 rows: 1 function, 1 method, 1 stdin, 1 with a reference; no code: 1 of openai/gsm8k" in said
    assert found["data.val_files"].state is State.WARN
    assert "not there" in found["data.val_files"].found


@pytest.mark.parametrize(
    ("settings", "said", "mend"),
    [
        ({"mode": "sync"}, "the run would stop at its first step", "trainer_mode=egca_sync"),
        (
            {"mode": "colocate_async", "estimator": "grpo"},
            "judge and place no credit",
            "trainer_mode=egca_colocate_async",
        ),
        ({"v1": "false"}, "verl's deprecated trainer", "python -m egca_plugin.adapters.verl.legacy"),
    ],
)
def test_a_trainer_that_places_no_credit_is_a_warning(
    checked: Any, settings: dict[str, str], said: str, mend: str
) -> None:
    found = checked(STDIN, **settings)["trainer mode"]
    assert (found.state, said in found.found, mend in found.mend) == (State.WARN, True, True), found


@pytest.mark.parametrize(
    ("rows", "state", "said"),
    [
        ([STDIN, BAD], State.WARN, "1 that cannot be read; the first: "),
        ([STDIN, BAD], State.WARN, "row 1 (apps, index 3), reward_model.ground_truth: got 1 inputs and 0 outputs"),
        ([BAD, BAD], State.BAD, "2 that cannot be read"),
        ([MATHS], State.WARN, "no code: 1 of openai/gsm8k"),
        ([STDIN, UNKNOWN], State.BAD, "verl's own scorer cannot score them"),
        ([{"question": "q"}], State.BAD, "reward_model: got None"),
    ],
)
def test_data_that_would_not_train_is_told_before_the_run(
    checked: Any, rows: list[dict[str, Any]], state: State, said: str
) -> None:
    found = checked(*rows)["data.train_files"]
    assert (found.state, said in found.found) == (state, True), found


def test_with_a_reward_function_every_source_has_a_scorer(checked: Any) -> None:
    assert checked(STDIN, UNKNOWN, custom="mine.py")["data.train_files"].state is State.OK


def test_a_file_that_is_none_is_named(checked: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_text("no parquet")
    found = checked(train=tmp_path / "bad.parquet")["data.train_files"]
    assert (found.state, "cannot be read as parquet" in found.found) == (State.BAD, True)
    (tmp_path / "rows.jsonl").write_text(json.dumps(STDIN) + "\n")
    assert "1 rows: 1 stdin" in checked(train=tmp_path / "rows.jsonl")["data.train_files"].found
