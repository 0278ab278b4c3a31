"""Training rows for verl and TRL: one parquet row a task, the whole of it travelling in ``reward_model.ground_truth``.

Columns as verl's own data preprocessing writes them (examples/data_preprocess): ``data_source``, ``prompt`` (chat
messages), ``reward_model`` (``style``, ``ground_truth``), ``extra_info``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks.files import task_from_mapping, task_to_mapping
from egca_plugin.types import Task


def row(task: Task, *, data_source: str, split: str, index: int, instruction: str = "") -> dict[str, Any]:
    """One row. ``instruction`` goes in front of the prompt in the message, not into the task."""
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": instruction + task.prompt}],
        "reward_model": {"style": "rule", "ground_truth": encode(task)},
        "extra_info": {"index": index, "split": split, "task_id": task.task_id},
    }


def encode(task: Task) -> str:
    """The task as the JSON text that travels through verl."""
    return json.dumps(task_to_mapping(task), ensure_ascii=False)


def decode(ground_truth: str, where: str = "reward_model.ground_truth") -> Task:
    """The task back from verl's row. Raises TaskError that names ``where``."""
    try:
        mapping = json.loads(ground_truth)
    except (TypeError, ValueError, RecursionError) as error:
        raise TaskError(f"{where}: not a task in JSON ({error}); write the rows with `egca prepare`") from error
    if not isinstance(mapping, dict):
        raise TaskError(f"{where}: got {type(mapping).__name__}, expected a task; write the rows with `egca prepare`")
    return task_from_mapping(mapping, where)


def task_of(reward_model: Any, where: str) -> Task:
    """The task of one row's ``reward_model`` cell. Raises TaskError naming ``where`` and the field."""
    if not isinstance(reward_model, Mapping) or "ground_truth" not in reward_model:
        raise TaskError(
            f"{where}: reward_model: got {reward_model!r:.80}, expected {{style, ground_truth}}; "
            "write the rows with `egca prepare`"
        )
    return decode(reward_model["ground_truth"], f"{where}, reward_model.ground_truth")


def check_rows(where: str, rows: Any) -> None:
    """Every row of ``rows``, a ``datasets.Dataset``, carries a task. Raises TaskError naming ``where`` and the row."""
    if "reward_model" not in rows.column_names:
        raise TaskError(
            f"{where}: the rows have no column reward_model (got {', '.join(rows.column_names)}); "
            "write the files with `egca prepare`"
        )
    for number, cell in enumerate(rows["reward_model"]):
        task_of(cell, f"{where}, row {number}")


def write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the rows of :func:`row`. Raises AssetError without pyarrow."""
    arrow, files = _pyarrow()
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_table(arrow.Table.from_pylist(list(rows)), path)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file. Raises AssetError without pyarrow, and where the file is none."""
    arrow, files = _pyarrow()
    try:
        rows: list[dict[str, Any]] = files.read_table(path).to_pylist()
    except (OSError, arrow.ArrowException) as error:
        raise AssetError(f"{path}: cannot be read as parquet ({error})") from error
    return rows


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise AssetError("parquet files need pyarrow: pip install 'egca-plugin[verl]'") from error
    return pyarrow, pyarrow.parquet
