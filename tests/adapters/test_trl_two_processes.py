"""Two processes, each with a sandbox of its own and half of a group: the same step as one process takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl")

import tiny_policy as policy
import torch
import trl_two_processes

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")]


def on_one(model: Path, out: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    trl_two_processes.main(model, out)
    torch.set_num_threads(threads)


def on_two(model: Path, out: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [sys.executable, *launcher, trl_two_processes.__file__, str(model), str(out)]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-4000:]


def logs(out: Path) -> list[dict[str, float]]:
    return [json.loads(file.read_text()) for file in sorted(out.glob("rank*.json"))]


def test_a_group_on_two_processes_takes_the_step_of_one(tmp_path: Path) -> None:
    model = policy.build(tmp_path / "model", steps=0)
    for run in (on_one, on_two):
        out = tmp_path / run.__name__
        out.mkdir()
        run(model, out)
    (one,), two = logs(tmp_path / "on_one"), logs(tmp_path / "on_two")
    assert two[0] == two[1], "all processes log the whole batch"
    assert two[0].keys() == one.keys()
    assert two[0] == pytest.approx(one, rel=1e-4, abs=1e-5)
    assert one["egca/moved"] == 0.75
    assert one["egca/praised_tokens"] > 0, "by how the whole group does, wherever its samples lie"
    (records,) = (tmp_path / "on_two" / "records").iterdir()
    keys = [json.loads(line)["key"] for line in records.read_text().splitlines()]
    assert keys == [f"0.{row // 4}_{row % 4}_0" for row in range(12)], "the first process writes all"
