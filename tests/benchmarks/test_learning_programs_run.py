"""The benchmark of ``benchmarks.learning.programs`` from end to end: real sandbox, real localiser, shipped start."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks.learning.programs import summary  # noqa: E402
from benchmarks.learning.programs.__main__ import STARTS, main  # noqa: E402
from benchmarks.learning.programs.arms import ARMS, Arm  # noqa: E402
from benchmarks.learning.programs.cells import Places, finished, run  # noqa: E402
from benchmarks.learning.programs.training import Cell, Plan  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_smoke_stage_runs_and_goes_on_where_it_stopped(tmp_path, capsys):
    folders = ["--cells", str(tmp_path / "cells"), "--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    assert main(["--stage", "smoke", "--until", "00:00", *folders]) == 1
    assert main(["--stage", "smoke", *folders]) == 0
    assert main(["--stage", "smoke", "--report-only", *folders]) == 0
    assert "2 of 2 cells" in capsys.readouterr().err
    assert (tmp_path / "learning_programs_smoke.json").exists()


def test_a_known_effect_is_seen_and_none_where_arms_are_equal(tmp_path, monkeypatch):
    """The oracle's decision with twice the rate learns more in few steps; the same arm by another name, as much."""
    monkeypatch.setitem(ARMS, "same", Arm())
    plan = Plan(groups=4, steps=8, every=8)
    runs = [("grpo", 0), ("same", 0), ("oracle_double", 0), ("grpo", 1), ("oracle_double", 1)]
    cells = [Cell("short", arm, 1e-4, seed) for arm, seed in runs]
    places = Places(tmp_path / "cells", STARTS, tmp_path / "work")
    assert run(cells, plan, places) == 0
    rows = finished(cells, plan, places)
    assert summary.gains(rows, "same", "short") == [0.0]
    assert min(summary.gains(rows, "oracle_double", "short")) > 0.02
