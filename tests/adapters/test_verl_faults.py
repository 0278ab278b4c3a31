"""Real verl runs in which things break: what goes on, what stops, and that both are said. Deadlines are from outside.

One run of three steps carries a zygote, a trusted worker and a Ray actor that are killed, poisonous references, a
response without a token and a full disk (see :mod:`verl_faults`). Its loggers are checked too: a run is dear.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

import verl_faults as faults
import wandb_offline
from tiny_policy import Tiny
from verl_runs import Run, train

from egca_plugin.tasks import parquet

pytestmark = [pytest.mark.verl, pytest.mark.slow]

STEPS = 3
TASKS = {task.task_id: task for task in faults.tasks()}
JUDGED = len(TASKS) * faults.SAMPLES - 1  # a step, without the response that has no token


def environment(patch: pytest.MonkeyPatch, module: str) -> None:
    """Have ``module`` of this folder imported into every process of the run."""
    patch.setenv("VERL_USE_EXTERNAL_MODULES", module)
    patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def run(tiny: Tiny, home: Path) -> Run:
    rows = [
        parquet.row(task, data_source="egca/faults", split="train", index=k) for k, task in enumerate(TASKS.values())
    ]
    parquet.write(rows, home / "train.parquet")
    loggers = "trainer.logger=[console,file,tensorboard,wandb]"
    with pytest.MonkeyPatch.context() as patch:
        environment(patch, "verl_faults")
        patch.setenv(faults.FOLDER, str(home))
        patch.setenv("VERL_FILE_LOGGER_PATH", str(home / "metrics.jsonl"))
        patch.setenv("TENSORBOARD_DIR", str(home / "tensorboard"))
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("WANDB_DIR", str(home))
        done = train(
            replace(tiny, train=home / "train.parquet"),
            home,
            steps=STEPS,
            prompts=len(TASKS),
            samples=faults.SAMPLES,
            overrides=(loggers, "egca.sandbox.timeout_s=1.0", "egca.sandbox.memory_mb=128", "egca.bank=''"),
        )
    assert done.code == 0, done.log[-6000:]
    return done


def test_every_reward_is_right_whatever_died(run: Run) -> None:
    assert Counter(record["step"] for record in run.records) == {1: JUDGED, 2: JUDGED}
    for record in run.records:
        said = [text for text in faults.script(TASKS[record["task_id"]]) if text]
        assert record["completion"] in said
        assert record["reward"] == float(record["completion"] == said[0]), record
        assert record["outcome"] != "infrastructure"
    for step in range(1, STEPS + 1):
        assert run.metrics[step]["egca/pass_rate"] == pytest.approx(len(TASKS) / JUDGED)
        assert run.metrics[step]["egca/fallback/no_credit"] == 0


def test_what_was_killed_is_counted_and_replaced(run: Run) -> None:
    first, second, third = (run.metrics[step] for step in range(1, STEPS + 1))
    assert first["egca/restarts/zygote"] >= 1
    assert first["egca/restarts/worker"] == 1
    assert first["egca/restarts/reward_worker"] == 0
    assert second["egca/restarts/reward_worker"] == 1
    kinds = ("zygote", "worker", "reward_worker", "credit_service")
    assert [third[f"egca/restarts/{kind}"] for kind in kinds] == [0] * 4
    for said in ("its program runs again on a new one", "a worker process was lost", "this reward worker died"):
        assert said in run.log


def test_a_poisonous_reference_costs_its_task_nothing_where_a_sibling_passes(run: Run) -> None:
    poisoned = [record for record in run.records if record["task_id"].startswith("poison/")]
    wrong = [record for record in poisoned if record["outcome"] == "wrong_answer"]
    assert {record["task_id"] for record in wrong} == {task_id for task_id in TASKS if task_id.startswith("poison/")}
    for record in wrong:
        assert record["reference"].startswith("sibling:")
        assert record["verified"]
    sound = [record for record in run.records if record["task_id"] == faults.EMPTY]
    assert any(record["verified"] for record in sound), "the others are localised as ever"


def test_a_response_without_a_token_is_left_out_and_said(run: Run) -> None:
    """verl 0.9.1 cannot place a reward on a response of no tokens (AgentLoopOutput.as_dict)."""
    assert [run.metrics[step]["egca/lost_samples"] for step in range(1, STEPS + 1)] == [1, 1, 1]
    assert "1 samples were given up and are left out of their groups" in run.log


def test_a_full_disk_costs_records_which_is_said_once_and_counted(run: Run) -> None:
    assert [run.metrics[step]["egca/records_lost"] for step in range(1, STEPS + 1)] == [0, 0, JUDGED]
    assert run.log.count("training goes on, but records are lost from here on") == 1
    assert "No space left on device" in run.log


def test_each_of_verls_loggers_has_the_metrics_as_finite_numbers(run: Run, home: Path) -> None:
    lines = [json.loads(line) for line in (home / "metrics.jsonl").read_text().splitlines()]
    in_file = {line["step"]: ours(line["data"]) for line in lines}
    assert sorted(in_file) == list(range(1, STEPS + 1))
    for step, metrics in in_file.items():
        assert {"egca/hack_alarm", "egca/anomalous", "egca/mass/mean", "egca/ms/judge/p95"} <= metrics.keys()
        assert all(type(value) is float and math.isfinite(value) for value in metrics.values()), metrics
        assert metrics == pytest.approx(ours(run.metrics[step])), "the console"
    assert in_tensorboard(home / "tensorboard") == {
        (name, step): pytest.approx(value, rel=1e-5)
        for step, metrics in in_file.items()
        for name, value in metrics.items()
    }
    (log,) = home.glob("wandb/offline-run-*/run-*.wandb")
    in_wandb = wandb_offline.history(log)
    assert {step: ours(metrics) for step, metrics in in_wandb.items()} == in_file


def ours(metrics: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in metrics.items() if name.startswith("egca/")}


def in_tensorboard(folder: Path) -> dict[tuple[str, int], float]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    names = [name for name in events.Tags()["scalars"] if name.startswith("egca/")]
    return {(name, event.step): event.value for name in names for event in events.Scalars(name)}


def test_a_ray_worker_without_the_plugin_stops_the_run_and_is_named(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(monkeypatch, "verl_without_plugin")
    stopped = train(tiny, tmp_path)
    assert stopped.code != 0
    assert stopped.metrics == {}
    assert (
        "FrameworkError: reward worker 0 of 1: egca-plugin is not loaded in the process of a Ray worker" in stopped.log
    )
