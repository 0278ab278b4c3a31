"""A place that cannot be written to is said before any work is done; what a command reads, links and devices stay."""

from __future__ import annotations

import json
import os
import stat
import threading
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


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before")
    out.chmod(0o640)
    with pytest.raises(ZeroDivisionError), output.whole(out) as file:
        file.write(b"half" * (1 // 0))
    assert out.read_text() == "before"
    with output.whole(out) as file:
        file.write(b"whole")
    assert out.read_text() == "whole"
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [out]


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    for text in (b"new", b"again"):  # where there is no target yet, and where there is one
        output.ready(link)
        with output.whole(link) as file:
            file.write(text)
        assert link.is_symlink()
        assert target.read_bytes() == text
    assert list(target.parent.iterdir()) == [target]


def test_devices_and_pipes_are_written_through(tmp_path: Path) -> None:
    before = os.stat("/dev/null")
    with output.whole(Path("/dev/null")) as file:
        file.write(b"x")
    assert os.stat("/dev/null").st_rdev == before.st_rdev
    full = pytest.raises(EgcaError, match=r"/dev/full: cannot be written \(No space left on device\)")
    with full, output.whole(Path("/dev/full")) as file:
        file.write(b"x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    output.ready(pipe)
    with output.whole(pipe) as file:
        file.write(b"through")
    reader.join(10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


TASK = {
    "task_id": "t",
    "prompt": "p",
    "entry_point": "f",
    "reference": "def f(): return 1",
    "tests": ["assert f() == 1"],
}
CREDIT = {
    "task_id": "t", "completion": "1", "mode": "correct", "reward": 1, "outcome": "ok", "tests_passed": 1,
    "tests_total": 1, "span": None, "verified": False, "confidence": 0, "reason": None, "divergence": None, "ms": {},
}  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    rows = {"tasks": TASK, "samples": {"task_id": "t", "completion": "1"}, "credits": CREDIT}
    rows["references"] = {"task_id": "t", "source": "def f(): return 1"}
    paths = {name: tmp_path / f"{name}.jsonl" for name in rows}
    for name, path in paths.items():
        path.write_text(json.dumps(rows[name]) + "\n")
    return paths


def command(name: str, inputs: dict[str, Path]) -> list[str]:
    tasks, samples, credits, references = map(str, inputs.values())
    arguments = {
        "assess": ["--tasks", tasks, "--samples", samples, "--set", f"references={references}"],
        "prepare": ["starter"],
        "preflight": [tasks, "--references", references],
        "replay": [credits, "--tasks", tasks, "--samples", samples],
        "report": [credits, "--samples", samples],
    }
    return [name, *arguments[name]]


@pytest.mark.parametrize("name", ["assess", "prepare", "preflight", "replay", "report"])
def test_every_command_that_writes_says_so_in_one_line(
    name: str, tmp_path: Path, inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "file" / "out.jsonl"
    (tmp_path / "file").touch()
    assert main([*command(name, inputs), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"egca {name}: {out.parent}" in said
    assert "cannot be written" in said


READ = {
    "assess": ("tasks", "samples", "references"),
    "preflight": ("tasks", "references"),
    "replay": ("credits", "tasks", "samples"),
    "report": ("credits", "samples"),
}


@pytest.mark.parametrize("how", ["same", "roundabout", "hard link", "symbolic link"])
@pytest.mark.parametrize(("name", "read"), [(name, read) for name, names in READ.items() for read in names])
def test_what_a_command_reads_is_never_where_it_writes(
    name: str, read: str, how: str, tmp_path: Path, inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = inputs[read]
    before = path.read_bytes()
    out = {"same": path, "roundabout": tmp_path / "x" / ".." / path.name}.get(how, tmp_path / "other.jsonl")
    (tmp_path / "x").mkdir()
    if how == "hard link":
        out.hardlink_to(path)
    elif how == "symbolic link":
        out.symlink_to(path)
    assert main([*command(name, inputs), "--out", str(out)]) == 2
    assert f"egca {name}: {out}: the same file as {path}" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert out.is_symlink() == (how == "symbolic link")


def test_a_runs_own_records_are_not_where_its_report_goes(
    tmp_path: Path, inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "records").mkdir(parents=True)
    record = inputs["credits"].rename(tmp_path / "run" / "records" / "credits-host-1.jsonl")
    assert main(["report", str(tmp_path / "run"), "-o", str(record)]) == 2
    assert "the same file as" in capsys.readouterr().err
    assert json.loads(record.read_text()) == CREDIT


def test_records_and_tables_do_not_share_standard_output(
    inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("preflight", "replay"):
        assert main([*command(name, inputs), "--out", "-", "--json"]) == 2
        assert "both go to standard output" in capsys.readouterr().err
