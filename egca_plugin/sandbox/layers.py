"""The kernel's part of the isolation, applied from inside by the zygote and its children.

What a child inherits costs it nothing, so all that can be set once is set in the zygote; only the session, the CPU
limit and the system call filter (which forbids the fork that the zygote needs) are left to the child.

Each function returns the layers that this host does not offer, with the reason. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Mapping
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2

_libc = ctypes.CDLL(None, use_errno=True)
_prctl = _libc.prctl
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _check(_prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, None, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def enter_namespaces(wanted: bool) -> dict[str, str]:
    return {}


def shut_in(settings: Mapping[str, Any]) -> dict[str, str]:
    """Limits and privileges that every child inherits."""
    limit = _address_space() + (settings["memory_mb"] << 20)
    for kind, value in (
        (resource.RLIMIT_AS, limit),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
    _check(_prctl(_PR_SET_NO_NEW_PRIVS, 1, None, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")
    return {}


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Seal:
    """What each child puts on itself, prepared beforehand."""

    def __init__(self, bpf: bytes, cpu_s: int) -> None:
        self._cpu = (cpu_s, cpu_s + 1)
        self._bpf = ctypes.create_string_buffer(bpf, len(bpf))
        self._program = _Program(len(bpf) // 8, ctypes.addressof(self._bpf))
        self._address = ctypes.addressof(self._program)

    def apply(self) -> None:
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_CPU, self._cpu)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        if self._program.length:
            _check(_prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, self._address, 0, 0), "prctl(PR_SET_SECCOMP)")
