"""A world of its own for the zygote: no network, no other process, no file but the standard library and what it needs.

The namespaces are entered once, by the zygote, and every child is born in them. Each that the host refuses is reported
with its reason; the mandatory layers do not depend on any. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Sequence

from egca_plugin.sandbox.layers import check, die_with_parent, libc

USER = 0x10000000
KINDS = {"mount": 0x00020000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000}
_UTS = 0x04000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 4096, 16384, 1 << 18, 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41}

_mount = libc.mount
_mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def enter() -> dict[str, str]:
    """Enter what the host allows; returns the missing kinds with their reasons.

    With a pid namespace this process forks: the child returns, as the namespace's first process, while the parent waits
    to end with it.
    """
    uid, gid = os.getuid(), os.getgid()
    everything = _UTS | sum(KINDS.values())
    try:
        if not _unshare(everything):
            _unshare_or_raise(USER | everything)
            _map_user(uid, gid)
    except OSError as err:
        return dict.fromkeys(KINDS, f"the host refuses it: {err}")
    _fork_into_pid_namespace()
    return {}


def _unshare(flags: int) -> bool:
    return bool(libc.unshare(flags) == 0)


def _unshare_or_raise(flags: int) -> None:
    check(libc.unshare(flags), "unshare")


def _map_user(uid: int, gid: int) -> None:
    """Be the same user inside, and no other."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _fork_into_pid_namespace() -> None:
    """The kernel ends everything in the namespace with its first process, whatever becomes of us."""
    pid = os.fork()
    if pid == 0:
        die_with_parent()
        return
    os.closerange(3, 256)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def new_root(folder: str, hidden: Sequence[str], places: Sequence[str]) -> dict[str, str]:
    """Make ``folder``, without its ``hidden`` subfolders, and ``places``, which may lie in these, all that there is in
    the file system, read-only.
    """
    try:
        _build_root("/tmp", folder, hidden, places)
    except OSError as err:
        return {"mount": f"the file system could not be rebuilt: {err}"}
    return {}


def _build_root(root: str, folder: str, hidden: Sequence[str], places: Sequence[str]) -> None:
    _do_mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    # Opened first: the tmpfs may come to lie over them.
    sources = {place: os.open(place, os.O_PATH | os.O_CLOEXEC) for place in (folder, *places)}
    _do_mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    _bind(sources[folder], root + folder)
    for name in hidden:
        _do_mount("tmpfs", f"{root}{folder}/{name}", "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    for place in places:
        _bind(sources[place], root + place)
    for source in sources.values():
        os.close(source)
    for name in hidden:
        options = _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV
        _do_mount(None, f"{root}{folder}/{name}", None, options, "size=1m,mode=755")
    for place in (folder, *places):
        no_exec = os.statvfs(root + place).f_flag & os.ST_NOEXEC  # what the host's mount forbids stays forbidden
        _do_mount(None, root + place, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | no_exec)
    _do_mount(None, root, None, _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    os.chdir(root)
    check(libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    check(libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")


def _bind(source: int, target: str) -> None:
    """Let the folder or file that ``source`` is open on be seen at ``target``."""
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    _do_mount(f"/proc/self/fd/{source}", target, None, _MS_BIND | _MS_REC)


def _do_mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    fields = [None if text is None else text.encode() for text in (source, target, kind, options)]
    check(_mount(fields[0], fields[1], fields[2], flags, fields[3]), f"mount on {target}")
