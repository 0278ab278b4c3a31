"""verl's data sets: do their rows carry tasks (:mod:`egca_plugin.tasks.parquet`), and which of them are validation."""

from __future__ import annotations

from typing import Any

from egca_plugin.adapters.verl import channel
from egca_plugin.errors import TaskError
from egca_plugin.tasks import parquet

VALIDATION = "egca_validation"  # column of the rows that nothing is learnt from


def check_dataset(setting: str, dataframe: Any) -> None:
    """Every row of verl's data set carries a task: TaskError now rather than failed prompts in every step."""
    taken = sorted(set(dataframe.column_names) & {*channel.COLUMNS, VALIDATION})
    if taken:
        raise TaskError(
            f"{setting}: the column {', '.join(taken)} has a name that EGCA uses for what it says of a sample, which "
            "would overwrite it; rename the column"
        )
    parquet.check_rows(setting, dataframe)


def mark_validation(dataset: Any) -> None:
    """Put a mark on the rows of verl's validation data set, which a reward manager sees; verl itself tells it nothing.

    Its ``validate`` flag ends in the agent loop (agent_loop_tq.py:61), and the data's own ``split`` is only a name.
    """
    dataset.dataframe = dataset.dataframe.add_column(VALIDATION, [True] * len(dataset.dataframe))
