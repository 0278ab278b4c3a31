"""verl's data set rows: names that are taken, and the mark of what is validation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

datasets = pytest.importorskip("datasets")

import tiny_policy as policy  # noqa: E402

from egca_plugin.adapters.verl import channel, rows  # noqa: E402
from egca_plugin.errors import TaskError  # noqa: E402
from egca_plugin.tasks import parquet  # noqa: E402
from egca_plugin.types import Credit, Mode, Outcome  # noqa: E402


def frame(**columns: Any) -> Any:
    row = parquet.row(policy.TASKS[0], data_source="t", split="train", index=0)
    return datasets.Dataset.from_list([{**row, **columns}] * 2)


def test_rows_with_columns_of_their_own_pass() -> None:
    rows.check_dataset("data.train_files", frame(difficulty=3))


@pytest.mark.parametrize("name", [*channel.COLUMNS, rows.VALIDATION])
def test_a_column_that_would_be_overwritten_is_refused(name: str) -> None:
    with pytest.raises(TaskError, match=f"data.train_files: the column {name} has a name that EGCA uses"):
        rows.check_dataset("data.train_files", frame(**{name: 1.0}))


def test_the_names_are_those_that_are_sent() -> None:
    assert tuple(channel.pack(channel.Row(Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1), "t"))) == channel.COLUMNS


def test_every_validation_row_is_marked() -> None:
    dataset = SimpleNamespace(dataframe=frame())
    rows.mark_validation(dataset)
    assert [row[rows.VALIDATION] for row in dataset.dataframe] == [True, True]
