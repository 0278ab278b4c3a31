"""The benchmark of sameness on a handful of samples: its parts, and a small run of what it measures."""

from __future__ import annotations

from pathlib import Path

from benchmarks.sameness import assessed, load, samples
from egca_plugin.tasks.files import dump_tasks


def test_the_order_of_the_samples_changes_no_line(tmp_path: Path) -> None:
    tasks, rows = samples(6, None)
    dump_tasks(tasks, tmp_path / "tasks.jsonl")
    lines = assessed(tmp_path, rows, 1)
    assert [line["number"] for line in lines] == ["0", "1", "2", "3", "4", "5"]
    assert lines[0]["mode"] == "correct", "the first of each three is the reference"
    assert any(line["reward"] == 0.0 for line in lines)
    with load(1):
        assert assessed(tmp_path, rows[::-1], 2) == lines


def test_samples_are_drawn_by_a_seed() -> None:
    assert samples(9, None)[1] == samples(9, None)[1]
