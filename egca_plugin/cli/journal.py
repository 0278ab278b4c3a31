"""The lines of a long run as they come, beside the file that they will become: what was judged survives an interrupt.

A journal is a JSONL file, ``OUT.partial``: first what the run depends on, then ``{"at": place, "of": digest, "line":
...}`` for every result. When all are there, they go to ``OUT`` in the order of their places, and the journal goes away.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from egca_plugin import jsonl
from egca_plugin.cli import output
from egca_plugin.errors import EgcaError, SampleError

Line = dict[str, Any]


class Lines(Protocol):
    """Where the lines of a run go, each with its place from 0."""

    def add(self, place: int, line: Line) -> None: ...

    def finish(self) -> None: ...


class Stream:
    """Lines to a device, a pipe or standard output: each as soon as all before it are there."""

    def __init__(self, out: Path, file: BinaryIO) -> None:
        self._out, self._file = out, file
        self._waiting: dict[int, Line] = {}
        self._next = 0

    def add(self, place: int, line: Line) -> None:
        self._waiting[place] = line
        with output.writing(self._out):
            while self._next in self._waiting:
                self._file.write(jsonl.line(self._waiting.pop(self._next)))
                self._next += 1
            self._file.flush()

    def finish(self) -> None:
        """Nothing is left to do: all places were filled."""


class Journal:
    """Lines to a regular file. ``lines`` are those that are there, by place.

    ``settings`` are what the lines depend on beside their samples; ``digests`` tell of each place what was judged.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any], digests: Sequence[str]) -> None:
        """Raises EgcaError where an earlier run's journal is there, or another process writes to it."""
        self.path, self._out, self._digests = journal_of(out), out, digests
        self.lines: dict[int, Line] = {}
        with output.writing(self.path):
            self._file = self.path.open("a+b", buffering=0)
        self._settings = dict(settings)
        self._ours = False  # begun by this run
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise EgcaError(
                f"{self.path}: another egca assess is writing there; wait for it, or choose another --out"
            ) from error
        except OSError:  # a file system without locks: two runs into one file are the user's affair
            pass

    def begin(self) -> None:
        """Start anew. Raises EgcaError where the lines of an interrupted run are there."""
        kept = sum(1 for _ in jsonl.lines(self.path, EgcaError)) - 1
        if kept > 0:
            raise EgcaError(
                f"{self.path}: holds {kept} samples of an interrupted run; go on with --resume, or remove it to begin "
                "anew"
            )
        self._file.truncate(0)
        self._head()

    def resume(self, redo: frozenset[str]) -> None:
        """Take over the lines that are there, but those whose outcome is in ``redo``. A torn last line is cut away.

        Raises EgcaError where they are of other settings or samples.
        """
        self._cut()
        entries = list(jsonl.rows(self.path, EgcaError))
        if not entries:
            self._head()
            return
        (where, head), *rest = entries
        self._check_settings(where, head.get("settings"))
        for where, entry in rest:
            try:
                place, digest, line = int(entry["at"]), entry["of"], dict(entry["line"])
            except (KeyError, TypeError, ValueError) as error:
                raise EgcaError(f"{where}: no line of a journal; remove {self.path} to begin anew") from error
            self.lines.pop(place, None)  # a later line of the same place replaces it
            if line.get("outcome") in redo:
                continue
            if place >= len(self._digests) or self._digests[place] != digest:
                raise EgcaError(
                    f"{where}: was judged with another sample {place + 1}, or another text of its task; give the files "
                    f"of the interrupted run, or remove {self.path} to begin anew"
                )
            self.lines[place] = line

    def adopt(self, lines: Mapping[int, Line]) -> None:
        """Take over lines of ``OUT`` itself, by place."""
        for place, line in lines.items():
            self.add(place, line)

    def add(self, place: int, line: Line) -> None:
        self._write({"at": place, "of": self._digests[place], "line": line})
        self.lines[place] = line

    def finish(self) -> None:
        """Write ``OUT``, whole, and drop the journal. Raises EgcaError."""
        with output.whole(self._out) as file:
            file.writelines(jsonl.line(self.lines[place]) for place in range(len(self._digests)))
        self.path.unlink()
        self._file.close()

    def close(self) -> None:
        """Leave the journal for later, or none where nothing was judged."""
        if self._ours and not self._file.closed and not self.lines:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _head(self) -> None:
        self._ours = True
        self._write({"settings": self._settings})

    def _write(self, row: Mapping[str, Any]) -> None:
        line = jsonl.line(row)
        end = self._file.seek(0, os.SEEK_END)
        with output.writing(self.path):
            if self._file.write(line) != len(line):
                self._file.truncate(end)
                raise OSError(errno.ENOSPC, "no space left for a whole line")

    def _cut(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)

    def _check_settings(self, where: str, before: Any) -> None:
        if not isinstance(before, dict):
            raise EgcaError(f"{where}: no journal of egca assess; remove {self.path} to begin anew")
        now = self._settings
        other = [name for name in {**now, **before} if now.get(name) != before.get(name)]
        if other:
            told = ", ".join(f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in other)
            raise EgcaError(
                f"{self.path}: {told}; give the settings of the interrupted run, or remove it to begin anew"
            )


def journal_of(out: Path) -> Path:
    """The journal's place, beside the file that ``out`` is in the end."""
    target = output.real(out)
    return target.with_name(target.name + ".partial")


def written(out: Path) -> list[tuple[str, Line]]:
    """``(where, line)`` of the lines that ``out`` holds; a torn last one is left out. Raises SampleError."""
    if not out.is_file():
        return []
    whole = (pair for pair in jsonl.lines(out, SampleError) if pair[1].endswith(b"\n"))
    return [(where, jsonl.parse(line, where, SampleError)) for where, line in whole]
