"""Run a script as another kind of host would: as another user, and with kernel features denied for real."""

from __future__ import annotations

import ctypes
import json
import os
import site
import subprocess
import sys
import tempfile
from pathlib import Path

NOBODY = 65534
ROOT = str(Path(__file__).parents[2])
# Denials as container runtimes make them: a filter, put on before anything else runs.
_DENY = """
import errno, pyseccomp
allowed = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
for name in {names!r}:
    allowed.add_rule(pyseccomp.ERRNO(errno.{error}), name)
allowed.load()
"""


def run_script(script: str, *, user: int | None = None, deny: tuple[str, ...] = (), error: str = "EPERM") -> str:
    """What ``script`` prints. ``deny``: names of system calls that fail with ``error`` for it and all it starts."""
    if deny:
        script = _DENY.format(names=deny, error=error) + script
    paths = [ROOT, str(Path(__file__).parent), *site.getsitepackages()]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ["PATH"]}
    if user is None:
        return _run([sys.executable, "-c", script], environment)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        places = [sys.base_prefix, *paths]
        bound = [f"{folder}/{number}" for number in range(len(places))]
        for target in bound:
            os.mkdir(target, 0o755)
        environment["PYTHONPATH"] = os.pathsep.join(bound[1:])
        python = f"{bound[0]}/{Path(os.path.realpath(sys.executable)).relative_to(sys.base_prefix)}"
        binds = json.dumps(list(zip(places, bound, strict=True)))
        return _run([sys.executable, "-c", _AS_USER, binds, str(user), python, script], environment)


# Interpreter, packages and checkout may lie where another user cannot reach them: they are bound to a place where it
# can, for this process only.
_AS_USER = f"""
import ctypes, json, os, sys
binds, user, python, script = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x20000) == 0
assert libc.mount(None, b"/", None, 0x44000, None) == 0
for place, target in json.loads(binds):
    assert libc.mount(place.encode(), target.encode(), None, 0x5000, None) == 0
os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY}); os.setresuid(int(user), int(user), int(user))
os.execv(python, [python, "-c", script])
"""


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def can_change_user() -> bool:
    """Root, and allowed to make a mount namespace."""
    return os.getuid() == 0 and ctypes.CDLL(None).unshare(0) == 0
