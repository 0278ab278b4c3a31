"""Handlers for :class:`egca_plugin.sandbox.outside.pool.Pool`: what its workers can be asked to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from egca_plugin.judging.referee import Sessions, judge
from egca_plugin.types import Task, Verdict


def judging(sandbox: Sessions, settings: Any) -> Callable[[tuple[str, Task]], Verdict]:
    """Payload ``(source, task)``, result a Verdict."""
    return lambda payload: judge(sandbox, payload[0], payload[1])
