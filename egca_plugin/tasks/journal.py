"""What became of every row of a preparation, on disk as it is known, so that nothing is lost when a run is cut off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one row. ``key`` says of which content and options this is true.

    ``task`` is the task file's object without the passed-through fields, which are ``extra``; both are None where the
    row can be no task. ``reason`` is a code of :data:`egca_plugin.tasks.soundness.REASONS`, empty for a sound row, and
    ``detail`` says it in words, with file, row and field. ``messages``: the chat that asks a model, empty without a
    prompt.
    """

    key: str
    where: str
    split: str
    task_id: str
    reason: str = ""
    detail: str = ""
    task: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] | None = None
    messages: tuple[Mapping[str, str], ...] = ()
    data_source: str = ""


class Journal:
    """The entries of this run, one JSON object a line, and those of one that was cut off. Entered as a context.

    Entries are written in the rows' order and looked for in the same, so neither run is ever held in memory.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._before = path, path.with_suffix(".before")
        self._old: IO[str] | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> Journal:
        if _size(self._path) > _size(self._before):
            os.replace(self._path, self._before)
        if self._before.exists():
            self._old = self._before.open(encoding="utf-8")
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._file, self._old):
            if file is not None:
                file.close()

    def known(self, key: str) -> Entry | None:
        """What an earlier run found out about the next row, if it was about the same."""
        entry = _parsed(self._old.readline()) if self._old is not None else None
        return entry if entry is not None and entry.key == key else None

    def write(self, entry: Entry) -> None:
        """The next row's entry. Raises OSError."""
        assert self._file is not None
        self._file.write(json.dumps({name: getattr(entry, name) for name in Entry.__slots__}) + "\n")
        self._file.flush()

    def entries(self) -> Iterator[Entry]:
        """All entries of this run, once more."""
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                entry = _parsed(line)
                if entry is not None:
                    yield entry

    def remove(self) -> None:
        """Everything is where it belongs."""
        self._path.unlink(missing_ok=True)
        self._before.unlink(missing_ok=True)


def _parsed(line: str) -> Entry | None:
    try:
        values = json.loads(line)
        return Entry(**{**values, "messages": tuple(values["messages"])})
    except (ValueError, TypeError, KeyError):  # the end, or a line that was being written
        return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
