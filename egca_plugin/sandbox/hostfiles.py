"""Which files of the host the standard library needs beside its own folder: C libraries, and the time zones.

They may be read, and no more: a program that imports such a module loads its library then, and no other pays for it.
Standard library only: this runs in the zygote, before it shuts itself in.
"""

from __future__ import annotations

import ctypes
import importlib
import os

LINKING = ("_bz2", "_lzma", "_sqlite3", "_ssl", "_crypt", "_curses", "_curses_panel", "readline", "_dbm", "_gdbm")
_MOST = 1 << 15  # bytes of names: a pipe holds them


def needed(library: str) -> list[str]:
    """The places; ``library``: the folder that is there anyway.

    A process of its own finds them: what was imported here would be in the memory of every child.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, "\0".join([*_loaded_by(LINKING), *_zones()]).encode()[:_MOST])
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as names:
        found = names.read().decode().split("\0")
    os.waitpid(pid, 0)
    return [place for place in found if os.path.exists(place) and not place.startswith(f"{library}/")]


def _loaded_by(modules: tuple[str, ...]) -> list[str]:
    """The shared objects that come with these modules."""
    before = _loaded()
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # not built into this Python, or without its library on this host
    return [name for name in _loaded() if name not in before and os.path.isabs(name)]


def _loaded() -> list[str]:
    """The path of every shared object in this process, as the loader found it and will look for it again."""

    class Found(ctypes.Structure):  # the beginning of struct dl_phdr_info
        _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]

    names: list[str] = []

    def visit(found: ctypes._Pointer[Found], size: int, data: int | None) -> int:
        names.append(os.fsdecode(found.contents.name or b""))
        return 0

    visitor = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Found), ctypes.c_size_t, ctypes.c_void_p)
    ctypes.CDLL(None).dl_iterate_phdr(visitor(visit), None)
    return names


def _zones() -> tuple[str, ...]:
    """Where this Python looks for them."""
    return tuple(importlib.import_module("zoneinfo").TZPATH)
