"""The untrusted side's server: a small warm interpreter that forks one child for each candidate.

Started by :mod:`egca_plugin.sandbox.link` with an empty environment, it holds no secret: it never sees a test, an
expected value or a reference. It shuts itself in (namespaces, landlock, privileges, limits), says hello with what it
could and could not apply, and then obeys three messages on its control socket:

    b"R" + a socket     fork a child that serves the socket
    b"K"                kill the child and its group, reap it, answer STATUS
    b"W"                the same, but give it a moment to end by itself, so that the status tells why it did
    end of file         kill the child and exit

The dead child stays a zombie until ``K``, so its process id cannot come to mean another process.
Standard library only.
"""

from __future__ import annotations

import array
import gc
import importlib
import marshal
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from egca_plugin.sandbox import child, clock, layers, namespaces, wire

STATUS = struct.Struct("<iq?")  # wait status, CPU time in microseconds, whether it ended by itself
GRACE_MS = 200
HIDDEN = ("site-packages", "dist-packages", "test")  # within the standard library's folder, and not of it

# Imported before the first fork, so that the programs which use them, most, pay nothing; put back between the programs
# of one child. More would cost every fork its pages.
WATCHED = (
    "math", "cmath", "random", "re", "sys", "os", "time", "string", "copy", "operator", "functools", "itertools",
    "collections", "heapq", "bisect", "typing",
)  # fmt: skip
# Needs a C library from outside the standard library's folder, which no child could load later; base64, secrets, uuid
# and zlib need that library too.
LINKED = ("binascii",)
# The rest of what programs use, for hosts where no file can be opened later.
EXTRA = (
    "abc", "array", "ast", "calendar", "collections.abc", "contextlib", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "hashlib", "html", "inspect", "io", "json", "keyword", "numbers", "queue", "secrets", "statistics",
    "struct", "textwrap", "types", "unicodedata", "uuid", "warnings",
)  # fmt: skip
_WARM_UP = """
import math
from typing import List
class A:
    def __init__(self, x): self.x = x
def f(xs: List[int], n=1):
    "doc"
    try:
        return sorted({i: str(i) for i in xs if i % 2 == 0 or math.sqrt(i) > n}.items()), f"{n:.2f}", [*xs][::-1]
    except (ValueError, KeyError) as e:
        raise e
"""
_WARM_RUNS = 40  # until the interpreter has specialised what every child runs; what it then still writes is few pages


def main(control_fd: int) -> None:
    """Never returns. ``control_fd`` is one end of a SEQPACKET socket pair."""
    control = socket.socket(fileno=control_fd)
    try:
        settings = wire.decode(control.recv(1 << 16))
        if settings["die_with_parent"]:
            layers.die_with_parent()
        missing = dict(settings["refused"]) or namespaces.enter()
        closed = "mount" in missing and layers.landlock_version() < 1
        ticks, modules = _preload(closed)
        serve = _warm(ticks, modules)
        missing |= _shut_in(settings["memory_mb"] << 20, missing)
        if settings["die_with_parent"] or not missing.get("pid"):
            layers.die_with_parent()  # again: changing the user id clears it
        bpf = settings["filter_without_files" if {"landlock", "mount"} <= missing.keys() else "filter"]
        seal = layers.Seal(bpf, settings["cpu_s"])
        missing |= seal.rehearse()
    except Exception as err:  # noqa: BLE001 - the process boundary: the other side turns it into a SandboxError
        control.send(wire.encode({"error": f"{type(err).__name__}: {err}"}))
        os._exit(1)
    control.send(wire.encode({"missing": missing, "uid": os.getuid()}))
    os.dup2(1, 2)  # to nowhere: a pipe that nobody reads would fill, and then stall whoever prints a warning
    _forget()
    _serve(control, serve, seal)


def _preload(closed: bool) -> tuple[clock.Clock, dict[str, dict[str, Any]]]:
    sys.modules["_hashlib"] = None  # type: ignore[assignment]  # OpenSSL: 5 MB, and hashlib has its own of everything
    for name in (*WATCHED, *LINKED, *(EXTRA if closed else ())):
        importlib.import_module(name)
    ticks = clock.install()
    return ticks, child.watch([sys.modules[name] for name in WATCHED])


def _warm(ticks: clock.Clock, modules: Mapping[str, Mapping[str, Any]]) -> Any:
    """Run a program and a call in pipes to itself, so that no child pays for a first time."""
    bodies = [marshal.dumps(("load", _WARM_UP, None, 0))]
    bodies.append(marshal.dumps(("call", "f", wire.encode((([1, 2, 3],), {})))))
    for _ in range(_WARM_RUNS):
        ours, theirs = socket.socketpair()
        ours.sendall(b"".join(len(body).to_bytes(4, "little") + body for body in bodies))
        ours.shutdown(socket.SHUT_WR)
        child.serve(theirs.fileno(), ticks, modules)
        ours.close()
        theirs.close()
    sys.modules.pop(child.MODULE, None)
    clock.reseed(ticks, 0)
    return lambda fd: child.serve(fd, ticks, modules)


def _shut_in(memory_bytes: int, missing: Mapping[str, str]) -> dict[str, str]:
    """The layers that every child inherits; returns what is missing of them."""
    library = os.path.dirname(os.path.realpath(os.__file__))
    sys.path = [library, f"{library}/lib-dynload"]
    hidden = [name for name in HIDDEN if os.path.isdir(f"{library}/{name}")]
    readable = {library: False, **{f"{library}/{name}": True for name in os.listdir(library) if name not in hidden}}
    memory_bytes += layers.address_space()
    refused = {} if "mount" in missing else namespaces.new_root(library, hidden)
    refused |= layers.drop_privileges(library)
    refused |= layers.landlock(readable)
    layers.limit(memory_bytes)
    return refused


def _forget() -> None:
    """Leave no door to our own modules, and nothing for the children's collector or allocator to put in order."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("egca_plugin", "__main__")]:
        del sys.modules[name]
    sys.modules["__main__"] = ModuleType("__main__")
    sys.argv = [""]
    os.environ.clear()
    gc.collect()
    layers.tidy_heap()
    gc.freeze()


def _serve(control: socket.socket, serve: Any, seal: layers.Seal) -> None:
    pid = 0
    ancillary = socket.CMSG_SPACE(4)
    while True:
        message, attached, _, _ = control.recvmsg(1, ancillary)
        if pid:
            by_itself = message == b"W" and _ended(pid)
            usage = STATUS.pack(*_kill(pid), by_itself)
            pid = 0
        if message == b"R":
            fd = array.array("i", attached[0][2])[0]
            pid = os.fork()
            if pid == 0:
                control.close()
                _run_child(fd, serve, seal)
            os.close(fd)
        elif message in (b"K", b"W"):
            control.send(usage)
        else:
            os._exit(0)


def _ended(pid: int) -> bool:
    """Whether the process ends within the grace, without reaping it."""
    pidfd = os.pidfd_open(pid)
    try:
        watch = select.poll()
        watch.register(pidfd, select.POLLIN)
        return bool(watch.poll(GRACE_MS))
    finally:
        os.close(pidfd)


def _kill(pid: int) -> tuple[int, int]:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it has not become a group leader yet, or is a zombie already
    _, status, usage = os.wait4(pid, 0)
    return status, int((usage.ru_utime + usage.ru_stime) * 1e6)


def _run_child(fd: int, serve: Any, seal: layers.Seal) -> None:
    try:
        seal.apply()
        serve(fd)
    finally:
        os._exit(0)
