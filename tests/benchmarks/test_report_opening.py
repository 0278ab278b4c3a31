"""``egca bench report``: a page of few samples is opened, asked and timed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("jinja2")

from benchmarks.report import __main__ as opening
from benchmarks.report.browser import executable


@pytest.mark.skipif(executable() is None, reason="no Chromium here: apt-get install chromium")
def test_every_time_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["report", "--samples", "40", "--runs", "1", "--busy", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    opening.main()
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["settings"]["samples"] == 40
    assert "Chrom" in told["settings"]["browser"]
    (table,) = told["tables"]
    assert [row[0] for row in table["rows"]] == list(opening.TIMED)
    assert all(float(row[1]) >= 0 for row in table["rows"])
