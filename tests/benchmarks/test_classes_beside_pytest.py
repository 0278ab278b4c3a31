"""The benchmark of classes on one of its tasks: pytest's word, ours, and the line of the fault."""

from __future__ import annotations

import json

from benchmarks.classes import PROGRAMS, TASKS, judged
from egca_plugin.sandbox.outside.api import Sandbox


def test_one_task_from_end_to_end(sandbox: Sandbox) -> None:
    rows = [json.loads(line) for line in TASKS.read_text(encoding="utf-8").splitlines()]
    assert len({row["task_id"] for row in rows}) == len(rows) == 60
    row = next(row for row in rows if row["task_id"] == "classes/linked")
    told = list(judged(sandbox, row))
    assert [one["program"] for one in told] == list(PROGRAMS)
    assert [one["pytest"] for one in told] == [True, True, False]
    assert [one["outcome"] for one in told][:2] == ["ok", "ok"]
    assert told[2]["reference"] == {"verified": True, "hit": True, "reason": ""}
