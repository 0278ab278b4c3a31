"""The TRL recipe, run to the end with a policy of a test's size."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("trl")

from recipe_scripts import FILES
from whole_runs import run

from egca_plugin.tasks.files import dump_tasks

WORDS = ("--max_steps", "2", "--max_completion_length", "48", "--report_to", "none")


@pytest.mark.slow
def test_it_trains_reports_and_is_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "adapters"))
    import tiny_policy as policy

    model = policy.build(tmp_path / "model", steps=150)
    rows, _ = policy.write_rows(tmp_path)
    (tmp_path / "data").mkdir()
    for name in FILES["mbpp"]:
        (tmp_path / "data" / f"{name}.parquet").write_bytes(rows.read_bytes())
        dump_tasks([policy.otherwise(task) for task in policy.TASKS], tmp_path / "data" / f"{name}.jsonl")
    whole = run("trl", "mbpp", tmp_path, *WORDS, EGCA_MODEL=str(model), OMP_NUM_THREADS="1")
    assert "egca/pass_rate" in whole.said
    assert {record["mode"] for record in whole.records} & {"logic", "syntax"}
    assert {record["step"] for record in whole.records} == {0, 1}
    assert "<html" in (whole.folder / "report.html").read_text()[:200]
    history = json.loads((whole.folder / "trainer_state.json").read_text())["log_history"]
    assert [entry["step"] for entry in history if "egca/moved" in entry] == [1, 2]
    assert "pass@1" in whole.scored
    assert len((whole.folder / "test" / "samples.jsonl").read_text().splitlines()) == len(policy.TASKS)
    assert os.listdir(whole.folder / "model")
