"""Keeps :mod:`egca_plugin.judging.server`, which is imported after it, from the hooks that modules run at every fork.

Those of ``threading``, ``logging`` and ``random`` would take a third of the time of a fork, and do nothing for a judge:
the server has one thread and holds no lock. A fork that tests make themselves runs them all the same.
"""

from __future__ import annotations

import os
from typing import Any

_held: list[dict[str, Any]] = []
_register, fork = os.register_at_fork, os.fork


def begin() -> None:
    """From here on :func:`fork` runs no hooks, and :func:`os.fork` runs them."""
    os.register_at_fork = lambda **hooks: _held.append(hooks)
    os.fork = _fork


def _fork() -> int:
    os.register_at_fork = _register
    while _held:
        os.register_at_fork(**_held.pop(0))
    return fork()
