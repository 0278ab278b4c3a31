"""``benchmarks.demo``: one thing changed at a time, and seconds where verl says them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil")

from benchmarks import demo
from egca_plugin.adapters.verl import launch

LINE = (
    "step:{} - timing_s/gen:{} - timing_s/old_log_prob:9.0 - timing_s/update_actor:25.0 - "
    "timing_s/update_weights:1.0 - timing_s/step:47.0"
)


def test_each_variant_is_run_with_its_own_settings_and_the_second_step_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[tuple[str, ...], str | None]] = []

    def run(settings: launch.CpuRun, on_line: launch.OnLine) -> int:
        ran.append((settings.overrides, os.environ.get("OMP_WAIT_POLICY")))
        for line in (LINE.format(1, 99.0), "noise", LINE.format(2, 12.0)):
            on_line(line)
        return 0

    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(launch, "run", run)
    monkeypatch.setattr(demo.smollm2, "prepare", lambda: tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["demo", "--busy", "--out", str(tmp_path), "--variants", "padded", "waiting threads spin"]
    )
    demo.main()
    (table,) = json.loads((tmp_path / "demo.json").read_text())["tables"]
    assert [row[:-1] for row in table["rows"]] == [
        ["padded", "12.0", "9.0", "25.0", "1.0", "47.0"],
        ["waiting threads spin", "12.0", "9.0", "25.0", "1.0", "47.0"],
    ]
    assert ran == [(("actor_rollout_ref.model.use_remove_padding=false",), None), ((), "active")]
    assert "OMP_WAIT_POLICY" not in os.environ


def test_a_run_that_breaks_is_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "run", lambda settings, on_line: 1)
    monkeypatch.setattr(demo.smollm2, "prepare", lambda: tmp_path)
    with pytest.raises(RuntimeError, match="exit code 1 after 0 of 2 steps"):
        demo.timed(demo.VARIANTS["as it is"])
