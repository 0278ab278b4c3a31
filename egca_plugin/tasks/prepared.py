"""The files of a preparation: the task file, verl's rows, and what was refused and why."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from egca_plugin.tasks import blobs, parquet
from egca_plugin.tasks.journal import Entry

TASKS, ROWS, REFUSED = ENDINGS = (".jsonl", ".parquet", "-refused.jsonl")
_BATCH = 256  # of verl's rows, written at once
_BATCH_BYTES = 64 << 20  # of their ground truths at most


@dataclass(frozen=True, slots=True)
class Names:
    """The files are ``folder/stem`` and an ending; ``data_source`` is what verl's rows say where they come from."""

    folder: Path
    stem: str
    data_source: str

    def file(self, ending: str) -> Path:
        """One of them."""
        return self.folder / f"{self.stem}{ending}"


@dataclass(frozen=True, slots=True)
class Summary:
    """``rows`` is None where no task has a prompt to train on, ``refused`` where nothing was.

    ``reasons`` counts the rows that are not sound, by code, and ``first`` tells the first of them in words; where
    unsound rows are kept, some of them are among the ``kept``.
    """

    layout: str
    tasks: Path
    rows: Path | None
    refused: Path | None
    read: int
    kept: int
    referenced: int
    reasons: Mapping[str, int]
    first: str


def write(entries: Iterable[Entry], names: Names, layout: str, *, keep_unsound: bool) -> Summary:
    """Write each file under another name first, so that none is there by half. Raises OSError."""
    partial = {ending: names.file(f"{ending}.partial") for ending in ENDINGS}
    with _Files(partial, names, keep_unsound) as files:
        for entry in entries:
            files.add(entry)
    for ending, count in zip(ENDINGS, (files.kept, files.trained, files.refused), strict=True):
        if count:
            os.replace(partial[ending], names.file(ending))
        else:
            partial[ending].unlink(missing_ok=True)
    return Summary(
        layout=layout,
        tasks=names.file(TASKS),
        rows=names.file(ROWS) if files.trained else None,
        refused=names.file(REFUSED) if files.refused else None,
        read=files.read,
        kept=files.kept,
        referenced=files.referenced,
        reasons=dict(files.reasons.most_common()),
        first=files.first,
    )


class _Files:
    """The three files, open. Entered as a context."""

    def __init__(self, paths: Mapping[str, Path], names: Names, keep_unsound: bool) -> None:
        self._paths, self._names, self._keep_unsound = paths, names, keep_unsound
        self._stack = ExitStack()
        self._ids: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.first = ""
        self.read = self.kept = self.trained = self.refused = self.referenced = 0

    def __enter__(self) -> _Files:
        self._tasks = self._stack.enter_context(self._paths[TASKS].open("wb"))
        self._refusals = self._stack.enter_context(self._paths[REFUSED].open("wb"))
        self._rows = self._stack.enter_context(_Batches(self._paths[ROWS]))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, entry: Entry) -> None:
        """Put the entry where it belongs."""
        self.read += 1
        kept = entry.task is not None and (self._keep_unsound or not entry.reason)
        if entry.reason:
            self.refused += 1
            self.reasons[entry.reason] += 1
            self.first = self.first or entry.detail
            said = {name: getattr(entry, name) for name in ("where", "task_id", "reason", "detail")}
            self._refusals.write(_line({**said, "kept": kept}))
        if kept and entry.task is not None:
            task = {**entry.task, "task_id": self._unique(str(entry.task["task_id"]))}
            self._tasks.write(_line({**task, **(entry.extra or {})}))
            self.referenced += bool(task["reference"])
            if entry.messages:
                self._rows.add(self._row(entry, task))
                self.trained += 1
            self.kept += 1

    def _unique(self, task_id: str) -> str:
        """The id, with a number behind it where rows before had the same."""
        self._ids[task_id] += 1
        count = self._ids[task_id]
        return task_id if count == 1 else self._unique(f"{task_id}~{count}")

    def _row(self, entry: Entry, task: Mapping[str, Any]) -> dict[str, Any]:
        """verl's row; its tests' file is named in full, since verl does not say where a row came from."""
        if blobs.FIELD in task:
            task = {**task, blobs.FIELD: str((self._names.folder / task[blobs.FIELD]).resolve())}
        return parquet.row_of(
            json.dumps(task, ensure_ascii=False),
            entry.messages,
            data_source=entry.data_source or self._names.data_source,
            split=entry.split,
            index=self.trained,
            task_id=task["task_id"],
        )


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


class _Batches:
    """Rows on their way into a parquet file, some at once. Entered as a context."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows, self._bytes, self._stack = path, list[dict[str, Any]](), 0, ExitStack()

    def __enter__(self) -> _Batches:
        self._put = self._stack.enter_context(parquet.writer(self._path))
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._stack.close()

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        self._bytes += len(row["reward_model"]["ground_truth"])
        if len(self._rows) == _BATCH or self._bytes > _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._put(self._rows)
        self._rows, self._bytes = [], 0
