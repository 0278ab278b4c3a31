"""Where banked programs live: by task, read often, changed seldom, by many processes at once.

:class:`DirectoryStore` serves the processes of a node and, on a shared filesystem whose locks work, those of a cluster.
An adapter that would rather share through its framework (a Ray actor) implements :class:`Store`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from egca_plugin.types import Task

_VERSION = 1
_REMEMBERED = 64 << 20  # bytes of files whose entries a process keeps in memory
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A program that passed all tests of its task when it was sampled at training step ``step``."""

    source: str
    step: int = 0


Entries = tuple[Entry, ...]
Change = Callable[[Entries], Entries]


class Store(Protocol):
    """Entries by key; ``update`` is one atomic read, change and write, also between processes."""

    def load(self, key: str) -> Entries: ...

    def update(self, key: str, change: Change) -> Entries: ...


def key_of(task: Task) -> str:
    """The key of what the bank knows of a task: other tests or another entry point make it another task."""
    tests = task.tests if isinstance(task.tests, str) else "\0".join(task.tests)
    text = "\0".join([task.task_id, task.entry_point, tests, task.setup])
    if task.cases:
        text = "\0".join([text, task.kind.value, repr(task.cases), repr(task.compare), task.checker])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class MemoryStore:
    """For one process, gone with it."""

    def __init__(self) -> None:
        self._entries: dict[str, Entries] = {}

    def load(self, key: str) -> Entries:
        return self._entries.get(key, ())

    def update(self, key: str, change: Change) -> Entries:
        self._entries[key] = change(self.load(key))
        return self._entries[key]


class DirectoryStore:
    """One JSONL file a key below ``root``, replaced as a whole under a lock: readers see the old file or the new one.

    Put ``root`` beside the run's checkpoints and it survives a resume. Programs of steps after the resumed one stay:
    they still pass.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, tuple[tuple[int, int, int], Entries]] = {}
        self._held = 0  # bytes of the files in `_read`

    def load(self, key: str) -> Entries:
        path = self._path(key)
        try:
            status = path.stat()
        except FileNotFoundError:
            return ()
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._read.get(key)
        if known is None or known[0] != stamp:
            self._held += stamp[2] - (known[0][2] if known is not None else 0)
            if self._held > _REMEMBERED:
                self._read.clear()
                self._held = stamp[2]
            known = self._read[key] = (stamp, _parse(path))
        return known[1]

    def update(self, key: str, change: Change) -> Entries:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent / "lock"):
            before = self.load(key)
            after = change(before)
            if after != before:
                partial = path.with_suffix(f".{os.getpid()}.partial")
                partial.write_text("".join(map(_line, after)), encoding="utf-8")
                partial.replace(path)
        return after

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / f"{key}.jsonl"  # 256 folders, each with one lock


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the advisory lock ``path``; the kernel frees it when its holder dies."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _line(entry: Entry) -> str:
    return json.dumps({"version": _VERSION, **asdict(entry)}, ensure_ascii=False) + "\n"


def _parse(path: Path) -> Entries:
    """The entries of a file. A line that is none is left out and said so: a lost reference only costs its help."""
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        if not line:
            continue
        try:
            row = json.loads(line)
            if row["version"] != _VERSION or not isinstance(row["source"], str):
                raise ValueError(f"version {row['version']}, expected {_VERSION}")
            entries.append(Entry(row["source"], int(row["step"])))
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("%s:%d: left out, not a banked program (%r)", path, number, error)
    return tuple(entries)
