"""The tasks in verl's data set rows: ``reward_model.ground_truth`` as :mod:`egca_plugin.tasks.parquet` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from egca_plugin.adapters.verl import channel
from egca_plugin.errors import TaskError
from egca_plugin.tasks.parquet import decode
from egca_plugin.types import Task

VALIDATION = "egca_validation"  # column of the rows that nothing is learnt from


def task_of(reward_model: Any, where: str) -> Task:
    """The task of one row's ``reward_model`` cell. Raises TaskError naming ``where`` and the field."""
    if not isinstance(reward_model, Mapping) or "ground_truth" not in reward_model:
        raise TaskError(
            f"{where}: reward_model: got {reward_model!r:.80}, expected {{style, ground_truth}}; "
            "write the rows with `egca prepare`"
        )
    return decode(reward_model["ground_truth"], f"{where}, reward_model.ground_truth")


def check_dataset(setting: str, dataframe: Any) -> None:
    """Every row of verl's data set carries a task: TaskError now rather than failed prompts in every step."""
    taken = sorted(set(dataframe.column_names) & {*channel.COLUMNS, VALIDATION})
    if taken:
        raise TaskError(
            f"{setting}: the column {', '.join(taken)} has a name that EGCA uses for what it says of a sample, which "
            "would overwrite it; rename the column"
        )
    if "reward_model" not in dataframe.column_names:
        raise TaskError(
            f"{setting}: the rows have no column reward_model (got {', '.join(dataframe.column_names)}); "
            "write the files with `egca prepare`"
        )
    for number, cell in enumerate(dataframe["reward_model"]):
        task_of(cell, f"{setting}, row {number}")


def mark_validation(dataset: Any) -> None:
    """Put a mark on the rows of verl's validation data set, which a reward manager sees; verl itself tells it nothing.

    Its ``validate`` flag ends in the agent loop (agent_loop_tq.py:61), and the data's own ``split`` is only a name.
    """
    dataset.dataframe = dataset.dataframe.add_column(VALIDATION, [True] * len(dataset.dataframe))
