"""The recipes' scripts on ``hardware=cpu``, from the training to the evaluation, with a policy of a test's size.

Minutes each, so they run before a release: ``EGCA_RELEASE=1``; what ``IN_EVERY_RUN`` names runs always. Scripts that
differ in their GPUs alone are one run on a CPU, and their words are held by ``test_scripts.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

from recipe_scripts import FILES, RECIPES

sys.path.insert(0, str(Path(__file__).parents[1] / "adapters"))
import tiny_policy
from verl_runs import alone

from egca_plugin.adapters.verl import launch

pytestmark = [pytest.mark.verl, pytest.mark.slow]
LIMIT_S = 600
STEPS = {"one_gpu": 2, "legacy": 2, "colocate_async": 3, "separate_async": 3}
IN_EVERY_RUN = (("mbpp", "one_gpu"),)
MODES = {"one_gpu": "sync", **{mode: mode for mode in ("colocate_async", "separate_async", "legacy")}}


def runs() -> list[Any]:
    release = pytest.mark.skipif(not os.environ.get("EGCA_RELEASE"), reason="minutes each: EGCA_RELEASE=1")
    every = [(recipe, script) for recipe in FILES for script in MODES]
    return [pytest.param(*run, marks=() if run in IN_EVERY_RUN else release) for run in every]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy.build(tmp_path_factory.mktemp("policy") / "model")


def script(home: Path, model: Path, recipe: str, name: str, *words: str) -> str:
    """What the script said. It must end with status 0, and nothing of it runs on."""
    mark = uuid.uuid4().hex
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EGCA_DATA": str(home / "data"),
        "EGCA_RUNS": str(home / "runs"),
        "EGCA_MODEL": str(model),
        "EGCA_RUN": mark,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = [str(RECIPES / recipe / f"{name}.sh"), "hardware=cpu", *words]
    with (home / f"{name}.log").open("w") as log, alone(home):
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(LIMIT_S)
        finally:
            launch.stop(mark)
    said = (home / f"{name}.log").read_text(errors="replace")
    assert code == 0, said[-6000:]
    return said


def agree_where_the_weights_are_the_same(name: str, steps: list[dict[str, float]]) -> None:
    """Rollout and actor, to rounding. Where sampling runs ahead some steps train on responses of older weights."""
    older = [metrics.get("training/off_policy/trajectory_staleness_worst/max", 0) > 0 for metrics in steps]
    differ = [metrics["training/rollout_probs_diff_max"] for metrics in steps]
    assert all(difference < (1e-2 if old else 1e-5) for difference, old in zip(differ, older, strict=True)), differ
    assert any(older) == name.endswith("async")
    if name != "separate_async":  # there the weights of each step are handed over after the next one's sampling
        assert not all(older[1:]), "no step shows that an update reached the rollout"


@pytest.mark.parametrize(("recipe", "name"), runs())
def test_it_trains_reports_and_is_evaluated(recipe: str, name: str, model: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    rows, _ = tiny_policy.write_rows(tmp_path)
    for file in FILES[recipe]:
        (tmp_path / "data" / f"{file}.parquet").write_bytes(rows.read_bytes())
    count = STEPS[name]
    words = (f"trainer.total_training_steps={count}", "data.max_response_length=48")

    said = script(tmp_path, model, recipe, name, *words)
    steps = dict(found for found in map(launch.step_metrics, said.splitlines()) if found)
    assert sorted(steps) == list(range(1, count + 1))
    agree_where_the_weights_are_the_same(name, list(steps.values()))
    assert any(metrics["egca/moved"] > 0 for metrics in steps.values())
    run = tmp_path / "runs" / f"egca-{recipe}" / f"cpu-egca_{MODES[name]}-verified-True"
    records = [json.loads(line) for file in (run / "records").iterdir() for line in file.read_text().splitlines()]
    assert {record["mode"] for record in records} & {"logic", "syntax"}
    assert "<html" in (run / "report.html").read_text()[:200]

    scored = script(tmp_path, model, recipe, "evaluate", *words, f"mode={MODES[name]}")
    assert "val-core/egca/tiny/acc/mean@1" in scored
    (samples,) = (run / "test").glob("*.jsonl")
    assert samples.name == f"{count}.jsonl", "it scored the last checkpoint"
    assert len(samples.read_text().splitlines()) == len(tiny_policy.TASKS)
