"""Which TRL this adapter was written against. Every version check of the adapter is in this file.

========  ==================================================================================================
TRL       what happens
========  ==================================================================================================
< 1.14    refused: it was not tried; the trainer's private methods that the adapter extends differ from release to
          release
1.14      supported: the adapter's tests have passed on 1.14.2, and CI runs the trainer's
1.15      supported: they have passed on 1.15.0, which trains on a CPU with ``TRITON_INTERPRET=1`` and Triton only
1.16      supported: what the extra ``trl`` installs, and on which CI runs them all
>= 1.17   refused until the tests have passed on it; ``EGCA_UNTESTED_TRL=1`` overrides
========  ==================================================================================================
"""

from __future__ import annotations

import os
import re
from importlib import metadata

from egca_plugin.errors import FrameworkError

FIRST = (1, 14)
BEYOND = (1, 17)
OVERRIDE = "EGCA_UNTESTED_TRL"


def installed() -> str:
    """The installed TRL's version. Raises FrameworkError where there is none."""
    try:
        return metadata.version("trl")
    except metadata.PackageNotFoundError as error:
        raise FrameworkError(
            'TRL is not installed, expected 1.14 to 1.16; install it with: pip install "egca-plugin[trl]"'
        ) from error


def check(version: str) -> None:
    """Raises FrameworkError unless this adapter supports ``version``."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None:
        raise FrameworkError(f"TRL {version!r}: not a version number, expected 1.14 to 1.16")
    release = (int(found[1]), int(found[2]))
    if release < FIRST:
        raise FrameworkError(
            f'TRL {version} is older than the 1.14 that EGCA supports. Upgrade with: pip install "trl>=1.14,<1.17"'
        )
    if release >= BEYOND and os.environ.get(OVERRIDE) != "1":
        raise FrameworkError(
            f"TRL {version} is newer than the 1.16 that EGCA was tested with; run the adapter's tests "
            f"(pytest tests/adapters/test_trl_*.py) and set {OVERRIDE}=1 to go on, or install trl 1.16"
        )
