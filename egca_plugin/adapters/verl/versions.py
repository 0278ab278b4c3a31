"""Which verl this adapter was written against. Every version check of the adapter is in this file.

========  ==================================================================================================
verl      what happens
========  ==================================================================================================
< 0.9.0   refused: neither the ``verl.plugins`` entry point nor the trainer and platform registries exist
0.9.0     supported: contract tests, recipes and a CPU run of its v1 trainer (CONTRIBUTING.md) have passed on it; its
          legacy trainer needs flash-attn, so it was not run
0.9.1     supported: what the extra ``verl`` installs, what CI runs, and what the CPU matrix ran on
>= 0.10   refused until the contract tests have passed on it; ``EGCA_UNTESTED_VERL=1`` overrides
========  ==================================================================================================
"""

from __future__ import annotations

import os
import re
from importlib import metadata

from egca_plugin.errors import FrameworkError

FIRST = (0, 9)
BEYOND = (0, 10)
OVERRIDE = "EGCA_UNTESTED_VERL"


def installed() -> str:
    """The installed verl's version. Raises FrameworkError where there is none."""
    try:
        return metadata.version("verl")
    except metadata.PackageNotFoundError as error:
        raise FrameworkError(
            'verl is not installed, expected 0.9.x; install it with: pip install "egca-plugin[verl]"'
        ) from error


def check(version: str) -> None:
    """Raises FrameworkError unless this adapter supports ``version``."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        raise FrameworkError(f"verl {version!r}: not a version number, expected 0.9.x")
    release = (int(found[1]), int(found[2]))
    if release < FIRST:
        raise FrameworkError(
            f"verl {version} has no plugin entry point, trainer registry or platform registry; EGCA supports 0.9.x. "
            'Upgrade with: pip install "verl>=0.9.0,<0.10"'
        )
    if release >= BEYOND and os.environ.get(OVERRIDE) != "1":
        raise FrameworkError(
            f"verl {version} is newer than the 0.9.x that EGCA was tested with; run its contract tests "
            f"(pytest tests/contract) and set {OVERRIDE}=1 to go on, or install verl 0.9.x"
        )
