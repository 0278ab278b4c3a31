"""The untrusted side's server: a small warm interpreter that forks one child for each candidate.

Started by :mod:`egca_plugin.sandbox.outside.launch` with an empty environment, it holds no secret: it never sees a
test, an expected value or a reference. It shuts itself in (namespaces, landlock, privileges, limits), says hello with
what it could and could not apply, and then obeys four messages on its control socket:

    ORDER + a socket    fork a child that serves the socket, with the limits of the order; two further descriptors
                        become its 0 and 1
    b"K"                kill the child and its group, reap it, answer STATUS
    b"W"                the same, but give it a moment to end by itself, so that the status tells why it did
    b"S"                kill the child, and answer b"S": what was owed before is forgotten
    end of file         kill the child and exit

The dead child stays a zombie until ``K``, so its process id cannot come to mean another process.
Standard library only.
"""

from __future__ import annotations

import array
import builtins
import ctypes
import gc
import importlib
import marshal
import os
import select
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from select import POLLIN, poll  # before the clock takes their place in the module
from types import ModuleType
from typing import Any

from egca_plugin.sandbox import hostfiles, layers, namespaces, wire
from egca_plugin.sandbox.inside import child, clock, limits, script, threads

ORDER = struct.Struct("<cII?")  # "R", memory in MB, CPU time in ms (0: those of the settings), whether it has threads
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
# With packages: what their parts link, so that parts can be loaded later; and parts that nearly every program uses.
LIBRARIES = ("libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1")
PARTS = {"numpy": ("numpy.linalg", "numpy.random", "numpy.fft", "numpy.polynomial")}
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
_WARM_SCRIPT = """
import sys
print(sum(map(int, sys.stdin.readline().split())), *sys.stdin.read().splitlines())
if __name__ == "__main__":
    sys.exit(0)
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
        packages = settings["packages"]
        ticks, modules = _preload(closed, packages)
        serve = _warm(ticks, modules)
        base = layers.address_space()
        missing |= _shut_in(missing, packages)
        if settings["die_with_parent"] or not missing.get("pid"):
            layers.die_with_parent()  # again: changing the user id clears it
        bpf = settings["filter_without_files" if {"landlock", "mount"} <= missing.keys() else "filter"]
        seal = layers.Seal(bpf, base + (settings["memory_mb"] << 20), settings["cpu_s"])
        missing |= seal.rehearse()
        nursery = _Nursery(serve, seal, settings["memory_mb"], "threads" not in missing)
    except Exception as err:  # noqa: BLE001 - the process boundary: the other side turns it into a SandboxError
        control.send(wire.encode({"error": f"{type(err).__name__}: {err}"}))
        os._exit(1)
    control.send(wire.encode({"missing": missing, "uid": os.getuid()}))
    os.dup2(1, 2)  # to nowhere: a pipe that nobody reads would fill, and then stall whoever prints a warning
    _forget()
    _serve(control, nursery)


def _preload(closed: bool, packages: Mapping[str, list[str]]) -> tuple[clock.Clock, dict[str, dict[str, Any]]]:
    sys.modules["_hashlib"] = None  # type: ignore[assignment]  # OpenSSL: 5 MB, and hashlib has its own of everything
    for name in (*WATCHED, *LINKED, *(EXTRA if closed else ())):
        importlib.import_module(name)
    vars(builtins).update(exit=script.leave, quit=script.leave)  # from the module ``site``, which is not loaded
    ticks = clock.install()
    limits.install()
    _settle_event_loops()
    if packages["names"]:
        _preload_packages(packages)
    return ticks, child.watch([sys.modules[name] for name in WATCHED])


def _settle_event_loops() -> None:
    """They wait by ``select`` as the clock has it, which is allowed; ``epoll`` is not."""
    vars(selectors)["DefaultSelector"] = selectors.SelectSelector
    vars(selectors)["SelectSelector"]._select = staticmethod(select.select)


def _preload_packages(packages: Mapping[str, list[str]]) -> None:
    """With all that they link, which lies outside of their folders."""
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            pass  # then no package here needs it
    sys.path += packages["folders"]
    for name in packages["names"]:
        for module in (name, *PARTS.get(name, ())):
            try:
                importlib.import_module(module)
            except Exception as err:  # the boundary to a package, whose import may raise anything
                raise ImportError(f"egca.sandbox.packages: {name} cannot be imported here: {err}") from err


def _warm(ticks: clock.Clock, modules: Mapping[str, Mapping[str, Any]]) -> Any:
    """Run a program, a call and a script in pipes to itself, so that no child pays for a first time."""
    bodies = [marshal.dumps(("load", _WARM_UP, None, 0))]
    arguments = wire.encode((([1, 2, 3],), {}))
    bodies += [marshal.dumps(("call", "f", arguments, take)) for take in (None, wire.LIVE)]
    bodies.append(marshal.dumps(("script", _WARM_SCRIPT, None, 0)))
    for _ in range(_WARM_RUNS):
        ours, theirs = socket.socketpair()
        ours.sendall(b"".join(len(body).to_bytes(4, "little") + body for body in bodies))
        ours.shutdown(socket.SHUT_WR)
        child.serve(theirs.fileno(), ticks, modules)
        ours.close()
        theirs.close()
    sys.modules.pop(child.MODULE, None)
    sys.modules["__main__"] = ModuleType("__main__")
    clock.reseed(ticks, 0)
    return lambda fd: child.serve(fd, ticks, modules)


def _shut_in(missing: Mapping[str, str], packages: Mapping[str, list[str]]) -> dict[str, str]:
    """The layers that every child inherits; returns what is missing of them."""
    library = os.path.dirname(os.path.realpath(os.__file__))
    sys.path = [library, f"{library}/lib-dynload", *packages["folders"]]
    sys.path_importer_cache.clear()  # of folders that are not what they were
    places = [*packages["places"], *hostfiles.needed(library)]
    hidden = [name for name in HIDDEN if os.path.isdir(f"{library}/{name}")]
    shown = [f"{library}/{name}" for name in os.listdir(library) if name not in hidden]
    readable = {library: False, **{path: True for path in shown if os.path.exists(path)}}  # not a link to nowhere
    readable |= {**dict.fromkeys(packages["folders"], False), **dict.fromkeys(places, True)}
    refused = {} if "mount" in missing else namespaces.new_root(library, hidden, places)
    refused |= layers.drop_privileges([library, *packages["folders"]])
    refused |= layers.landlock(readable)
    layers.limit()
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


def _serve(control: socket.socket, nursery: _Nursery) -> None:
    pid = 0
    ancillary = socket.CMSG_SPACE(3 * 4)
    while True:
        message, attached, _, _ = control.recvmsg(ORDER.size, ancillary)
        if pid:
            by_itself = message == b"W" and _ended(pid)
            usage = STATUS.pack(*_kill(pid), by_itself)
            pid = 0
        if message[:1] == b"R":
            descriptors = array.array("i", attached[0][2])
            pid = os.fork()
            if pid == 0:
                control.close()
                nursery.run(message, *descriptors)
            for fd in descriptors:
                os.close(fd)
        elif message in (b"K", b"W"):
            control.send(usage)
        elif message == b"S":
            control.send(message)
        else:
            os._exit(0)


def _ended(pid: int) -> bool:
    """Whether the process ends within the grace, without reaping it."""
    pidfd = os.pidfd_open(pid)
    try:
        watch = poll()
        watch.register(pidfd, POLLIN)
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


class _Nursery:
    """What every child needs, and the first that it does."""

    def __init__(self, serve: Any, seal: layers.Seal, memory_mb: int, threads: bool) -> None:
        self._serve, self._seal, self._memory_mb, self._threads = serve, seal, memory_mb, threads

    def run(self, order: bytes, fd: int, *streams: int) -> None:
        """Never returns."""
        try:
            for target, stream in enumerate(streams):
                os.dup2(stream, target)
                os.close(stream)
            _, memory_mb, cpu_ms, with_threads = ORDER.unpack(order)
            further = memory_mb - self._memory_mb << 20 if memory_mb else 0
            with_threads = with_threads and self._threads
            if with_threads:
                further += threads.lend()
            self._seal.apply(further_bytes=further, cpu_ms=cpu_ms, threads=with_threads)
            self._serve(fd)
        finally:
            os._exit(0)
