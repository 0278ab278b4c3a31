"""The recipes' scripts: they look for GPUs and data first, and hand verl what the README says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from recipe_scripts import ALL, FILES, GPUS, RECIPES, prepared, start

every = pytest.mark.parametrize(("recipe", "script"), ALL)


@every
def test_without_enough_gpus_it_says_so_first(recipe: str, script: str, tmp_path: Path) -> None:
    ended = start(recipe, script, tmp_path, GPUS[script] - 1)
    assert ended.returncode == 3
    where = "the Ray cluster" if script == "cluster" else "this machine"
    told = f"recipes/{recipe}: needs {GPUS[script]} NVIDIA GPU(s), found {GPUS[script] - 1} on {where}."
    assert told in ended.stderr
    assert "egca demo" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("recipe", FILES)
def test_without_data_it_names_the_script_that_makes_it(recipe: str, tmp_path: Path) -> None:
    ended = start(recipe, "one_gpu", tmp_path, 1)
    assert ended.returncode == 4
    assert f"{FILES[recipe][0]}.parquet; run recipes/{recipe}/prepare.sh first" in ended.stderr


@every
def test_with_both_it_starts_verl_with_the_users_overrides_last(recipe: str, script: str, tmp_path: Path) -> None:
    prepared(tmp_path, recipe)
    ended = start(recipe, script, tmp_path, GPUS[script], "egca=off", "trainer.total_epochs=1")
    assert ended.returncode == 0, ended.stderr
    given = ended.stdout.splitlines()
    assert given[:2] == ["-m", "verl.trainer.main_ppo"]
    assert given[3:6] == [str(RECIPES / recipe), "--config-name", recipe]
    assert given[-2:] == ["egca=off", "trainer.total_epochs=1"]


@pytest.mark.parametrize("script", [*sorted(RECIPES.glob("*/*.sh"))], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_script_is_executable_and_parses(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
