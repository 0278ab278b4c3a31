"""The TRL recipe, run to the end with a policy of a test's size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")

RECIPE = Path(__file__).parents[2] / "recipes" / "trl"


def test_it_trains_and_writes_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "adapters"))
    import tiny_policy as policy

    model = policy.build(tmp_path / "model", steps=150)
    rows, _ = policy.write_rows(tmp_path)
    words = ["--cpu", "--steps", "2", "--model", str(model), "--data", str(rows), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, str(RECIPE / "train.py"), *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "egca/pass_rate" in done.stdout
    (file,) = (tmp_path / "out" / "records").iterdir()
    modes = {json.loads(line)["mode"] for line in file.read_text().splitlines()}
    assert modes <= {"correct", "logic", "syntax", "constraint"}
    assert modes
