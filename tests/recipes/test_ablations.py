"""The sweep hands each ablation's words to the recipe's scripts, and each has its row in the paper's tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from recipe_scripts import RECIPES, machine, prepared, trained

pytest.importorskip("hydra")

SWEEP = RECIPES / "ablations" / "sweep.py"
NAMES = sorted(path.stem for path in (RECIPES / "ablations" / "ablation").glob("*.yaml"))


def sweep(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SWEEP), *words], cwd=folder, env=machine(folder, 1), capture_output=True, text=True
    )


def test_every_ablation_is_trained_and_evaluated_with_the_same_words(tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    trained(tmp_path)
    done = sweep(tmp_path, 'words_for_all=["trainer.total_epochs=1"]')
    assert done.returncode == 0, done.stderr
    runs = [run.splitlines() for run in done.stdout.split("-m\nverl.trainer.main_ppo\n")[1:]]
    assert len(runs) == 2 * len(NAMES)
    for training, evaluation in zip(runs[::2], runs[1::2], strict=True):
        assert "trainer.total_epochs=1" in training
        assert "trainer.val_only=true" not in training
        assert "trainer.val_only=true" in evaluation
        assert set(training) <= set(evaluation)
    named = [word for run in runs for word in run if word.startswith("trainer.experiment_name=")]
    assert sorted(set(named)) == [f"trainer.experiment_name=mbpp-one_gpu-sync-{name}-1" for name in NAMES]


def test_what_is_evaluated_is_not_run_again(tmp_path: Path) -> None:
    prepared(tmp_path, "mbpp")
    done = tmp_path / "runs" / "egca-ablations" / "mbpp-one_gpu-sync-grpo-1" / "test" / "3.jsonl"
    done.parent.mkdir(parents=True)
    done.touch()
    ended = sweep(tmp_path, "ablation=grpo")
    assert ended.returncode == 0, ended.stderr
    assert "main_ppo" not in ended.stdout


def test_where_a_script_fails_the_others_still_run_and_the_sweep_says_so(tmp_path: Path) -> None:
    ended = sweep(tmp_path, "ablation=grpo,egca")
    assert ended.returncode != 0
    assert ended.stderr.count("run recipes/mbpp/prepare.sh first") == 2


@pytest.mark.verl
def test_each_is_one_row_of_the_papers_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("verl")
    import hydra
    from omegaconf import OmegaConf

    from egca_plugin.report import paper

    monkeypatch.setenv("EGCA_RECIPES", str(RECIPES))
    rows = []
    for name in NAMES:
        words = OmegaConf.load(RECIPES / "ablations" / "ablation" / f"{name}.yaml").words
        with hydra.initialize_config_dir(str(RECIPES / "mbpp"), version_base=None):
            settings = OmegaConf.to_container(hydra.compose("mbpp", list(words)).egca)
        run = paper.Evaluated("MBPP", "m", settings, 3, 1, 500)
        rows += [row[0] for table in paper.tables([run])[::-1] for row in table["rows"] if row[-1]][:1]
    assert len(set(rows)) == len(NAMES), rows
