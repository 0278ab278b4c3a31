"""From cells to a default: the queue, the differences, and the rule of ``benchmarks.learning.programs``."""

import fcntl
import json
import random
from dataclasses import asdict

import pytest

torch = pytest.importorskip("torch")

from benchmarks.learning.programs import cells as queue  # noqa: E402
from benchmarks.learning.programs import stages, summary  # noqa: E402
from benchmarks.learning.programs.arms import ARMS  # noqa: E402
from benchmarks.learning.programs.cells import Places  # noqa: E402
from benchmarks.learning.programs.paragraph import BEGIN, END, paragraph, replaced  # noqa: E402
from benchmarks.learning.programs.report import report  # noqa: E402
from benchmarks.learning.programs.stages import STAGES, Stage  # noqa: E402
from benchmarks.learning.programs.training import Cell, Plan  # noqa: E402

PLAN = Plan(steps=20, every=10)


def row(arm, seed, curve, world="long", rate=1e-3, tokens=1000):
    """A cell's file, as far as the summary reads it: ``curve`` are held-out pass rates at equal distances."""
    points = [
        {"step": 10 * k, "sampled": tokens * k, "passed": passed, "compiled": 1.0} for k, passed in enumerate(curve)
    ]
    steps = dict.fromkeys(
        ("asked", "verified", "decided", "true", "negative_mass", "positive_mass", "all_failed", "length"), 1.0
    )
    told = {"plan": asdict(PLAN), "evals": points, "steps": [steps], "seconds": {"judge": 1.0}}
    return {**asdict(Cell(world, arm, rate, seed)), **told}


def noisy(arm, seeds, gain, world="long"):
    """Cells whose area is GRPO's of the seed plus ``gain``, give or take .01: seeds differ by far more."""
    rng = random.Random(f"{arm} {world}")
    for seed in seeds:
        level = 0.2 + 0.05 * (seed % 3) + gain + rng.uniform(-0.01, 0.01)
        yield row(arm, seed, [level, level, level], world)


# --- measures ---------------------------------------------------------------------------------------------------


def test_the_area_is_the_mean_of_the_curve():
    assert summary.area(row("grpo", 0, [0.0, 0.2, 0.4])) == pytest.approx(0.2)


def test_reach_counts_the_tokens_until_grpos_end_and_interpolates():
    base = row("grpo", 0, [0.1, 0.2, 0.3])
    assert summary.reach(base, base) == pytest.approx(1.0)
    assert summary.reach(row("unit", 0, [0.1, 0.5, 0.6]), base) == pytest.approx(0.25)
    late = row("unit", 0, [0.1, 0.1, 0.2])
    assert (summary.reach(late, base), summary.reached(late, base)) == (1.0, False)


def test_the_t_interval_is_students():
    found = summary.t_interval([1.0, 2.0, 3.0])
    assert (found.value, found.high) == pytest.approx((2.0, 2.0 + 4.303 / 3**0.5), abs=1e-3)
    with pytest.raises(ValueError, match="at least one"):
        summary.t_interval([])


def test_one_seed_is_no_evidence():
    found = summary.t_interval([0.3])
    assert found.low < 0 < found.high


def test_rates_of_one_seed_count_once():
    rows = [row(arm, 0, [level] * 3, rate=rate) for rate in (1, 2) for arm, level in (("grpo", 0.1), ("unit", 0.2))]
    assert summary.gains(rows, "unit", "long") == pytest.approx([0.1])


def test_the_mean_over_worlds_is_of_seeds_that_ran_in_all_of_them():
    levels = {("grpo", "long"): 0.1, ("grpo", "short"): 0.5, ("unit", "long"): 0.2, ("unit", "short"): 0.4}
    rows = [row(arm, seed, [level] * 3, world) for (arm, world), level in levels.items() for seed in (0, 1)]
    rows = [one for one in rows if (one["arm"], one["world"], one["seed"]) != ("unit", "short", 1)]
    assert summary.gains_over(rows, "unit", ("long", "short")) == pytest.approx([0.0])
    assert summary.gains_over(rows, "grpo", ("long", "short")) == []


def test_an_arm_with_a_known_effect_is_seen_and_none_where_arms_are_equal():
    seeds = range(8)
    rows = [*noisy("grpo", seeds, 0), *noisy("oracle_double", seeds, 0.03), *noisy("late", seeds, 0)]
    effect = summary.t_interval(summary.gains(rows, "oracle_double", "long"))
    equal = summary.t_interval(summary.gains(rows, "late", "long"))
    assert 0 < effect.low < 0.03 < effect.high
    assert equal.low < 0 < equal.high


# --- the rule ---------------------------------------------------------------------------------------------------

WORLDS = ("long", "short")


def cells_of(gains):
    """``gains[arm]`` are those in the two worlds."""
    rows = [cell for world in WORLDS for cell in noisy("grpo", range(4), 0, world)]
    return rows + [
        cell
        for arm, own in gains.items()
        for world, gain in zip(WORLDS, own, strict=True)
        for cell in noisy(arm, range(4), gain, world)
    ]


def test_the_best_mean_wins_among_those_that_are_nowhere_worse():
    gains = {"unit": (0.02, 0.02), "decision": (0.2, -0.1), "tele": (0.06, 0.04), "oracle": (0.3, 0.3)}
    winner, verdicts = summary.chosen(cells_of(gains), WORLDS, ("grpo", *gains))
    assert winner == "tele"
    assert verdicts["decision"] == "worse than grpo in short"
    assert verdicts["oracle"] == "a control"


def test_where_nothing_is_better_grpo_stays():
    winner, _ = summary.chosen(cells_of({"unit": (-0.05, -0.05)}), WORLDS, ("grpo", "unit"))
    assert winner == "grpo"


def test_an_arm_that_has_not_run_everywhere_cannot_win():
    rows = [*cells_of({}), *noisy("unit", range(4), 0.3, "long")]
    winner, verdicts = summary.chosen(rows, WORLDS, ("grpo", "unit"))
    assert (winner, verdicts["unit"]) == ("grpo", "not enough cells")


def test_the_result_holds_the_rule_and_what_it_chose(tmp_path):
    pytest.importorskip("matplotlib")
    stage = Stage(WORLDS, ("grpo", "unit"), (1e-3,), (0, 1, 2, 3), PLAN)
    path = report("test", stage, cells_of({"unit": (0.1, 0.1)}), tmp_path)
    told = json.loads(path.read_text())
    assert "written before any cell was run" in told["settings"]["rule"]
    assert told["tables"][-1]["rows"][-1][0::2] == ["unit", "chosen"]
    assert (tmp_path / "learning_programs_test.svg").exists()
    said = paragraph(told, "test")
    assert "The rule, applied to these cells: `unit`;" in said
    assert replaced(f"a\n{BEGIN}\nold\n{END}\nb", said) == f"a\n{BEGIN}\n{said}{END}\nb"


# --- the queue --------------------------------------------------------------------------------------------------


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "cells", tmp_path / "starts", tmp_path / "work")


@pytest.fixture
def trained(monkeypatch):
    """The names of the cells that are trained, which costs nothing here."""
    names = []

    def train(cell, plan, world, start, judge):
        names.append(cell.name)
        return {**row(cell.arm, cell.seed, [0.1, 0.2, 0.3], cell.world, cell.rate), "plan": asdict(plan)}

    class Nobody:
        fresh = 0

        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(queue, "train", train)
    monkeypatch.setattr(queue, "Judge", Nobody)
    monkeypatch.setattr(queue, "start_of", lambda *_: None)
    return names


CELLS = [Cell("short", arm, 1e-3, seed) for seed in (0, 1) for arm in ("grpo", "unit")]


def test_finished_cells_are_not_run_again(places, trained):
    assert queue.run(CELLS[:2], PLAN, places) == 0
    assert queue.run(CELLS, PLAN, places) == 0
    assert trained == [cell.name for cell in CELLS]
    assert [found["arm"] for found in queue.finished(CELLS, PLAN, places)] == ["grpo", "unit", "grpo", "unit"]


def test_a_cell_of_another_plan_does_not_count(places, trained):
    queue.run(CELLS[:1], PLAN, places)
    assert queue.finished(CELLS[:1], Plan(steps=40), places) == []


def test_a_cell_that_another_worker_runs_is_left_to_it(places, trained):
    places.work.mkdir(parents=True)
    with (places.work / f"{CELLS[0].name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert queue.run(CELLS[:2], PLAN, places) == 1
    assert trained == [CELLS[1].name]


def test_no_cell_is_begun_after_the_hour(places, trained):
    assert queue.run(CELLS, PLAN, places, until=0) == len(CELLS)
    assert trained == []


def test_stages_have_the_arms_without_which_none_can_be_read():
    for name in ("screening", "confirmation"):
        assert set(stages.ALWAYS) <= set(STAGES[name].arms) <= set(ARMS)
    own = ("screening", "confirmation", "replication", "selection", "choice")
    seeds = [seed for name in own for seed in STAGES[name].seeds]
    assert len(set(seeds)) == len(seeds)
