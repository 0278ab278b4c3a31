"""Following a run's records while they are written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import report_records as make

from egca_plugin.cli.main import main
from egca_plugin.errors import SampleError
from egca_plugin.report.follow import Follower


def test_records_arrive_once_each_and_only_whole(tmp_path: Path) -> None:
    whole = make.write(tmp_path / "all.jsonl", steps=1).read_bytes()
    run = tmp_path / "run"
    follower = Follower(run)
    assert list(follower.poll()) == []  # the directory is not there yet
    run.mkdir()
    live = run / "credits-host-1.jsonl"
    cut = whole.index(b"\n") + 9
    live.write_bytes(whole[:cut])
    assert [r.task_id for r in follower.poll()] == ["sum/1"]
    with live.open("ab") as file:
        file.write(whole[cut:])
    (run / "credits-host-2.jsonl").write_bytes(whole)
    rest = [r.task_id for r in follower.poll()]
    assert len(rest) == 2 * len(make.rows()) - 1
    assert list(follower.poll()) == []


def test_an_unusable_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    live = make.write(tmp_path / "credits-host-1.jsonl")
    follower = Follower(tmp_path)
    assert len(list(follower.poll())) == len(make.rows())
    with live.open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(SampleError, match=rf"credits-host-1.jsonl:{len(make.rows()) + 1}, field task_id: missing"):
        list(follower.poll())


def test_watch_shows_a_line_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make.write(tmp_path / "credits-host-1.jsonl", steps=3)
    assert main(["watch", str(tmp_path), "--once"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[2:5]] == [["1", "7", "14%"], ["2", "6", "17%"], ["3", "5", "0%"]]
    assert "credit stayed wide: a_code_of_tomorrow 3" in lines[-1]


def test_watch_says_what_it_waits_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(tmp_path / "none"), "--once"]) == 0
    assert "no records in" in capsys.readouterr().out


def test_watch_ends_with_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last process that wrote here is gone, and its file's name says which it was."""
    with subprocess.Popen(["true"]) as writer:
        pass
    make.write(tmp_path / f"credits-{os.uname().nodename}-{writer.pid}.jsonl", steps=2)
    assert main(["watch", str(tmp_path)]) == 0
    assert capsys.readouterr().out.rstrip().endswith("the run has ended")


@pytest.mark.parametrize(
    "name",
    [f"credits-{os.uname().nodename}-{os.getpid()}", "credits-else-where-1", "credits-x"],
    ids=["this process", "another host", "no process"],  # the same in every worker
)
def test_a_run_that_may_still_write_has_not_ended(tmp_path: Path, name: str) -> None:
    follower = Follower(tmp_path)
    assert not follower.ended()
    make.write(tmp_path / f"{name}.jsonl")
    assert list(follower.poll())
    assert not follower.ended()


def test_watch_shows_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(make.write(tmp_path / "assessed.jsonl", steps=1))]) == 0
    assert "credit stayed wide" in capsys.readouterr().out
