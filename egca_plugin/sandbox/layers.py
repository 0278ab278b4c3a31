"""The kernel's part of the isolation, applied from inside by the zygote and its children.

What a child inherits costs it nothing, so all that can be set once is set in the zygote; only the session, the CPU
limit and the system call filter (which forbids the fork that the zygote needs) are left to the child.

Standard library only. Functions that return a dict name the layers that this host does not offer, with the reason.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import struct
from collections.abc import Callable, Mapping, Sequence
from resource import setrlimit  # before a program's own takes its place in the module
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
# Numbers of system calls for which the C library has no function, or only newer ones.
_SECCOMP = {"x86_64": 317, "aarch64": 277, "riscv64": 277}
_TIMER_CREATE = {"x86_64": 222, "aarch64": 107, "riscv64": 107}
_TIMER_SETTIME = {"x86_64": 223, "aarch64": 110, "riscv64": 110}
_CLOCK_PROCESS_CPUTIME_ID = 2
_SET_MODE_FILTER, _TSYNC = 1, 1
NOBODY = 65534
MAX_FILES = 64
MAX_STACK = 120 << 20  # of the main thread: the kernel keeps 128 MB free below it, whatever the limit was at its start

libc = ctypes.CDLL(None, use_errno=True)
_prctl = libc.prctl
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]


def check(result: int, what: str) -> int:
    """``result`` of a C call. Raises OSError where it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    check(_prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, None, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def tidy_heap() -> None:
    """Join the C library's free pieces now: each child would, at its first larger allocation, and copy their pages."""
    try:
        libc.malloc_trim(0)
    except AttributeError:
        pass  # not glibc


def address_space() -> int:
    """Bytes that this process has mapped."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def limit() -> None:
    """Limits that every child inherits."""
    most = resource.getrlimit(resource.RLIMIT_STACK)[1]
    for kind, value in (
        (resource.RLIMIT_STACK, MAX_STACK if most == resource.RLIM_INFINITY else min(most, MAX_STACK)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MAX_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        setrlimit(kind, (value, value))


def drop_privileges(readable: Sequence[str]) -> dict[str, str]:
    """Give up root and every capability, for good. ``readable``: folders that must stay readable."""
    missing = {}
    if os.getuid() == 0:
        try:
            _become_nobody(readable)
        except OSError as err:
            missing["user"] = f"stays user 0, without capabilities: {err}"
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    check(_prctl(_PR_SET_NO_NEW_PRIVS, 1, None, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")
    check(_prctl(_PR_SET_DUMPABLE, 0, None, 0, 0), "prctl(PR_SET_DUMPABLE)")
    return missing


def _become_nobody(readable: Sequence[str]) -> None:
    for folder in readable:
        while folder != "/":
            if not os.stat(folder).st_mode & 0o001:
                raise PermissionError(f"another user could not read the libraries: {folder} is closed to others")
            folder = os.path.dirname(folder)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


_Step = tuple[str, Callable[..., Any], tuple[Any, ...]]


class Seal:
    """What each child puts on itself, prepared beforehand. ``memory_bytes``: of address space, all in all."""

    def __init__(self, bpf: bytes, memory_bytes: int, cpu_s: int) -> None:
        self._bpf = ctypes.create_string_buffer(bpf, len(bpf))
        self._program = _Program(len(bpf) // 8, ctypes.addressof(self._bpf))
        self._memory_bytes, self._cpu_s = memory_bytes, cpu_s
        self._timer = _CpuTimer()
        # A list of calls with all that they take: what Python looks up or makes in a child costs it pages of its own.
        program = ctypes.addressof(self._program)
        self._steps: tuple[_Step, ...] = (
            ("setsid", os.setsid, ()),
            ("prctl(PR_SET_PDEATHSIG)", _prctl, (_PR_SET_PDEATHSIG, int(signal.SIGKILL), None, 0, 0)),
            ("setrlimit", setrlimit, (resource.RLIMIT_NPROC, (0, 0))),
        )
        self._limits = self._limits_of(memory_bytes, cpu_s)
        self._filter: _Step = ("prctl(PR_SET_SECCOMP)", _prctl, (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0))
        number = _SECCOMP.get(os.uname().machine, -1)
        everywhere = (number, _SET_MODE_FILTER, _TSYNC, ctypes.c_void_p(program))
        self._filter_of_all: _Step = ("seccomp(SECCOMP_SET_MODE_FILTER)", libc.syscall, everywhere)

    def _limits_of(self, memory_bytes: int, cpu_s: int) -> tuple[_Step, ...]:
        return (
            ("setrlimit", setrlimit, (resource.RLIMIT_AS, (memory_bytes, memory_bytes))),
            ("setrlimit", setrlimit, (resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))),
        )

    def apply(self, *, further_bytes: int = 0, cpu_ms: int = 0, threads: bool = False) -> None:
        """Raises OSError: then the child must not run anything.

        ``further_bytes`` of address space, positive or negative. ``cpu_ms`` of CPU time, if not those of the zygote.
        ``threads``: the filter also binds the threads that are there already.
        """
        limits = self._limits
        if further_bytes or cpu_ms:
            cpu_s = math.ceil(cpu_ms / 1e3) + 1 if cpu_ms else self._cpu_s
            limits = self._limits_of(self._memory_bytes + further_bytes, cpu_s)
        if cpu_ms:
            self._timer.start(cpu_ms)
        for name, call, arguments in (*self._steps, *limits, self._filter_of_all if threads else self._filter):
            if call(*arguments):  # None from Python's own, 0 from the C library's
                check(-1, name)

    def rehearse(self) -> dict[str, str]:
        """Apply it in a child that runs nothing."""
        number = self._try(threads=False)
        if number:
            return {"seccomp": f"the kernel refuses the filter: {os.strerror(number)}"}
        number = self._try(threads=True)
        return {"threads": f"the kernel cannot filter threads together: {os.strerror(number)}"} if number else {}

    def _try(self, *, threads: bool) -> int:
        """The error's number, 0 for none."""
        pid = os.fork()
        if pid == 0:
            try:
                self.apply(threads=threads)
            except OSError as err:
                os._exit(err.errno or 255)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class _CpuTimer:
    """Ends a process by SIGPROF after so much CPU time, to the millisecond.

    A program that blocks the signal meets the limit in whole seconds instead.
    """

    def __init__(self) -> None:
        machine = os.uname().machine
        self._create, self._settime = _TIMER_CREATE.get(machine, -1), _TIMER_SETTIME.get(machine, -1)
        event = struct.pack("Pii", 0, signal.SIGPROF, 0)  # struct sigevent: value, signal, SIGEV_SIGNAL
        self._event = ctypes.create_string_buffer(event, 64)
        self._id = ctypes.c_int()
        self._times = (ctypes.c_long * 4)()  # struct itimerspec: interval and first, each seconds and nanoseconds

    def start(self, cpu_ms: int) -> None:
        """For the calling process. Raises OSError."""
        clock, timer = _CLOCK_PROCESS_CPUTIME_ID, ctypes.byref(self._id)
        check(libc.syscall(self._create, clock, ctypes.byref(self._event), timer), "timer_create")
        seconds, milliseconds = divmod(cpu_ms, 1000)
        self._times[:] = [0, 100_000_000, seconds, milliseconds * 1_000_000]
        check(libc.syscall(self._settime, self._id, 0, ctypes.byref(self._times), None), "timer_settime")


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _RULE_BENEATH = 444, 445, 446, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many of the access bits a version knows


def landlock_version() -> int:
    """Of the kernel's interface; below 1 where there is none."""
    return int(libc.syscall(_CREATE_RULESET, None, 0, 1))


def landlock(readable: Mapping[str, bool]) -> dict[str, str]:
    """Let this process and its children read ``readable`` (path: whether its files too, or only its listing).

    Newer kernels also refuse TCP, abstract unix sockets and signals to the outside.
    """
    version = landlock_version()
    if version < 1:
        return {"landlock": f"the kernel does not offer it: {os.strerror(ctypes.get_errno())}"}
    rights = (1 << _FILE_RIGHTS_BY_VERSION.get(version, 16)) - 1
    ruleset = _Ruleset(rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    fd = check(libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0), "landlock_create_ruleset")
    try:
        for path, files in readable.items():
            _allow_beneath(fd, path, files)
        check(libc.syscall(_RESTRICT_SELF, fd, 0), "landlock_restrict_self")
    finally:
        os.close(fd)
    return {}


def _allow_beneath(ruleset: int, path: str, files: bool) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = (_READ_FILE if files else 0) | (_READ_DIR if os.path.isdir(path) else 0)
        rule = _Beneath(rights, folder)
        check(libc.syscall(_ADD_RULE, ruleset, _RULE_BENEATH, ctypes.byref(rule), 0), f"landlock_add_rule({path})")
    finally:
        os.close(folder)
