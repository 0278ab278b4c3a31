"""The records of a run that is still going, as they arrive."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from egca_plugin.report.read import Record, live_files, parse


@dataclass(slots=True)
class Follower:
    """Reads what is new in the record files of ``directory``; files and the directory itself may appear later."""

    directory: Path
    _read: dict[Path, int] = field(default_factory=dict)  # bytes taken of each file
    _lines: Counter[Path] = field(default_factory=Counter)

    def ended(self) -> bool:
        """Has every process that wrote here ended? Known of this host's processes alone: others may still write."""
        writers = [_writer(file) for file in self._read]
        return bool(writers) and all(host == os.uname().nodename and not _alive(pid) for host, pid in writers)

    def poll(self) -> Iterator[Record]:
        """The records that were completed since the last call. Raises SampleError for an unusable line."""
        for file in live_files(self.directory):
            with file.open("rb") as stream:
                stream.seek(self._read.get(file, 0))
                whole, newline, _ = stream.read().rpartition(b"\n")
            self._read[file] = self._read.get(file, 0) + len(whole) + len(newline)
            for line in whole.split(b"\n") if newline else ():
                self._lines[file] += 1
                if line.strip():
                    yield parse(line, f"{file}:{self._lines[file]}")


def _writer(file: Path) -> tuple[str, int]:
    """(host, process) from the name that RecordWriter gives its file; process 0, which is always there, for another."""
    host, _, pid = file.stem.removeprefix("credits-").rpartition("-")
    return host, int(pid) if pid.isdigit() else 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
