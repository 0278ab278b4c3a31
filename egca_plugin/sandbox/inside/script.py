"""What surrounds a program that is run as ``__main__``: its standard streams, and the end of its interpreter.

The descriptors are real; the streams over them are made as the interpreter makes them. At the end everything happens
that happens when Python ends: threads are waited for, exit handlers run, what was written is flushed, what the module
holds is let go. Only the interpreter stays.

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

import atexit
import builtins
import io
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_exit, _lseek, _dup, _real_open, _os_open = os._exit, os.lseek, os.dup, io.open, os.open
_DEVICES = {
    "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2, "/dev/null": 2,  # whose descriptor leads to nowhere
    "/dev/fd/0": 0, "/dev/fd/1": 1, "/proc/self/fd/0": 0, "/proc/self/fd/1": 1,
}  # fmt: skip
_spares: list[int] = []
_threads: list[BaseException] = []  # what threads raised and nobody caught


def begin(*, further: bool) -> None:
    """Open the standard streams anew, over descriptors 0 and 1. ``further``: others may be run in this process."""
    if further:
        _restore_descriptors()
    try:
        _lseek(0, 0, os.SEEK_SET)
    except OSError:
        pass  # a pipe
    sys.stdin = sys.__stdin__ = _text(0, "r", io.BufferedReader)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(1, "w", io.BufferedWriter)  # type: ignore[misc]
    io.open = builtins.open = _open
    os.open = _open_descriptor
    _threads.clear()
    if "threading" in sys.modules:
        sys.modules["threading"].excepthook = lambda hook: _threads.append(hook.exc_value)  # type: ignore[attr-defined]


def _restore_descriptors() -> None:
    """``open(0)`` closes the descriptor with the file, which the next run wants."""
    if not _spares:
        _spares.extend((_dup(0), _dup(1)))
    for fd, spare in enumerate(_spares):
        try:
            lost = not os.path.sameopenfile(fd, spare)
            if lost:
                os.close(fd)
        except OSError:
            lost = True
        if lost:
            _dup(spare)  # the lowest that is free


def _open(file: Any, *args: Any, **kwargs: Any) -> Any:
    """As ``open``, which finds no folder of devices here: those that programs open stand for their descriptors."""
    device = _device(file)
    return _real_open(file if device is None else _dup(device), *args, **kwargs)


def _open_descriptor(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    device = _device(path)
    return _os_open(path, flags, mode, dir_fd=dir_fd) if device is None else _dup(device)


def _device(file: Any) -> int | None:
    path = os.fspath(file) if isinstance(file, os.PathLike) else file
    path = path.decode("utf-8", "replace") if type(path) is bytes else path
    return _DEVICES.get(path) if type(path) is str else None


def _text(fd: int, mode: str, buffer: type[io.BufferedReader] | type[io.BufferedWriter]) -> io.TextIOWrapper:
    raw = io.FileIO(fd, mode, closefd=False)
    raw.name = "<stdin>" if fd == 0 else "<stdout>"
    stream = io.TextIOWrapper(buffer(raw), encoding="utf-8", errors="surrogateescape", newline="\n")
    setattr(stream, "mode", mode)  # noqa: B010 - as the interpreter does
    return stream


def leave(code: Any = None) -> NoReturn:
    """``exit`` and ``quit``, as the module ``site`` gives them to programs."""
    try:
        sys.stdin.close()
    except BaseException:  # noqa: BLE001 - as ``site`` does
        pass
    raise SystemExit(code)


def exit_status(err: SystemExit) -> int:
    """What the interpreter makes of it: text is printed to standard error, and means 1."""
    try:
        code = err.code
    except BaseException:  # noqa: BLE001 - a hostile class
        return 1
    if code is None:
        return 0
    return code & 0xFF if type(code) is int or type(code) is bool else 1


def before_exit(call: Callable[[int], None]) -> None:
    """Have ``os._exit`` call this first, with the status."""

    def leave(status: int) -> NoReturn:
        call(status & 0xFF)
        _exit(status)

    os._exit = leave


def end(namespace: dict[str, Any]) -> BaseException | None:
    """Do what is done when Python ends. Returns what the first thread to fail has raised, which ends no program.

    Raises what the flush of standard output raises, which fails one.
    """
    if "threading" in sys.modules and len(sys.modules["threading"].enumerate()) > 1:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    _flush(sys.stdout)
    namespace.clear()  # files among it are flushed and closed
    if not _is_detached(sys.__stdout__):  # its buffer may have gone to another stream
        _flush(sys.__stdout__)
    return _threads[0] if _threads else None


def _is_detached(stream: Any) -> bool:
    try:
        return stream is not None and stream.buffer is None
    except ValueError:
        return True


def _flush(stream: Any) -> None:
    if stream is not None and not getattr(stream, "closed", False):
        stream.flush()
