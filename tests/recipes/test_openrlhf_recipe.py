"""The OpenRLHF recipe: its options pass EGCA's launcher, and OpenRLHF's own parser where that is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from egca_plugin.adapters.openrlhf import settings
from egca_plugin.adapters.openrlhf.train import command

RECIPE = Path(__file__).parents[2] / "recipes" / "openrlhf"


def said(tmp_path: Path, *words: str, **environment: str) -> list[str]:
    """What the script would start Python with."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    for rows in ("mbpp-train", "mbpp-train-clean"):
        (tmp_path / f"{rows}.parquet").touch()
    paths = {"PATH": f"{python.parent}:{os.environ['PATH']}", "EGCA_DATA": str(tmp_path), "EGCA_RUNS": str(tmp_path)}
    done = subprocess.run(
        [str(RECIPE / "one_gpu.sh"), *words], env={**os.environ, **paths, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_its_options_are_egcas_and_openrlhfs(tmp_path: Path) -> None:
    module, *words = said(tmp_path, "--egca", "paper", "--train.num_episodes", "1")[1:]
    assert module == "egca_plugin.adapters.openrlhf.train"
    chosen, theirs = command(words)
    assert (chosen.egca.preset, chosen.egca.records) == ("paper", f"{tmp_path}/egca-openrlhf-mbpp/records")
    assert theirs[theirs.index("--data.prompt_dataset") + 1] == f"{tmp_path}/mbpp-train.parquet"
    assert theirs[-6:-4] == ["--train.num_episodes", "1"], "the last word is the user's"


def test_openrlhfs_own_parser_and_egcas_checks_take_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("openrlhf") is None:
        pytest.skip("OpenRLHF is not installed here")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "adapters"))
    import openrlhf_runs as runs

    chosen, theirs = command(said(tmp_path, EGCA_TASKS="humaneval")[2:])
    args = runs.parsed(Path("model"), *theirs)
    assert settings.check(chosen, args) == chosen
    assert args.rollout.n_samples_per_prompt * args.rollout.batch_size == args.train.batch_size
    assert args.vllm.enable_sleep


def test_data_that_is_not_prepared_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "EGCA_DATA": str(tmp_path)}
    done = subprocess.run([str(RECIPE / "one_gpu.sh")], env=environment, capture_output=True, text=True)
    assert done.returncode == 4
    assert "mbpp-train.parquet is missing: run recipes/mbpp/prepare.sh first" in done.stderr
    assert sys.executable not in done.stderr
