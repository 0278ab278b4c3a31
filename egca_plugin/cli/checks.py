"""What ``egca doctor`` looks at that needs no training framework."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from egca_plugin import __version__
from egca_plugin.config import ISOLATION_LEVELS, SandboxConfig
from egca_plugin.errors import SandboxError
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.isolation import UNTRIED
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.probing import probe
from egca_plugin.sandbox.policy import INSTALL
from egca_plugin.types import Outcome, Task

PYTHONS = ((3, 10), (3, 12))
DISK_GIB = 1


class State(str, Enum):
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found and, where it is not well, how to mend it."""

    name: str
    state: State
    found: str
    mend: str = ""


def core_checks() -> Iterator[Check]:
    """Python, disk, isolation, and one program that must pass and one that must fail in the real sandbox."""
    yield _python()
    yield _disk()
    yield from _isolation()
    yield _sandbox()


def _python() -> Check:
    found = f"Python {platform.python_version()}, egca-plugin {__version__}, {platform.system()} {platform.machine()}"
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Check("python", State.BAD, found, f"use Python {low} to {high}")
    if platform.system() != "Linux":
        return Check("python", State.BAD, found, "the sandbox needs Linux (seccomp, rlimits, process groups)")
    return Check("python", State.OK, found)


def _disk() -> Check:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / 2**30
    found = f"{free:.1f} GiB free in {folder}"
    if free < DISK_GIB or not os.access(folder, os.W_OK):
        return Check("disk", State.BAD, found, f"free at least {DISK_GIB} GiB there or point TMPDIR elsewhere")
    return Check("disk", State.OK, found)


def _isolation() -> Iterator[Check]:
    """What is in place, and what a program that tried to get out was able to do."""
    report = probe()
    for layer in report.layers:
        if layer.reason and layer.reason != UNTRIED:
            mandatory = layer.level == ISOLATION_LEVELS[0]
            mend = "allow it on this host" if mandatory else "allow it on this host for a second wall; not required"
            if INSTALL in layer.reason:
                mend = INSTALL
            yield Check(f"isolation: {layer.name}", State.BAD if mandatory else State.WARN, layer.reason, mend)
    names = ", ".join(layer.name for layer in report.layers if not layer.reason) or "no layer"
    notes = "".join(f"; {note}" for note in report.notes)
    yield Check("isolation", State.OK if report.level else State.BAD, f"level {report.level or 'none'}: {names}{notes}")
    if not report.level:
        return
    if report.escapes:
        mend = "do not train on this host; please report it with the output of `egca doctor --json`"
        yield Check("escape attempts", State.BAD, "; ".join(report.escapes), mend)
    else:
        yield Check("escape attempts", State.OK, "a program that tried files, sockets and processes got none of them")


def _sandbox() -> Check:
    task = Task("doctor", "double x", "double", "def double(x):\n    return 2 * x\n", ("assert double(3) == 6",))
    try:
        with Sandbox(SandboxConfig()) as sandbox:
            right = judge(sandbox, task.reference, task)
            wrong = judge(sandbox, "def double(x):\n    return x\n", task)
    except SandboxError as error:
        return Check("sandbox", State.BAD, str(error), "see the isolation checks above")
    if right.outcome is not Outcome.OK or wrong.outcome is not Outcome.WRONG_ANSWER:
        found = f"a right program: {right.outcome.value} ({right.detail}); a wrong one: {wrong.outcome.value}"
        return Check("sandbox", State.BAD, found, "please report this with the output of `egca doctor --json`")
    return Check("sandbox", State.OK, f"a right and a wrong program judged in {right.ms:.1f} and {wrong.ms:.1f} ms")
