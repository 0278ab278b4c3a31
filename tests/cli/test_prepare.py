from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.cli.main import main
from egca_plugin.tasks import parquet
from egca_plugin.tasks.chat import ChatServer
from egca_plugin.tasks.files import load_tasks

MBPP_ROW = {
    "task_id": 700,
    "text": "Write a function to double a number.",
    "code": "def twice(x):\n    return 2 * x",
    "test_setup_code": "",
    "test_list": ["assert twice(2) == 4"],
}

pytest.importorskip("pyarrow")


@pytest.fixture
def mbpp(tmp_path: Path) -> Path:
    rows = [{**MBPP_ROW, "task_id": number} for number in (3, 600, 700)]
    path = tmp_path / "source.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_tasks_and_verls_rows_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "humaneval", "--out", str(tmp_path / "data"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["count"] == 164
    tasks = load_tasks(tmp_path / "data" / "humaneval.jsonl")
    rows = parquet.read(tmp_path / "data" / "humaneval.parquet")
    assert [parquet.decode(row["reward_model"]["ground_truth"]) for row in rows] == list(tasks)
    assert rows[0]["prompt"][0]["content"].endswith(tasks[0].prompt)
    assert {row["extra_info"]["split"] for row in rows} == {"test"}


def test_all_splits_or_one(tmp_path: Path, mbpp: Path) -> None:
    out = tmp_path / "data"
    assert main(["prepare", "mbpp", "--source", str(mbpp), "--out", str(out)]) == 0
    assert [row["extra_info"]["split"] for row in parquet.read(out / "mbpp.parquet")] == [
        "prompt",
        "validation",
        "train",
    ]
    assert main(["prepare", "mbpp", "--source", str(mbpp), "--split", "train", "--out", str(out)]) == 0
    assert [task.task_id for task in load_tasks(out / "mbpp-train.jsonl")] == ["mbpp/700"]


def test_constraints_go_into_the_prompt_and_nothing_else_changes(tmp_path: Path, mbpp: Path) -> None:
    for level in ("off", "signature"):
        command = ["prepare", "mbpp", "--source", str(mbpp), "--constraints", level, "--out", str(tmp_path / level)]
        assert main(command) == 0
    plain, guided = (load_tasks(tmp_path / level / "mbpp.jsonl")[0] for level in ("off", "signature"))
    assert guided.prompt.startswith(plain.prompt)
    assert guided.prompt != plain.prompt
    assert (guided.task_id, guided.tests, guided.reference) == (plain.task_id, plain.tests, plain.reference)


def test_evaluation_prompts_carry_constraints_only_where_they_are_asked_for(tmp_path: Path, mbpp: Path) -> None:
    command = ["prepare", "mbpp", "--source", str(mbpp), "--constraints", "signature", "--out", str(tmp_path / "data")]
    assert main(command) == 0
    rows = parquet.read(tmp_path / "data" / "mbpp.parquet")
    carry = {row["extra_info"]["split"]: "Constraints:" in row["prompt"][0]["content"] for row in rows}
    assert carry == {"prompt": True, "validation": False, "train": True}
    assert main([*command, "--split", "validation"]) == 0
    (row,) = parquet.read(tmp_path / "data" / "mbpp-validation.parquet")
    assert "Constraints:" in row["prompt"][0]["content"]


def test_the_papers_level_measures_how_the_reference_grows(tmp_path: Path) -> None:
    loop = {**MBPP_ROW, "code": "def total(xs):\n    s = 0\n    for x in xs:\n        s += x\n    return s"}
    loop["test_list"] = ["assert total([1, 2]) == 3"]  # type: ignore[assignment]
    source = tmp_path / "source.jsonl"
    source.write_text(json.dumps(loop) + "\n")
    command = ["prepare", "mbpp", "--source", str(source), "--constraints", "paper", "--out", str(tmp_path / "paper")]
    assert main(command) == 0
    (task,) = load_tasks(tmp_path / "paper" / "mbpp.jsonl")
    assert "complexity=linear" in task.constraints
    assert "Aim for linear time or better." in task.prompt


def test_a_model_may_name_the_constraints(tmp_path: Path, mbpp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"form": "straight", "sorts": "no", "complexity": "constant", "nesting": "1", "modules": "math"}'
    asked: list[str] = []

    def answer(server: ChatServer, question: str) -> str:
        asked.append(server.model)
        return said

    monkeypatch.setattr(ChatServer, "ask", answer)
    command = ["prepare", "mbpp", "--source", str(mbpp), "--constraints", "paper", "--out", str(tmp_path / "data")]
    command += ["--constraints-llm", "http://localhost:8000/v1", "--constraints-model", "coder"]
    for _ in range(2):
        assert main(command) == 0
    tasks = load_tasks(tmp_path / "data" / "mbpp.jsonl")
    assert asked == ["coder"], "one program, one question; the second run found its answer"
    for task in (tasks[0], tasks[2]):
        assert task.constraints[-5:] == (
            "form=straight",
            "nesting=1",
            "sorts=no",
            "modules=math",
            "complexity=constant",
        )
        assert "Do not sort." in task.prompt


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["starter", "--constraints-llm", "http://h/v1"], "--constraints off, expected --constraints paper"),
        (["starter", "--constraints", "paper", "--constraints-llm", "h"], "expected an address such as"),
        (["humaneval", "--split", "train"], "humaneval has no split 'train'; expected one of test"),
        (["starter", "--source", "x.jsonl"], "the starter tasks come with this package"),
        (["mbpp", "--source", "absent.jsonl"], "absent.jsonl: cannot be read as MBPP's JSONL"),
    ],
)
def test_misuse_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["prepare", *arguments, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# --- any file -----------------------------------------------------------------------------------------------------


def data(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / name)


def test_a_file_of_a_known_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {**MBPP_ROW, "task_id": 701, "code": "def twice(x):\n    return x"}
    path = data(tmp_path, MBPP_ROW, wrong)
    assert main(["prepare", path, "--out", str(tmp_path / "out"), "--workers", "1", "--json"]) == 0
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert (summary["layout"], summary["read"], summary["kept"], summary["reasons"]) == ("mbpp", 2, 1, {"failing": 1})
    assert [task.task_id for task in load_tasks(Path(summary["tasks"]))] == ["mbpp/700"]
    assert len(parquet.read(Path(summary["rows"]))) == 1
    assert "1 of 2 rows are not sound" in said.err
    assert f"{path}:2, wrong_answer" in said.err
    assert f"every one: {summary['refused']}" in said.err


def test_a_layout_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"task_id": "t", "prompt": "p", "entry_point": "f", "canonical_solution": "", "test": "", "question": "q"}
    path = data(tmp_path, {**row, "test_cases": ["assert f(1) == 2"]})
    assert main(["prepare", path, "--layout", "acecode", "--no-check", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layout"] == "acecode"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.jsonl"], "absent.jsonl: no such file or folder; expected .jsonl, .json, .parquet"),
        (["ROWS", "--layout", "tako"], "--layout: got 'tako', expected one of ours, verl"),
        (["ROWS", "--source", "x"], "--source: goes with a task set (starter, humaneval, mbpp)"),
        (["ROWS", "--constraints", "paper"], "--constraints: goes with a task set"),
        (["ROWS", "--split", "dev"], "got no row of the split 'dev', only of train"),
        (["starter", "--no-check"], "--no-check: goes with a file; starter is a task set"),
        (["starter", "--layout", "ours"], "--layout: goes with a file"),
        (["ROWS", "--set", "mix=0.5"], "--set mix=0.5: has no effect here; expected a setting sandbox.KEY=VALUE"),
        (["ROWS", "--set", "sandbox.memory_mb=1"], "egca.sandbox.memory_mb"),
        (["UNKNOWN"], "unknown.jsonl:1: no layout has these keys: got a, b; the nearest is"),
    ],
)
def test_misuse_with_files_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    names = {
        "ROWS": data(tmp_path, MBPP_ROW),
        "UNKNOWN": data(tmp_path, {"a": 1, "b": 2}, name="unknown.jsonl"),
    }
    command = ["prepare", *(names.get(word, word) for word in arguments), "--out", str(tmp_path / "out")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_named_sets_own_file_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data(tmp_path, MBPP_ROW, name="mbpp.jsonl")
    before = Path(path).read_bytes()
    assert main(["prepare", "mbpp", "--source", path, "--out", str(tmp_path)]) == 2
    assert "mbpp.jsonl: is what is read; expected another folder as --out" in capsys.readouterr().err
    assert Path(path).read_bytes() == before
