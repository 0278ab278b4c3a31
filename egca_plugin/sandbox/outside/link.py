"""The trusted side's hold on one zygote and on the child that runs in it."""

from __future__ import annotations

import array
import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import egca_plugin
from egca_plugin.errors import SandboxError, WireError
from egca_plugin.sandbox import wire
from egca_plugin.types import CallStatus

START_S = 30.0
ANSWER_S = 5.0
MAX_FRAME = 3 * wire.MAX_BYTES
MAX_RECEIVED = 64 << 20  # bytes from one child
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); sys.path.remove(''); "
    "from egca_plugin.sandbox.zygote import main; main(int(sys.argv[2]))"
)
_count = struct.Struct("<I")
_status = struct.Struct("<iq?")


class ZygoteLost(SandboxError):
    """The zygote, or a child of it, was ended by something other than the program: run again on a new one."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a child will answer no more."""

    status: CallStatus
    message: str


class Zygote:
    """One zygote process. It runs one child at a time; :meth:`run` replaces the child before."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-B", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                # Symbols are bound at once, not by each child anew at its first use of them.
                env={"PYTHONHASHSEED": "0", "TZ": "UTC", "LD_BIND_NOW": "1"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._control = ours
        self._control.settimeout(START_S)
        self._owes_status = False
        self._child: Child | None = None
        self.cpu_s: int = settings["cpu_s"]
        # PR_SET_PDEATHSIG follows the *thread* that started a process, so it is safe from the main thread only; from
        # another, the zygote still sees its control socket close.
        mortal = threading.current_thread() is threading.main_thread()
        try:
            self._control.send(wire.encode({**settings, "die_with_parent": mortal}))
            self.hello = self._read_hello()
        except BaseException:  # an interrupt too leaves no zygote behind; raised again
            self.close()
            raise

    def _read_hello(self) -> Mapping[str, Any]:
        try:
            hello = wire.decode(self._control.recv(1 << 16))
        except (OSError, WireError) as err:
            self._process.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()[-500:]
            raise SandboxError(f"the zygote did not start: {said or err}") from err
        if "error" in hello:
            raise SandboxError(f"the zygote could not shut itself in: {hello['error']}")
        self._control.settimeout(ANSWER_S)
        return dict(hello)

    @property
    def pid(self) -> int:
        return self._process.pid

    def run(self) -> Child:
        """Fork a child; the one before ends. Raises ZygoteLost."""
        if self._child is not None:
            self._child.close()
        self._settle()
        ours, theirs = socket.socketpair()
        with theirs:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))
            try:
                self._control.sendmsg([b"R"], [rights])
            except OSError as err:
                ours.close()
                raise ZygoteLost(f"the zygote {self.pid} is gone: {err}") from err
        self._child = Child(self, ours)
        return self._child

    def stop(self, *, gently: bool = False) -> None:
        """Kill the child (``gently``: unless it ends by itself within a moment).

        Its status is waited for only when it is asked for, or before the next child.
        """
        try:
            self._control.send(b"W" if gently else b"K")
        except OSError as err:
            raise ZygoteLost(f"the zygote {self.pid} is gone: {err}") from err
        self._owes_status = True

    def status(self) -> tuple[int, float, bool]:
        """How the child ended: its wait status, CPU seconds, whether it ended by itself. Raises ZygoteLost."""
        try:
            answer = self._control.recv(64)
        except OSError as err:
            raise ZygoteLost(f"the zygote {self.pid} did not answer within {ANSWER_S} s") from err
        if len(answer) != _status.size:
            raise ZygoteLost(f"the zygote {self.pid} is gone")
        self._owes_status = False
        status, micros, by_itself = _status.unpack(answer)
        return status, micros / 1e6, by_itself

    def _settle(self) -> None:
        if self._owes_status:
            self.status()

    def close(self) -> None:
        """End the zygote and with it any child. Safe to call twice."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


class Child:
    """One candidate's process: frames out, frames in, and a deadline that is enforced from here."""

    def __init__(self, zygote: Zygote, sock: socket.socket) -> None:
        self._zygote = zygote
        self._socket = sock
        sock.setblocking(False)
        self._poll = select.poll()
        self._watching: bool | None = None  # whether for writing too
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._received = 0
        self.ending: Ending | None = None

    def send(self, *bodies: bytes) -> None:
        """Queue frames, and write what fits without waiting."""
        for body in bodies:
            self._outgoing += _count.pack(len(body)) + body
        self._flush()

    def _flush(self) -> None:
        while self._outgoing and self.ending is None:
            try:
                sent = self._socket.send(self._outgoing)
            except BlockingIOError:
                return
            except OSError:  # it died: what it still said is read first
                self._outgoing.clear()
                return
            del self._outgoing[:sent]

    def receive(self, deadline: float) -> bytes | Ending:
        """The next frame, or why there is none; ``deadline`` in :func:`time.monotonic` seconds. Raises ZygoteLost."""
        incoming = self._incoming
        while self.ending is None:
            if len(incoming) >= 4:
                size = _count.unpack_from(incoming)[0]
                if size > MAX_FRAME:
                    return self._end(CallStatus.DIED, f"announced a record of {size:,} bytes")
                if len(incoming) >= 4 + size:
                    frame = bytes(incoming[4 : 4 + size])
                    del incoming[: 4 + size]
                    return frame
            self._watch(bool(self._outgoing))
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                return self._end(CallStatus.TIMEOUT, "out of time")
            self._flush()
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                continue
            except ConnectionError:
                data = b""
            if not data:
                return self._obituary()
            incoming += data
            self._received += len(data)
            if self._received > MAX_RECEIVED:
                return self._end(CallStatus.DIED, f"sent more than {MAX_RECEIVED:,} bytes")
        return self.ending

    def _watch(self, outgoing: bool) -> None:
        if outgoing != self._watching:
            self._poll.register(self._socket, select.POLLIN | (select.POLLOUT if outgoing else 0))
            self._watching = outgoing

    def close(self) -> None:
        """Kill whatever runs; a zygote that is gone is found out by the next run."""
        if self.ending is None:
            with contextlib.suppress(ZygoteLost):
                self._end(CallStatus.DIED, "closed")

    def _end(self, status: CallStatus, message: str, *, gently: bool = False) -> Ending:
        self.ending = Ending(status, message)
        self._socket.close()
        self._zygote.stop(gently=gently)
        return self.ending

    def _obituary(self) -> Ending:
        """The child closed its end by itself: ask how it died.

        Raises ZygoteLost if it was killed from outside. It cannot kill itself, and one that only closed its connection
        did not end by itself, so no program can pass off its failure as the sandbox's.
        """
        self._end(CallStatus.DIED, "closed its connection", gently=True)
        status, cpu_s, by_itself = self._zygote.status()
        if not by_itself:
            message = "closed its connection"
        elif os.WIFEXITED(status):
            message = f"the process exited with status {os.WEXITSTATUS(status)}"
        else:
            number = os.WTERMSIG(status)
            if number in (signal.SIGXCPU, signal.SIGKILL) and cpu_s >= self._zygote.cpu_s:
                self.ending = Ending(CallStatus.TIMEOUT, f"out of CPU time after {cpu_s:.1f} s")
                return self.ending
            if number == signal.SIGKILL:
                raise ZygoteLost("the program's process was killed from outside (by the kernel, out of memory?)")
            message = f"the process died by {signal.Signals(number).name}"
        self.ending = Ending(CallStatus.DIED, message)
        return self.ending
