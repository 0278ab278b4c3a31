"""What this host offers to shut a program in, what was applied, and what is missing, with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from egca_plugin.config import SandboxConfig


def settings(config: SandboxConfig) -> dict[str, Any]:
    """What a zygote is told to apply."""
    return {
        "memory_mb": config.memory_mb,
        "cpu_s": math.ceil(config.timeout_s) + 1,
        "namespaces": True,
        "filter": b"",
    }


def enforce(require: str, hello: Mapping[str, Any]) -> None:
    """Raise IsolationError if the zygote's hello shows less than ``require``."""
