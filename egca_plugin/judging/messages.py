"""Python values between a trusted process and the process that judges for it: length, pickle, descriptors beside."""

from __future__ import annotations

import array
import copyreg
import pickle
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from egca_plugin.judging.checks import Checks
from egca_plugin.sandbox.outside.link import Loan
from egca_plugin.types import Call, CallResult, SourceError, TestedCall, Verdict

if TYPE_CHECKING:
    from egca_plugin.config import SandboxConfig

_size = struct.Struct("<I")
_MAX_DESCRIPTORS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One program to be judged. ``checks``: None for those of the job before.

    ``timeout_s``: CPU time of the program with all its calls; ``memory_mb``: its address space, 0 for the settings';
    ``patience_s``: CPU time of the tests' own work;
    ``wall_s``: when the judge is taken to hang; ``vacuous``: tests that assert nothing may pass. ``loan``: the zygote
    whose control socket comes beside the job; None where the server of ``config`` runs the programs.
    """

    source: str
    seed: int
    timeout_s: float
    memory_mb: int
    patience_s: float
    wall_s: float
    vacuous: bool
    config: SandboxConfig | None = None
    loan: Loan | None = None
    checks: Checks | None = None


class Said(str, Enum):
    """What an answer means."""

    VERDICT = "verdict"
    BAD_TASK = "bad_task"  # the tests cannot be run: the task's fault
    LOST = "lost"  # the sandbox failed
    SPENT = "spent"  # the judge was out of CPU time, memory or patience: what the program answered is to blame
    LEFT = "left"  # the tests ended the judge's process themselves
    DIED = "died"  # it was killed, nobody knows by whom


@dataclass(frozen=True, slots=True)
class Answer:
    """``owes_status``: what the zygote's control socket is owed, None where nobody can say. ``last``: the server has
    grown, and wants to be replaced."""

    said: Said
    verdict: Verdict | None = None
    reason: str = ""
    owes_status: bool | None = None
    last: bool = False


def _by_fields(kind: type[Any]) -> None:
    """Have pickle take it apart by its fields, and not by the state of a dataclass, which takes ten times as long."""
    get = attrgetter(*(one.name for one in fields(kind)))
    copyreg.pickle(kind, lambda value: (kind, get(value)))


for _kind in (Answer, Call, CallResult, Job, Loan, SourceError, TestedCall, Verdict):
    _by_fields(_kind)


def with_checks(job: Job, checks: Checks | None) -> Job:
    return replace(job, checks=checks)


def with_status(answer: Answer, owes_status: bool) -> Answer:
    return replace(answer, owes_status=owes_status)


def as_last(answer: Answer) -> Answer:
    return replace(answer, last=True)


def send(sock: socket.socket, value: Any, descriptors: Sequence[int] = ()) -> None:
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    data = memoryview(_size.pack(len(body)) + body)
    if descriptors:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        data = data[sock.sendmsg([data], [rights]) :]
    sock.sendall(data)


def receive(sock: socket.socket) -> tuple[Any, list[int]]:
    """The next value, and the descriptors that came with it. Raises EOFError where the other side is gone."""
    head, ancillary, _, _ = sock.recvmsg(_size.size, socket.CMSG_SPACE(_MAX_DESCRIPTORS * array.array("i").itemsize))
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    while 0 < len(head) < _size.size:
        head += _some(sock, _size.size - len(head))
    if not head:
        raise EOFError
    body = bytearray()
    (size,) = _size.unpack(head)
    while len(body) < size:
        body += _some(sock, min(size - len(body), 1 << 20))
    return pickle.loads(body), list(descriptors)  # noqa: S301 - both sides are ours, and run nothing hostile


def _some(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size)
    if not data:
        raise EOFError
    return data
