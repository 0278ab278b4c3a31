from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from egca_plugin.cli.main import main
from egca_plugin.references.given import load_given
from egca_plugin.tasks import parquet
from egca_plugin.tasks.files import dump_tasks, load_tasks
from egca_plugin.types import Task

FIT = Task("t/fit", "Add.", "add", "def add(a, b):\n    return a + b\n", ("assert add(1, 2) == 3",))
BROKEN = Task("t/broken", "Add.", "add", "def add(a, b):\n    return a - b\n", ("assert add(1, 2) == 3",))
WEAK = Task("t/weak", "Add.", "add", "def add(a, b):\n    return a + b\n", ("assert add(1, 2) != 33",))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, where sound references' traces go."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "egca" / "traces"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    dump_tasks([BROKEN, FIT, WEAK], path)
    return path


def test_bad_tasks_are_named_with_their_reason(tasks: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", str(tasks), "--workers", "1", "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["tasks"], found["sound"]) == (3, 2)
    assert (found["unsound"], found["weak"]) == (["t/broken"], ["t/weak"])
    assert "test 0" in found["results"][0]["faults"]["unsound"]
    assert found["results"][1]["faults"] == {}
    assert "t/broken" in captured.err
    assert len(list(cache.iterdir())) == 1, "one text is the reference of both sound tasks; training finds its traces"


@pytest.mark.parametrize(
    ("drop", "kept"),
    [("none", ["t/broken", "t/fit", "t/weak"]), ("unsound", ["t/fit", "t/weak"]), ("unsound,weak", ["t/fit"])],
)
def test_what_is_dropped_is_the_users_choice(tasks: Path, tmp_path: Path, drop: str, kept: list[str]) -> None:
    pytest.importorskip("pyarrow")
    rows = [parquet.row(t, data_source="t", split="train", index=i) for i, t in enumerate(load_tasks(tasks))]
    parquet.write(rows, tasks.with_suffix(".parquet"))
    assert main(["preflight", str(tasks), "--workers", "1", "--drop", drop, "--out", str(tmp_path / "fit.jsonl")]) == 0
    assert [task.task_id for task in load_tasks(tmp_path / "fit.jsonl")] == kept
    assert [row["extra_info"]["task_id"] for row in parquet.read(tmp_path / "fit.parquet")] == kept


def test_a_task_that_breaks_its_judge_is_unsound_and_the_others_are_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "no Python": replace(FIT, tests=("assert add(<tree at 0x7f>) == 3",)),
        "no call": replace(FIT, tests=("assert True",)),
        "setup leaves": replace(FIT, setup="raise SystemExit"),
        "no reference": replace(FIT, reference=""),
    }
    path = tmp_path / "tasks.jsonl"
    dump_tasks([*(replace(task, task_id=name) for name, task in bad.items()), FIT], path)
    assert main(["preflight", str(path), "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unsound"] == ["no Python", "setup leaves"]
    assert found["vacuous"] == ["no call"]
    assert found["without_reference"] == ["no reference"]
    assert (found["tasks"], found["sound"]) == (5, 2)
    assert found["results"][3]["tests"] == 1


def test_the_exit_code_tells_what_is_bad(tasks: Path) -> None:
    assert main(["preflight", str(tasks), "--workers", "1", "--strict"]) == 1
    assert main(["preflight", str(tasks), "--workers", "1", "--strict", "--drop", "none"]) == 0


def test_markup_and_escapes_in_ids_and_reasons_are_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = replace(BROKEN, task_id="[red]\x1b[31m", setup="raise ValueError('[bold]\\x1b]0;x\\x07')")
    dump_tasks([task], tmp_path / "tasks.jsonl")
    assert main(["preflight", str(tmp_path / "tasks.jsonl"), "--workers", "1"]) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert r"[red]\x1b[31m" in said
    assert r"[bold]\x1b]0;x\x07" in said.replace("\n", "")


def test_an_unknown_fault_is_misuse(tasks: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["preflight", str(tasks), "--drop", "slwo"])
    assert stopped.value.code == 2


def test_further_references_are_judged_too(tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "more.jsonl"
    programs = ("def add(a, b):\n    return a * b\n", "def add(a, b):\n    return b + a\n")
    more.write_text("".join(json.dumps({"task_id": "t/fit", "source": source}) + "\n" for source in programs))
    out = tmp_path / "fit.jsonl"
    assert main(["preflight", str(tasks), "--references", str(more), "--json", "--out", str(out)]) == 0
    (unfit,) = json.loads(capsys.readouterr().out)["unfit_references"]
    assert (unfit["task_id"], unfit["name"]) == ("t/fit", "given:1")
    assert unfit["reason"].startswith("it fails its tests")
    assert load_given(tmp_path / "fit-references.jsonl") == {"t/fit": programs[1:]}
    more.write_text(json.dumps({"task_id": "t/other", "source": "x = 1"}) + "\n")
    assert main(["preflight", str(tasks), "--references", str(more)]) == 2
    assert "'t/other' is no task of" in capsys.readouterr().err
