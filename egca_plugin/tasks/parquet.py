"""Training rows for verl and TRL: one parquet row a task, the whole of it travelling in ``reward_model.ground_truth``.

Columns as verl's own data preprocessing writes them (examples/data_preprocess): ``data_source``, ``prompt`` (chat
messages), ``reward_model`` (``style``, ``ground_truth``), ``extra_info``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks import blobs
from egca_plugin.tasks.files import task_from_mapping, task_to_mapping
from egca_plugin.types import Task

_BATCH = 64  # rows that are read at once


def row(task: Task, *, data_source: str, split: str, index: int, instruction: str = "") -> dict[str, Any]:
    """One row. ``instruction`` goes in front of the prompt in the message, not into the task."""
    messages = [{"role": "user", "content": instruction + task.prompt}]
    return row_of(encode(task), messages, data_source=data_source, split=split, index=index, task_id=task.task_id)


def row_of(
    ground_truth: str, messages: Sequence[Mapping[str, str]], *, data_source: str, split: str, index: int, task_id: str
) -> dict[str, Any]:
    """One row of an encoded task, under the messages of a chat."""
    return {
        "data_source": data_source,
        "prompt": [dict(message) for message in messages],
        "reward_model": {"style": "rule", "ground_truth": ground_truth},
        "extra_info": {"index": index, "split": split, "task_id": task_id},
    }


def encode(task: Task) -> str:
    """The task as the JSON text that travels through verl, without the fields that are none of ours."""
    return json.dumps(task_to_mapping(replace(task, extra={})), ensure_ascii=False)


def decode(ground_truth: str, where: str = "reward_model.ground_truth") -> Task:
    """The task back from verl's row. Raises TaskError that names ``where``."""
    try:
        mapping = json.loads(ground_truth)
    except (TypeError, ValueError, RecursionError) as error:
        raise TaskError(f"{where}: not a task in JSON ({error}); write the rows with `egca prepare`") from error
    if not isinstance(mapping, dict):
        raise TaskError(f"{where}: got {type(mapping).__name__}, expected a task; write the rows with `egca prepare`")
    return task_from_mapping(blobs.resolve(mapping, None, where), where)


def write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the rows of :func:`row`. Raises AssetError without pyarrow."""
    arrow, files = _pyarrow()
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_table(arrow.Table.from_pylist(list(rows)), path)


def stream(path: Path, max_row: int) -> Iterator[dict[str, Any] | None]:
    """The rows of a file, one after the other; None in place of one that has more than ``max_row`` bytes.

    Raises AssetError as :func:`read`.
    """
    arrow, files = _pyarrow()
    try:
        with files.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for number in range(batch.num_rows):
                    one = batch.slice(number, 1)
                    yield one.to_pylist()[0] if one.nbytes <= max_row else None
    except (OSError, arrow.ArrowException) as error:
        raise AssetError(f"{path}: cannot be read as parquet ({error})") from error


def require() -> None:
    """Raises AssetError without pyarrow, before any work."""
    _pyarrow()


@contextmanager
def writer(path: Path) -> Iterator[Callable[[Sequence[dict[str, Any]]], None]]:
    """A function that writes some more rows of :func:`row` to a file. Raises AssetError without pyarrow."""
    arrow, files = _pyarrow()
    text = arrow.string()
    schema = arrow.schema(
        [
            ("data_source", text),
            ("prompt", arrow.list_(arrow.struct([("content", text), ("role", text)]))),
            ("reward_model", arrow.struct([("ground_truth", text), ("style", text)])),
            ("extra_info", arrow.struct([("index", arrow.int64()), ("split", text), ("task_id", text)])),
        ]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.ParquetWriter(path, schema) as file:
        yield lambda rows: file.write_table(arrow.Table.from_pylist(list(rows), schema))


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file. Raises AssetError without pyarrow, and where the file is none."""
    arrow, files = _pyarrow()
    try:
        rows: list[dict[str, Any]] = files.read_table(path).to_pylist()
    except (OSError, arrow.ArrowException) as error:
        raise AssetError(f"{path}: cannot be read as parquet ({error})") from error
    return rows


def first(path: Path, count: int, columns: Sequence[str]) -> list[Mapping[str, Any]]:
    """The first ``count`` rows, of ``columns`` those that the file has. Raises AssetError as :func:`read`."""
    arrow, files = _pyarrow()
    try:
        with files.ParquetFile(path) as file:
            names = [name for name in columns if name in file.schema_arrow.names]
            batch = next(file.iter_batches(batch_size=count, columns=names), None)
    except (OSError, arrow.ArrowException) as error:
        raise AssetError(f"{path}: cannot be read as parquet ({error})") from error
    return [] if batch is None else list(batch.to_pylist())


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise AssetError("parquet files need pyarrow: pip install 'egca-plugin[verl]'") from error
    return pyarrow, pyarrow.parquet
