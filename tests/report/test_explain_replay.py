"""``egca explain`` and ``egca replay`` on a program with a known fault, through the real sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from egca_plugin.cli.main import main
from egca_plugin.monitor.records import RecordWriter
from egca_plugin.tasks.files import Sample, dump_samples, dump_tasks
from egca_plugin.types import Task

REFERENCE = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"
FAULTY = REFERENCE.replace("in values", "in values[1:]")
TOTAL = Task("t/total", "sum", "total", REFERENCE, ("assert total([1, 2, 3]) == 6", "assert total([]) == 0"))
OTHER = Task("t/other", "one", "one", "def one():\n    return 1\n", ("assert one() == 1",))
CONTRACT = {
    "mode", "reward", "passed", "tests_passed", "tests_total", "outcome", "span", "verified", "confidence", "reason",
    "divergence", "ms",
}  # fmt: skip


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    dump_tasks([TOTAL, OTHER], tmp_path / "tasks.jsonl")
    return tmp_path / "tasks.jsonl"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "attempt.py").write_text(FAULTY)
    return tmp_path / "attempt.py"


def test_explain_prints_a_credits_line(tasks: Path, program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--task", str(tasks), "--task-id", "t/total", "--program", str(program), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert set(line) >= CONTRACT | {"task_id"}
    assert (line["mode"], line["tests_passed"], line["tests_total"]) == ("logic", 1, 2)
    assert "values[1:]" in FAULTY[line["span"]["start"] : line["span"]["end"]]
    assert line["span"]["lines"] == [3, 3]


def test_explain_shows_the_program_and_the_evidence(
    tasks: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--task", str(tasks), "--task-id", "t/total", "--program", str(program)]) == 0
    page = capsys.readouterr().out
    assert "3 │     for value in values[1:]:" in page
    assert "1 of 2 tests pass" in page


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ([], "has 2 tasks; say which one with --task-id, as in --task-id t/total"),
        (["--task-id", "t/totla"], "has no task 't/totla'; did you mean 't/total'?"),
        (["--task-id", "x"], "has no task 'x'; expected one such as 't/total'"),
    ],
)
def test_explain_asks_which_task(
    chosen: list[str], told: str, tasks: Path, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--task", str(tasks), "--program", str(program), *chosen]) == 2
    assert told in capsys.readouterr().err


def test_a_program_that_cannot_be_read_is_named(
    tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "--task", str(tasks), "--task-id", "t/total", "--program", str(tmp_path / "no.py")]) == 2
    assert "no.py: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_replay_finds_what_a_second_look_changes(
    tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump_samples([Sample("t/total", FAULTY), Sample("t/other", OTHER.reference)], tmp_path / "samples.jsonl")
    common = ["--tasks", str(tasks), "--samples", str(tmp_path / "samples.jsonl"), "--workers", "1"]
    credits, again = tmp_path / "credits.jsonl", tmp_path / "again.jsonl"
    assert main(["assess", *common, "--out", str(credits)]) == 0
    capsys.readouterr()

    assert main(["replay", str(credits), *common, "--json", "--out", str(again)]) == 0
    assert json.loads(capsys.readouterr().out) == {"records": 2, "same": 2, "changed": []}

    # The records that it wrote hold the programs: no samples are needed to look at them once more.
    assert (
        main(["replay", str(again), "--tasks", str(tasks), "--workers", "1", "--localizer", "uniform", "--json"]) == 0
    )
    (change,) = json.loads(capsys.readouterr().out)["changed"]
    assert (change["record"], change["task_id"]) == (1, "t/total")
    assert "spans" in change["fields"]
    assert change["was"]["span"]
    assert change["now"]["span"] is None

    assert main(["replay", str(again), "--tasks", str(tasks), "--workers", "1", "--localizer", "uniform"]) == 0
    assert "1 of 2 records are the same; changed: spans of 1" in capsys.readouterr().out


def test_replay_says_where_the_programs_and_tasks_are_missing(
    tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = {"mode": "correct", "reward": 1.0, "outcome": "ok", "tests_passed": 1, "tests_total": 1, "span": None}
    base |= {"verified": False, "confidence": 0.0, "reason": None, "divergence": None, "ms": {}}
    for name, row, told in (
        ("a", {"task_id": "t/total"}, "field completion: missing, so there is no program to run"),
        ("b", {"task_id": "t/none", "completion": ""}, "'t/none' is no task of"),
    ):
        writer = RecordWriter(tmp_path / name)
        writer.write({**base, **row})
        writer.close()
        assert main(["replay", str(tmp_path / name), "--tasks", str(tasks)]) == 2
        assert told in capsys.readouterr().err
