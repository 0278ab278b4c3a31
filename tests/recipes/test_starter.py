"""The starter tasks in the package are those that the measurement chose from the candidates."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from egca_plugin.tasks import starter

FOLDER = Path(__file__).parents[2] / "recipes" / "starter"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("starter_measure", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_candidate_has_a_prompt_with_signature_and_example_and_enough_tests(measure: ModuleType) -> None:
    for task in measure.candidates():
        assert f"`{task.entry_point}(" in task.prompt
        assert f"Example: `{task.tests[0].removeprefix('assert ')}`" in task.prompt
        assert 5 <= len(task.tests) <= 8


def test_at_least_64_tasks_were_kept_unchanged(measure: ModuleType) -> None:
    candidates = {task.task_id: task for task in measure.candidates()}
    kept = starter.load()
    assert len(kept) >= 64
    assert all(candidates[task.task_id] == task for task in kept)


def test_the_table_names_the_kept_and_their_rates_lie_between_the_bounds() -> None:
    table = (FOLDER / "pass_rates.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (yes)? \|$", table, re.M)
    marked = {name for name, *_, kept in rows if kept}
    assert marked == {task.entry_point for task in starter.load()}
    for name, *counts, kept in rows:
        rate = int(counts[0]) / sum(map(int, counts))
        assert bool(kept) == (0.05 <= rate <= 0.90), name


@pytest.mark.verl
def test_the_recipe_composes_and_the_plugin_accepts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hydra = pytest.importorskip("hydra")
    pytest.importorskip("verl")
    from egca_plugin.adapters.verl import settings

    monkeypatch.setenv("EGCA_MODEL", "model")
    with hydra.initialize_config_dir(str(FOLDER), version_base=None):
        config = hydra.compose("starter", ["egca=paper", "trainer.total_training_steps=7"])
    assert settings.check(config).egca.preset == "paper"
    assert config.trainer.v1.trainer_mode == "egca_sync"
    assert config.trainer.device == "cpu"
    assert config.trainer.total_training_steps == 7
