from __future__ import annotations

from pathlib import Path

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.tasks import parquet
from egca_plugin.types import Task

TASK = Task("t/1", "Write f, naïve.", "f", "def f(): return 1\n", ("assert f() == 1",), setup="x = 1")


def test_a_row_has_what_verl_reads() -> None:
    row = parquet.row(TASK, data_source="starter", split="train", index=3, instruction="Please. ")
    assert row["prompt"] == [{"role": "user", "content": "Please. Write f, naïve."}]
    assert row["reward_model"]["style"] == "rule"
    assert row["extra_info"] == {"index": 3, "split": "train", "task_id": "t/1"}
    assert parquet.decode(row["reward_model"]["ground_truth"]) == TASK


def test_rows_survive_the_file(tmp_path: Path) -> None:
    table = pytest.importorskip("pyarrow.parquet")
    rows = [parquet.row(TASK, data_source="starter", split="train", index=index) for index in range(3)]
    parquet.write(rows, tmp_path / "deep" / "rows.parquet")
    assert table.read_table(tmp_path / "deep" / "rows.parquet").to_pylist() == rows


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ("42", "got int, expected a task"),
        ("#### 42", "not a task in JSON"),
        ('{"task_id": "x"}', "field tests: got nothing"),
    ],
)
def test_another_data_sets_ground_truth_is_refused_by_name(truth: str, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        parquet.decode(truth, "row 7")
