"""A short soak: every run accounted for, nothing left behind (the benchmark does a hundred thousand)."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks.sandbox.soak import KINDS, soak
from egca_plugin.sandbox.outside.api import Sandbox


def _soaked() -> dict[str, Any]:
    with Sandbox() as sandbox:
        return soak(400, sandbox)


def test_mixed_runs_leave_nothing_behind() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:  # what other tests of a worker hold comes and goes
        result = alone.submit(_soaked).result()
    assert result["unexpected"] == {}
    assert result["seen"] == {kind: 4 * share for kind, (share, _, _) in KINDS.items()}
    for what in ("processes", "descriptors"):
        assert result["after"][what] <= result["before"][what]
