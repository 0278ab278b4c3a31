"""What this host offers to shut programs in, in layers, each missing one with its reason.

    mandatory    own session, empty environment, closed descriptors, resource limits, no new privileges, no
                 capabilities, and a system call filter that lets a program compute and import
    landlock     the kernel itself refuses every file but the standard library's and what these need
    namespaces   no network, no other processes, a file system of its own

``egca.sandbox.require`` names the level below which a sandbox refuses to start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from egca_plugin.config import ISOLATION_LEVELS, SandboxConfig
from egca_plugin.errors import IsolationError
from egca_plugin.sandbox import packages, policy

LAYERS: Mapping[str, str] = {
    "session": "mandatory",
    "environment": "mandatory",
    "descriptors": "mandatory",
    "limits": "mandatory",
    "no_new_privs": "mandatory",
    "capabilities": "mandatory",
    "seccomp": "mandatory",
    "landlock": "landlock",
    "mount": "namespaces",
    "pid": "namespaces",
    "net": "namespaces",
    "ipc": "namespaces",
}


UNTRIED = "not tried: no sandbox starts without a system call filter"


@dataclass(frozen=True, slots=True)
class Layer:
    """``reason``: why it is missing, empty where it is in place."""

    name: str
    level: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IsolationReport:
    """``level``: the highest whose layers, and those of the levels below, are all in place; empty for none.

    ``notes``: what is no layer but good to know. ``escapes``: what a program that tried was able to do.
    """

    level: str
    layers: tuple[Layer, ...]
    notes: tuple[str, ...] = ()
    escapes: tuple[str, ...] = ()


def settings(config: SandboxConfig, *, warm: bool = False, refuse: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a zygote is told to apply. ``warm``: the packages, to be imported beforehand. ``refuse``: namespaces not to
    try, with the reason to report.

    Raises IsolationError where libseccomp is missing: every level needs it; ConfigError for a package that is not
    installed.
    """
    allowed = packages.locate(config.packages)
    try:
        filters = {"filter": policy.program(files=True), "filter_without_files": policy.program(files=False)}
    except IsolationError as err:
        raise IsolationError(f"egca.sandbox.require={config.require} cannot be met: {err}") from err
    return {
        "memory_mb": config.memory_mb,
        "cpu_s": math.ceil(config.timeout_s) + 1,
        "refused": dict(refuse or {}),
        "packages": allowed if warm else packages.locate(()),
        **filters,
    }


def report(missing: Mapping[str, str], escapes: tuple[str, ...] = ()) -> IsolationReport:
    """Read a zygote's hello."""
    layers = tuple(Layer(name, level, missing.get(name, "")) for name, level in LAYERS.items())
    level = ""
    for candidate in ISOLATION_LEVELS:
        if any(layer.reason for layer in layers if layer.level == candidate):
            break
        level = candidate
    notes = tuple(f"{name}: {reason}" for name, reason in missing.items() if name not in LAYERS)
    return IsolationReport(level, layers, notes, escapes)


def enforce(require: str, missing: Mapping[str, str]) -> None:
    """Raises IsolationError where less than ``require`` is in place."""
    found = report(missing)
    levels = ("", *ISOLATION_LEVELS)
    if levels.index(found.level) >= levels.index(require):
        return
    reasons = "; ".join(f"{layer.name}: {layer.reason}" for layer in found.layers if layer.reason)
    raise IsolationError(
        f"egca.sandbox.require={require}: got isolation level {found.level or 'none'!r}, expected {require!r} "
        f"({reasons}). Allow it on this host, or set egca.sandbox.require={found.level or 'mandatory'}"
    )
