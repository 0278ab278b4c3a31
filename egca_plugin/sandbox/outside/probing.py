"""What a host really offers: a program that tries to get out, in a sandbox that takes any level."""

from __future__ import annotations

from egca_plugin.config import ISOLATION_LEVELS, SandboxConfig
from egca_plugin.errors import IsolationError, SandboxError
from egca_plugin.sandbox import policy, wire
from egca_plugin.sandbox.isolation import LAYERS, UNTRIED, IsolationReport, report
from egca_plugin.sandbox.outside import api


def probe(config: SandboxConfig | None = None) -> IsolationReport:
    """Start a sandbox and have a program try to get out. Raises nothing: a host without any is a report too."""

    any_level = SandboxConfig(require=ISOLATION_LEVELS[0], memory_mb=(config or SandboxConfig()).memory_mb)
    try:
        policy.program(files=True)
    except IsolationError as err:
        return report({**dict.fromkeys(LAYERS, UNTRIED), "seccomp": str(err)})
    try:
        with api.Sandbox(any_level) as sandbox:
            missing = sandbox.start().hello["missing"]
            (result,) = sandbox.run_calls(_ESCAPES, [api.call("attempts")])
            escapes = tuple(wire.decode(result.value)) if result.value else (f"the attempts failed: {result}",)
            return report(missing, escapes)
    except SandboxError as err:
        return report({name: str(err) for name in LAYERS})


_ESCAPES = """
import os, sys

from _thread import allocate_lock, start_new_thread as start
lock = allocate_lock()
lock.acquire()
wait = lock.acquire

def attempts():
    tries = {
        "read /etc/passwd": lambda: open("/etc/passwd").read(),
        "list a folder of the host": lambda: os.listdir("/etc"),
        "write a file": lambda: open("/tmp/egca-escape", "w"),
        "make a folder": lambda: os.mkdir("/tmp/egca-escape"),
        "open a socket": lambda: __import__("_socket").socket(),
        "fork": lambda: os.fork() or os._exit(0),
        "start a hundred threads": lambda: [start(wait, ()) for _ in range(100)],
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "run a command": lambda: os.execv("/bin/true", ["true"]),
        "raise its memory limit": raise_limit,
    }
    done = [name for name, attempt in tries.items() if succeeds(attempt)]
    return done + [f"see {name} in its environment" for name in os.environ]

def raise_limit():
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    if resource.getrlimit(resource.RLIMIT_AS) != (-1, -1):
        raise OSError

def succeeds(attempt):
    try:
        attempt()
    except Exception:  # whatever way the host refuses, it refuses
        return False
    return True
"""
