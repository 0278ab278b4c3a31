"""A real verl run on data without references: siblings and a vote prove credits, and a service that dies or is slow
costs credits, not the run (see :mod:`verl_groups`)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

import verl_groups as groups
from tiny_policy import Tiny
from verl_runs import Run, train

from egca_plugin.tasks import parquet

pytestmark = [pytest.mark.verl, pytest.mark.slow]

TASKS = (groups.PASSED, groups.VOTED, groups.ALIKE)
SAMPLES = 4


@pytest.fixture(scope="module")
def run(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("groups")
    rows = [parquet.row(task, data_source="egca/groups", split="train", index=k) for k, task in enumerate(TASKS)]
    parquet.write(rows, home / "train.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERL_USE_EXTERNAL_MODULES", "verl_groups")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        patch.setenv(groups.FOLDER, str(home))
        done = train(
            replace(tiny, train=home / "train.parquet"),
            home,
            steps=groups.STEPS,
            prompts=len(TASKS),
            samples=SAMPLES,
            response_tokens=64,
            overrides=(
                "egca.bank=''",
                "egca.praise=0",
                "egca.reward=share",
                f"egca.wait_s={groups.WAIT_S}",
                "reward.num_workers=2",
            ),
        )
    assert done.code == 0, done.log[-6000:]
    return done


def records(run: Run, step: int, task_id: str) -> dict[str, dict[str, Any]]:
    """By what was said."""
    return {one["completion"]: one for one in run.records if (one["step"], one["task_id"]) == (step, task_id)}


@pytest.mark.parametrize("step", [1, groups.STEPS])
def test_a_passing_sibling_proves_the_fault_of_the_others(run: Run, step: int) -> None:
    wrong, right, raising, broken = (records(run, step, groups.PASSED.task_id)[s] for s in groups.script(groups.PASSED))
    assert (right["passed"], right["span"], right["reference"]) == (True, None, None)
    for one in (wrong, raising):
        assert one["reference"].startswith("sibling:")
        assert one["verified"]
        assert one["moved"]
    assert "+ 5" in wrong["completion"][wrong["span"]["start"] - 8 : wrong["span"]["end"] + 2]
    assert broken["stage"] == "compiler"


def test_where_nothing_passes_what_most_do_proves_it(run: Run) -> None:
    *most, odd, _ = (records(run, 1, groups.VOTED.task_id)[said] for said in groups.script(groups.VOTED))
    assert odd["reference"].startswith("voted:")
    assert odd["verified"]
    assert "x == 4" in odd["completion"][odd["span"]["start"] - 20 : odd["span"]["end"] + 20]
    assert [(one["span"], one["reason"]) for one in most] == [(None, "no_difference")] * 2, "they are the majority"


def test_a_group_that_is_rewarded_alike_is_not_localised(run: Run) -> None:
    found = records(run, 1, groups.ALIKE.task_id).values()
    assert {(one["reason"], one["span"]) for one in found} == {("no_advantage", None)}


def test_a_service_that_dies_costs_its_credits_and_comes_back(run: Run) -> None:
    metrics = run.metrics[groups.KILLED]
    lost = metrics.get("egca/fallback/credit_lost", 0) + metrics.get("egca/fallback/credit_late", 0)
    assert lost > 0.5
    assert metrics["egca/credit/wait_s"] < groups.WAIT_S + 30
    assert metrics["egca/pass_rate"] == run.metrics[1]["egca/pass_rate"], "rewards were told before"
    assert run.metrics[groups.SLOW]["egca/restarts/credit_service"] == 1


def test_a_slow_service_holds_the_step_up_for_so_long_and_no_longer(run: Run) -> None:
    metrics = run.metrics[groups.SLOW]
    assert metrics["egca/fallback/credit_late"] > 0.5
    assert groups.WAIT_S <= metrics["egca/credit/wait_s"] < groups.WAIT_S + 30
    late = records(run, groups.SLOW, groups.PASSED.task_id)[groups.script(groups.PASSED)[0]]
    assert (late["reason"], late["span"], late["moved"]) == ("credit_late", None, False)


def test_where_all_is_well_nothing_is_lost(run: Run) -> None:
    for step in (1, groups.STEPS):
        metrics = run.metrics[step]
        assert metrics["egca/reference/sibling"] > 0
        assert metrics["egca/credit/split_groups"] == metrics["egca/credit/dropped"] == 0
        assert not [name for name in metrics if name.startswith("egca/fallback/credit")]
