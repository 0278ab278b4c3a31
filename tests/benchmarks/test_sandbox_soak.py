"""A short soak: every run accounted for, nothing left behind (the benchmark does a hundred thousand)."""

from __future__ import annotations

from benchmarks.sandbox.soak import KINDS, soak
from egca_plugin.sandbox.api import Sandbox


def test_mixed_runs_leave_nothing_behind() -> None:
    with Sandbox() as sandbox:
        result = soak(400, sandbox)
    assert result["unexpected"] == {}
    assert result["seen"] == {kind: 4 * share for kind, (share, _, _) in KINDS.items()}
    for what in ("processes", "descriptors"):
        assert result["after"][what] == result["before"][what]
