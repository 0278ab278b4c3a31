"""The trusted side's hold on one zygote's control socket, and on the child that runs in the zygote.

Kept to what a process that judges needs: every module that is imported here is paid for by each of its forks.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import signal
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic  # bound here, since tests patch the module
from typing import Protocol

from egca_plugin.errors import SandboxError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import pace
from egca_plugin.types import CallStatus

ANSWER_S = 5.0
MAX_FRAME = 3 * wire.MAX_BYTES
OUT_OF_TIME = "out of time"  # by the clock on this side, whatever the child did meanwhile
MAX_RECEIVED = 64 << 20  # bytes from one child
_count = struct.Struct("<I")
_status = struct.Struct("<iq?")
_order = struct.Struct("<cII?")
_SYNC = b"S"


class ZygoteLost(SandboxError):
    """The zygote, or a child of it, was ended by something other than the program: run again on a new one."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a child will answer no more. ``exit_code``: its exit status, where it ended by itself and not by a signal."""

    status: CallStatus
    message: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to be; the zeros stand for the zygote's own settings.

    ``memory_mb`` of address space on top of the zygote's, ``cpu_ms`` of its own CPU time, and whether it may start
    threads, of which it then has a handful.
    """

    memory_mb: int = 0
    cpu_ms: int = 0
    threads: bool = False


PLAIN = Order()


def deadline_of(cpu_s: float) -> float:
    """The deadline for an answer that takes up to ``cpu_s`` of CPU time, on a host that gives it a whole CPU.

    It ends those that wait for something: one that computes, on a busier host, goes on behind it, up to its limit of
    CPU time (:mod:`.pace`).
    """
    return monotonic() + 1.0 + cpu_s


class Output(Protocol):
    """Whoever reads what a child writes to its descriptor 1, while it runs; see :mod:`.scripts`."""

    fd: int
    flooded: bool  # more came than anyone wants to read

    def take(self) -> bool:
        """Read what is there. False once there is nothing more to wait for."""


@dataclass(frozen=True, slots=True)
class Loan:
    """What another process must know of a zygote to use its control socket, which is passed beside this."""

    pid: int
    cpu_s: int
    owes_status: bool


class Control:
    """One zygote's control socket, which one process at a time may use. The zygote runs one child at a time."""

    def __init__(self, sock: socket.socket, loan: Loan) -> None:
        self._socket = sock
        self._socket.settimeout(ANSWER_S)
        self.pid, self.cpu_s, self.owes_status = loan.pid, loan.cpu_s, loan.owes_status
        self._spent_s = 0.0
        self._child: Child | None = None
        self.children_cpu_s = 0.0  # of those whose end is known

    def run(self, order: Order = PLAIN, descriptors: Sequence[int] = (), output: Output | None = None) -> Child:
        """Fork a child; the one before ends. Raises ZygoteLost.

        ``descriptors`` become its descriptors 0 and 1; ``output`` reads from the other end of the latter.
        """
        if self._child is not None:
            self._child.close()
        self._settle()
        ours, theirs = socket.socketpair()
        with theirs:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno(), *descriptors]))
            try:
                self._socket.sendmsg([_order.pack(b"R", order.memory_mb, order.cpu_ms, order.threads)], [rights])
            except OSError as err:
                ours.close()
                raise self._gone() from err
        self._child = Child(self, ours, order.cpu_ms / 1e3 or self.cpu_s, output)
        return self._child

    def stop(self, *, gently: bool = False) -> None:
        """Kill the child (``gently``: unless it ends by itself within a moment).

        Its status is waited for only when it is asked for, or before the next child.
        """
        try:
            self._socket.send(b"W" if gently else b"K")
        except OSError as err:
            raise self._gone() from err
        self.owes_status = True

    def status(self) -> tuple[int, float, bool]:
        """How the child ended: its wait status, CPU seconds, whether it ended by itself. Raises ZygoteLost."""
        answer = self._receive()
        if len(answer) != _status.size:
            raise self._gone()
        self.owes_status = False
        status, micros, by_itself = _status.unpack(answer)
        self._spent_s = micros / 1e6
        self.children_cpu_s += self._spent_s
        return status, self._spent_s, by_itself

    def spent(self) -> float:
        """CPU seconds of the child that has ended last. Raises ZygoteLost."""
        self._settle()
        return self._spent_s

    def _settle(self) -> None:
        if self.owes_status:
            self.status()

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(64)
        except OSError as err:
            raise ZygoteLost(f"the zygote {self.pid} did not answer within {ANSWER_S} s") from err

    def _gone(self) -> ZygoteLost:
        return ZygoteLost(f"the zygote {self.pid} is gone")

    def disown(self) -> None:
        """Close this process's copy of the socket, and say nothing to the zygote."""
        self._socket.close()

    # --- lending the socket to another process ---

    def lend(self) -> tuple[int, Loan]:
        """The socket's descriptor and what goes with it; no child of this side is left."""
        if self._child is not None:
            self._child.close()
        return self._socket.fileno(), Loan(self.pid, self.cpu_s, self.owes_status)

    def take_back(self, owes_status: bool | None) -> None:
        """After the other process is done: what it left, None if it died without a word. Raises ZygoteLost."""
        if owes_status is not None:
            self.owes_status = owes_status
            return
        try:
            self._socket.send(_SYNC)
        except OSError as err:
            raise self._gone() from err
        while (answer := self._receive()) != _SYNC:
            if not answer:
                raise self._gone()
        self.owes_status = False


class Child:
    """One candidate's process: frames out, frames in, and a deadline that is enforced from here."""

    def __init__(self, control: Control, sock: socket.socket, cpu_s: float, output: Output | None) -> None:
        self._control = control
        self._socket = sock
        self._cpu_s, self._output = cpu_s, output
        sock.setblocking(False)
        self._poll = select.poll()
        if output is not None:
            self._poll.register(output.fd, select.POLLIN)
        self._watching: bool | None = None  # whether for writing too
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._received = 0
        self._late: pace.Look | None = None  # how it was when it was last seen to be late, since it was asked
        self.ending: Ending | None = None

    def send(self, *bodies: bytes) -> None:
        """Queue frames, and write what fits without waiting."""
        self._late = None
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
            if not self._poll.poll(max(0.0, deadline - monotonic()) * 1000):
                now = pace.look(self._control.pid)
                if self._late is None or now.at - self._late.at >= pace.AGAIN_S:
                    if self._late is not None and not now.computed_since(self._late):
                        return self._end(CallStatus.TIMEOUT, OUT_OF_TIME)
                    self._late = now
                deadline = self._late.at + pace.AGAIN_S
                continue
            if self._output is not None and not self._output.take():
                if self._output.flooded:
                    return self._end(CallStatus.DIED, "wrote too much")
                self._poll.unregister(self._output.fd)
                self._output = None
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

    def disown(self) -> None:
        """Close this process's copy of the socket, and say nothing to the zygote."""
        self.ending = Ending(CallStatus.DIED, "left to another process")
        self._socket.close()

    def _end(self, status: CallStatus, message: str, *, gently: bool = False) -> Ending:
        self.ending = Ending(status, message)
        self._socket.close()
        self._control.stop(gently=gently)
        return self.ending

    def _obituary(self) -> Ending:
        """The child closed its end by itself: ask how it died.

        Raises ZygoteLost if it was killed from outside. It cannot kill itself, and one that only closed its connection
        did not end by itself, so no program can pass off its failure as the sandbox's.
        """
        self._end(CallStatus.DIED, "closed its connection", gently=True)
        status, cpu_s, by_itself = self._control.status()
        if not by_itself:
            message = "closed its connection"
        elif os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            self.ending = Ending(CallStatus.DIED, f"the process exited with status {code}", code)
            return self.ending
        else:
            number = os.WTERMSIG(status)
            out_of_time = number == signal.SIGKILL and cpu_s >= self._cpu_s
            # What the kernel counts towards a limit, in ticks, is not quite what it says the process took in the end.
            if out_of_time or number in (signal.SIGXCPU, signal.SIGVTALRM, signal.SIGPROF):
                self.ending = Ending(CallStatus.TIMEOUT, f"out of CPU time after {cpu_s:.1f} s")
                return self.ending
            if number == signal.SIGKILL:
                raise ZygoteLost("the program's process was killed from outside (by the kernel, out of memory?)")
            message = f"the process died by {signal.Signals(number).name}"
        self.ending = Ending(CallStatus.DIED, message)
        return self.ending
