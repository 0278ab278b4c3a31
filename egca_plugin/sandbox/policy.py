"""Which system calls a program may make, and the filter that says so to the kernel.

An allow-list: whatever is not named fails with EPERM. What is named lets Python compute, allocate and import, and
nothing else: no process or thread, no socket but a pair of its own, no signal to anyone, no file opened for anything
but reading.
libseccomp (through pyseccomp) turns the list into a BPF program once; every child loads those bytes.
"""

from __future__ import annotations

import errno
import os
import tempfile
from functools import lru_cache
from typing import Any

from egca_plugin.errors import IsolationError

ALLOWED = (
    # the channel, descriptors and files opened for reading
    "read", "readv", "pread64", "write", "writev", "close", "lseek", "dup", "fstat", "newfstatat", "fstatat64", "stat",
    "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64",
    # memory
    "mmap", "mprotect", "munmap", "mremap", "madvise", "brk",
    # signals within the process
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    # time
    "clock_gettime", "clock_getres", "gettimeofday", "time", "nanosleep", "clock_nanosleep",
    # who and where am I
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo", "getrusage", "times",
    "getrlimit", "sched_getaffinity",
    # waiting, locks, the interpreter's own bookkeeping
    "poll", "ppoll", "select", "pselect6", "futex", "sched_yield", "set_robust_list", "rseq", "getrandom",
    "restart_syscall", "exit", "exit_group",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# fcntl and ioctl can ask the kernel to signal other processes (F_SETOWN, FIOSETOWN): only these may be asked.
_FCNTL = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_IOCTL = (0x5401, 0x5451, 0x5450, 0x5421)  # TCGETS (isatty), FIOCLEX, FIONCLEX, FIONBIO
_AF_UNIX = 1
INSTALL = "apt-get install libseccomp2 (Debian, Ubuntu) or dnf install libseccomp (Fedora, RHEL)"
_OPTIMIZE, _BINARY_TREE = 8, 2  # SCMP_FLTATR_CTL_OPTIMIZE: a search tree, whose length a child pays for at load


@lru_cache(maxsize=2)
def program(*, files: bool) -> bytes:
    """The BPF filter. ``files``: whether files may be opened for reading, which needs something to say which ones.

    Raises IsolationError where libseccomp is missing: a sandbox without a filter would be none.
    """
    try:
        import pyseccomp  # type: ignore[import-untyped]  # here, since it fails where the C library is missing
    except (ImportError, RuntimeError, OSError) as err:
        raise IsolationError(
            f"seccomp: got {type(err).__name__}: {err}; expected pyseccomp and the C library libseccomp 2: {INSTALL}"
        ) from err
    refused = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    try:
        refused.set_attr(_OPTIMIZE, _BINARY_TREE)
    except (OSError, ValueError):
        pass  # libseccomp before 2.5: a longer filter, the same decisions
    for name in ALLOWED:
        _allow(pyseccomp, refused, name)
    if files:
        _allow(pyseccomp, refused, "open", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _WRITING, 0))
        _allow(pyseccomp, refused, "openat", pyseccomp.Arg(2, pyseccomp.MASKED_EQ, _WRITING, 0))
    for command in _FCNTL:
        _allow(pyseccomp, refused, "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, command))
    for command in _IOCTL:
        _allow(pyseccomp, refused, "ioctl", pyseccomp.Arg(1, pyseccomp.EQ, command))
    # asyncio wakes itself by a pair of sockets: both ends are the program's own, and neither can name another.
    _allow(pyseccomp, refused, "socketpair", pyseccomp.Arg(0, pyseccomp.EQ, _AF_UNIX))
    _allow(pyseccomp, refused, "sendto", pyseccomp.Arg(4, pyseccomp.EQ, 0))
    _allow(pyseccomp, refused, "recvfrom", pyseccomp.Arg(4, pyseccomp.EQ, 0))
    _allow(pyseccomp, refused, "prlimit64", pyseccomp.Arg(2, pyseccomp.EQ, 0))  # reading only
    _allow(pyseccomp, refused, "setitimer", pyseccomp.Arg(0, pyseccomp.EQ, 1))  # ITIMER_VIRTUAL: CPU time of its own
    refused.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")  # so that the C library asks for clone, and is refused
    with tempfile.TemporaryFile() as file:
        refused.export_bpf(file)
        file.seek(0)
        return file.read()


def _allow(seccomp: Any, filter: Any, name: str, *arguments: Any) -> None:
    if seccomp.resolve_syscall(seccomp.system_arch(), name) >= 0:  # not every architecture has every call
        filter.add_rule(seccomp.ALLOW, name, *arguments)
