"""What the references do, kept on disk from run to run and shared by processes: plain results and traces, by call.

One file a reference, named by a hash of its text and of everything else that decides on a trace: the interpreter, the
instrumentation, the budgets. So a stale file is never found, it only ages. A file is replaced as a whole and carries
its checksum: a reader sees the old one, the new one, or (torn by a crash) none. Of two writers at once the later wins,
which costs the other's calls another run.

Nothing here is code: files hold records in the wire format, read as strictly as a candidate's own. Candidates cannot
write files at all (seccomp, landlock); a folder that others can write to is not used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.records import Record, read
from egca_plugin.types import Call, CallResult, CallStatus

Shelf = dict[bytes, tuple[bytes, bytes]]  # by call: its plain record and its traced one, empty where unknown
_NOTHING = (b"", b"")

_FORMAT = b"egca-traces-1\n"
_HEAD = len(_FORMAT) + hashlib.sha256().digest_size
_DECIDING = (
    "program/instrument.py",
    "sandbox/inside/probes.py",
    "sandbox/inside/child.py",
    "sandbox/inside/clock.py",
    "sandbox/inside/entry.py",
    "sandbox/inside/keeping.py",
    "sandbox/wire/classes.py",
    "sandbox/wire/encoding.py",
    "sandbox/wire/instances.py",
    "sandbox/wire/library.py",
    "sandbox/wire/rich.py",
    "sandbox/wire/sharing.py",
)
_REPEATABLE = (CallStatus.VALUE, CallStatus.EXCEPTION, CallStatus.BUDGET)  # the others depend on the machine's load
_PRUNE_EVERY = 200  # files written by one process
_log = logging.getLogger(__name__)


class SavedTraces:
    """The files below ``folder``, at most ``max_bytes`` of them, those that were not read for longest out first."""

    def __init__(self, folder: Path, max_bytes: int, *budgets: float) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._version = b"\0".join([_version(), repr(budgets).encode()])
        self._written = 0
        self._usable = self._check()

    def load(self, source: str) -> Shelf:
        """All that is known of a reference; whatever cannot be read is not known."""
        path = self._path(source)
        if not self._usable:
            return {}
        try:
            data = path.read_bytes()
        except OSError:
            return {}
        shelf = _parse(data)
        if shelf is None:
            _log.info("%s: not a whole file of traces; made anew", path)
            return {}
        try:
            os.utime(path)
        except OSError:  # pruned meanwhile
            pass
        return shelf

    def keep(self, source: str, plain: Mapping[Call, CallResult], traced: Mapping[Call, Record]) -> None:
        """Add what repeats; a file that grows past what the wire carries stays as it is."""
        if not self._usable:
            return
        shelf = self.load(source)
        merged = dict(shelf)
        try:
            for one, result in plain.items():
                if result.status in _REPEATABLE:
                    merged[key_of(one)] = (_frame(Record(result)), merged.get(key_of(one), _NOTHING)[1])
            for one, seen in traced.items():
                if seen.result.status in _REPEATABLE:
                    merged[key_of(one)] = (merged.get(key_of(one), _NOTHING)[0], _frame(seen))
            if merged != shelf:
                self._write(self._path(source), wire.encode(merged))
        except WireError:
            return
        except OSError as error:
            self._usable = False
            _log.warning("%s: cannot be written (%s); references are traced anew in each process", self._folder, error)

    def prune(self) -> None:
        """Delete the files unread for longest until nine tenths of the bound are left."""
        files = sorted(_files(self._folder), key=lambda file: file[0])
        total = sum(size for _, size, _ in files)
        if total <= self._max_bytes:
            return
        for _, size, path in files:
            if total <= 0.9 * self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _check(self) -> bool:
        """Can the folder be had, and does it belong to this user alone?"""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            found = self._folder.stat()
        except OSError as error:
            _log.warning("%s: cannot be used for traces (%s)", self._folder, error)
            return False
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            _log.warning("%s: not used for traces, since others can write to it (chmod go-w)", self._folder)
            return False
        return True

    def _path(self, source: str) -> Path:
        name = hashlib.sha256(self._version + b"\0" + source.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{name}.traces"

    def _write(self, path: Path, body: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".partial", delete=False) as partial:
            try:
                partial.write(_FORMAT + hashlib.sha256(body).digest() + body)
                partial.close()
                os.replace(partial.name, path)
            except OSError:
                Path(partial.name).unlink(missing_ok=True)
                raise
        if self._written % _PRUNE_EVERY == 0:
            self.prune()
        self._written += 1


def default_folder() -> Path | None:
    """``$XDG_CACHE_HOME/egca/traces``, by default below ``~/.cache``; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        return (Path(base) if base else Path.home() / ".cache") / "egca" / "traces"
    except RuntimeError:
        return None


def key_of(one: Call) -> bytes:
    """A call within its reference's file."""
    head = f"{one.function}\0" if one.take is None else f"{one.function}\0{one.take}\0"
    return hashlib.sha256(head.encode("utf-8", "surrogatepass") + one.arguments).digest()[:16]


def record(frame: bytes) -> Record | None:
    """A kept record, read like one of a candidate; None where there is none."""
    found = read(frame) if frame else None
    return found if found is not None and found.result.status in _REPEATABLE else None


def _frame(one: Record) -> bytes:
    """The form that :func:`egca_plugin.sandbox.outside.records.read` reads."""
    it = one.result
    parts = (it.status.value, it.value, it.arguments_after, it.error_type, it.error_base, it.error_message, it.line)
    return wire.encode((*parts, it.steps, one.events, tuple(sorted(one.lines))))


def _parse(data: bytes) -> Shelf | None:
    body = data[_HEAD:]
    if data[:_HEAD] != _FORMAT + hashlib.sha256(body).digest():
        return None
    try:
        found = wire.decode(body)
    except WireError:
        return None
    shelf: Shelf = {}
    for key, frames in found.items() if type(found) is dict else ():
        match key, frames:
            case bytes(), (bytes() as plain, bytes() as traced):
                shelf[key] = (plain, traced)
            case _:
                return None
    return shelf


def _files(folder: Path) -> Iterable[tuple[float, int, Path]]:
    """(last read, size, path) of every file, those that a killed process left half-written included."""
    for path in folder.iterdir():
        try:
            status = path.stat()
        except OSError:
            continue
        if path.suffix in (".traces", ".partial"):
            yield status.st_mtime, status.st_size, path


@lru_cache(maxsize=1)
def _version() -> bytes:
    """Everything besides the program and its calls that decides on a trace."""
    ours = hashlib.sha256()
    for name in _DECIDING:
        ours.update(resources.files("egca_plugin").joinpath(name).read_bytes())
    return "\0".join([sys.version, platform.machine(), ours.hexdigest()]).encode()
