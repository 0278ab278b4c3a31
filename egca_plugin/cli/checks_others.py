"""What ``egca doctor`` looks at of TRL and OpenRLHF, where they are installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from egca_plugin.adapters.openrlhf import versions
from egca_plugin.cli.checks import Check, State
from egca_plugin.errors import FrameworkError

IMPORT_S = 180
# What OpenRLHF imports of what a user chooses for a GPU: the distribution, its module, and what for.
CHOSEN = (("vllm", "vllm", "rollouts"), ("flash-attn", "flash_attn", "packed samples, at import"))


def installed(*names: str) -> list[str]:
    """Of the distributions ``names`` those that are there."""
    return [name for name in names if importlib.util.find_spec(name) is not None and _version(name)]


def trl_checks() -> Iterator[Check]:
    """The version, and whether EGCA's trainer can be imported on it."""
    yield _imported("trl", f"trl {_version('trl')}", "egca_plugin.adapters.trl", 'pip install "egca-plugin[trl]"')


def openrlhf_checks() -> Iterator[Check]:
    """The version, the packages that it leaves to the user, and every name of its that EGCA rebinds."""
    found = f"openrlhf {_version('openrlhf')}"
    try:
        versions.check(versions.installed())
    except FrameworkError as error:
        yield Check("openrlhf", State.BAD, str(error), f'pip install "openrlhf=={versions.TESTED}"')
        return
    missing = [(name, use) for name, module, use in CHOSEN if importlib.util.find_spec(module) is None]
    for name, use in missing:
        mend = "install it as OpenRLHF's README says, for this host's GPU"
        yield Check(name, State.BAD, f"not installed; OpenRLHF needs it for {use}", mend)
    if not missing:
        names = f"{found}; {len(versions.REBOUND)} names are rebound, all there"
        yield _imported(
            "openrlhf", names, "egca_plugin.adapters.openrlhf.trainer", "see the error; mend OpenRLHF's install"
        )


def _imported(name: str, found: str, module: str, mend: str) -> Check:
    """``module`` in a process of its own, as training imports it: frameworks print, and some end the process."""
    command = [sys.executable, "-c", f"import {module}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_S, check=False)
    except subprocess.TimeoutExpired:
        return Check(name, State.BAD, f"{found}; {module} was not imported within {IMPORT_S} s", mend)
    if done.returncode == 0:
        return Check(name, State.OK, found)
    said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return Check(name, State.BAD, f"{found}; {module} cannot be imported: {said}", mend)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
