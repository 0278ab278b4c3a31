"""Files that commands write: what speaks against one is said before the work, and none is ever half of what it says.

A regular file is written beside its place and moved there when it is whole; a symbolic link stays, and its target is
what is replaced. Devices, pipes and ``-``, which is standard output, are written through.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from egca_plugin.errors import EgcaError

STDOUT = Path("-")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OPEN_FILES = ("/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc")


def ready(path: Path, *inputs: Path | None) -> None:
    """Make the folder of ``path`` and see that a file can be written there, and that it is none of ``inputs``.

    Nothing is written. Raises EgcaError.
    """
    for name in inputs:
        if name is not None and _same(path, name):
            raise EgcaError(
                f"{path}: the same file as {name}, which this command reads; expected another place to write"
            )
    if written_through(path):
        return
    target = real(path)
    with writing(path):
        if target.is_dir():
            raise IsADirectoryError(None, "it is a directory")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(None, "it may not be written")
        with tempfile.TemporaryFile(dir=target.parent):
            pass


def real(path: Path) -> Path:
    """The file that ``path`` is in the end, behind all symbolic links."""
    return Path(os.path.realpath(path))


def written_through(path: Path) -> bool:
    """Is ``path`` a device, a pipe, a descriptor or ``-``: something that is written and never replaced?"""
    if path == STDOUT or str(path.absolute()).startswith(_OPEN_FILES):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Where to write what becomes ``path``: a new file that takes its place at the end, or a device itself.

    Where the writing fails, what was at ``path`` is still there. Raises EgcaError.
    """
    if written_through(path):
        with writing(path):
            yield Path("/dev/stdout") if path == STDOUT else path
        return
    target = real(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with writing(path):
            yield partial
            if target.exists():
                partial.chmod(stat.S_IMODE(target.stat().st_mode))
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(target)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write, as :func:`placing` places it."""
    if path == STDOUT:
        with writing(path):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with placing(path) as partial, partial.open("wb") as file:
        yield file


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn whatever the system says against writing ``path`` into an EgcaError."""
    try:
        yield
    except BrokenPipeError:
        raise  # the reader has seen enough; the command's end knows it
    except OSError as error:
        advice = "free some room, or write elsewhere" if error.errno in FULL else "expected a place for a file"
        raise EgcaError(f"{path}: cannot be written ({error.strerror or error}); {advice}") from error


def _same(path: Path, other: Path) -> bool:
    """Are both one regular file, under whatever names?"""
    if path == STDOUT or other == STDOUT:
        return False
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.path.samefile(path, other)
    except OSError:  # one of them is not there (yet)
        return os.path.realpath(path) == os.path.realpath(other)
