"""The paper's tables, with what evaluations of ours gave where there were any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("omegaconf")

from egca_plugin.cli.main import main
from egca_plugin.errors import EgcaError
from egca_plugin.report import paper


def evaluation(
    run: Path,
    passed: int,
    tasks: int,
    *,
    step: int = 3,
    rows: str = "mbpp-test",
    model: str = "a/model",
    **egca: object,
) -> None:
    """What ``evaluate.sh`` leaves of a run."""
    home = run / "test" / paper.CONFIG
    home.parent.mkdir(parents=True, exist_ok=True)
    settings = {"enabled": True, "preset": "paper", "localizer": "trace", "mix": 1.0, **egca}
    config = {
        "data": {"val_files": f"${{oc.env:EGCA_DATA}}/{rows}.parquet"},
        "actor_rollout_ref": {"model": {"path": model}},
        "egca": settings,
    }
    home.write_text(json.dumps(config))
    lines = [json.dumps({"acc": float(index < passed)}) for index in range(tasks)]
    (run / "test" / f"{step}.jsonl").write_text("\n".join(lines) + "\n")


def cells(table: dict) -> dict[str, dict[str, object]]:
    return {row[0]: dict(zip(table["columns"][1:], row[1:], strict=True)) for row in table["rows"]}


def test_without_runs_the_papers_figures_stand_beside_empty_cells(tmp_path: Path) -> None:
    main_table, ablations = paper.tables(paper.evaluated(tmp_path))
    assert cells(main_table)["CodeRL+"] == {
        "HumanEval, paper": 81.6, "HumanEval, ours": "", "MBPP, paper": 67.4, "MBPP, ours": "",
    }  # fmt: skip
    assert all(not cell["MBPP, ours"] for table in (main_table, ablations) for cell in cells(table).values())


def test_a_run_is_in_the_row_of_its_settings_and_nowhere_else(tmp_path: Path) -> None:
    evaluation(tmp_path / "egca", 345, 500)
    evaluation(tmp_path / "grpo", 300, 500, enabled=False)
    evaluation(tmp_path / "late", 82, 164, rows="humaneval", localizer="late_divergence")
    main_table, ablations = map(cells, paper.tables(paper.evaluated(tmp_path)))
    filled = {
        (name, column): value
        for table in (main_table, ablations)
        for name, cell in table.items()
        for column, value in cell.items()
        if column.endswith("ours") and value
    }
    assert filled == {
        ("EGCA, its debugger a program (`egca=paper`)", "MBPP, ours"): "69.0",
        ("EGCA, its debugger a program", "MBPP, ours"): "69.0",
        ("GRPO (`egca=off`)", "MBPP, ours"): "60.0",
        ("GRPO", "MBPP, ours"): "60.0",
        ("a late divergence", "HumanEval, ours"): "50.0",
    }


def test_step_0_is_the_base_model_and_the_last_step_the_trained_one(tmp_path: Path) -> None:
    for step, passed in ((0, 5), (10, 6), (20, 8)):
        evaluation(tmp_path / "run", passed, 32, step=step)
    table = cells(paper.tables(paper.evaluated(tmp_path))[0])
    assert table["DeepSeek-Coder-Instruct 6.7B, before training"]["MBPP, ours"] == "15.6 (32 of 500 tasks)"
    assert table["EGCA, its debugger a program (`egca=paper`)"]["MBPP, ours"] == "25.0 (32 of 500 tasks)"


def test_every_model_has_its_own_tables_and_the_command_prints_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation(tmp_path / "one", 1, 500, model="${oc.env:EGCA_MODEL,small/model}")
    evaluation(tmp_path / "two", 2, 500, model="large/model")
    assert main(["table", "paper", str(tmp_path), "--only", "main"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("**Main table, pass@1 in percent; ours: ") == 2
    assert "ours: small/model**" in printed
    assert "| CodeRL+ | 81.6 |  | 67.4 |  |" in printed


def test_a_folder_without_evaluations_and_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(EgcaError, match="no such folder"):
        paper.evaluated(tmp_path / "none")
    evaluation(tmp_path / "run", 1, 2, rows="mbpp-validation")
    assert paper.evaluated(tmp_path) == [], "not the test set"
    evaluation(tmp_path / "run", 1, 2)
    (tmp_path / "run" / "test" / "3.jsonl").write_text("{}\n")
    with pytest.raises(EgcaError, match=r"3\.jsonl: not the samples"):
        paper.evaluated(tmp_path)
    (tmp_path / "run" / "test" / paper.CONFIG).write_text("data: 3\n")
    with pytest.raises(EgcaError, match=r"config\.yaml: not the configuration"):
        paper.evaluated(tmp_path)
