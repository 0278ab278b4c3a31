"""A place that cannot be written to is said before any work is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from egca_plugin.cli import output
from egca_plugin.cli.main import main
from egca_plugin.errors import EgcaError


def test_folders_are_made_and_nothing_is_left_in_them(tmp_path: Path) -> None:
    output.ready(tmp_path / "a" / "b" / "c.jsonl")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_or_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    with pytest.raises(EgcaError, match=r"cannot be written \(it is a directory\); expected"):
        output.ready(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(EgcaError, match=r"file/c.jsonl: cannot be written \("):
        output.ready(tmp_path / "file" / "c.jsonl")


def test_a_full_disk_while_writing_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(EgcaError, match="No space left"), output.writing(tmp_path / "c.jsonl"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("command", ["assess", "prepare", "preflight", "replay", "report"])
def test_every_command_that_writes_says_so_in_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "file" / "out.jsonl"
    (tmp_path / "file").touch()
    task = '{"task_id": "t", "prompt": "p", "entry_point": "f", "reference": "def f(): pass", "tests": ["assert f"]}\n'
    (tmp_path / "tasks.jsonl").write_text(task)
    (tmp_path / "samples.jsonl").write_text('{"task_id": "t", "completion": "1"}\n')
    credit = (
        '{"task_id": "t", "completion": "1", "mode": "correct", "reward": 1, "outcome": "ok", "tests_passed": 1, '
        '"tests_total": 1, "span": null, "verified": false, "confidence": 0, "reason": null, "divergence": null, '
        '"ms": {}}\n'
    )
    (tmp_path / "credits.jsonl").write_text(credit)
    tasks, samples, credits = (str(tmp_path / f"{name}.jsonl") for name in ("tasks", "samples", "credits"))
    arguments = {
        "assess": ["--tasks", tasks, "--samples", samples],
        "prepare": ["starter"],
        "preflight": [tasks],
        "replay": [credits, "--tasks", tasks],
        "report": [credits],
    }
    assert main([command, *arguments[command], "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"egca {command}: {out.parent}" in said
    assert "cannot be written" in said
