"""ConDefects as pairs: a faulty program from a contest (``faulty``), its corrected version (``correct``), its samples.

The corrected program is the reference. There is no problem statement, so the tasks serve ``egca assess``, not training.
"""

from __future__ import annotations

from collections.abc import Mapping

from egca_plugin.tasks.layouts import cases, programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, asked, keys
from egca_plugin.types import Kind, Task


def read(row: Row) -> Reading:
    """``faulty`` and the fault's ``line`` are passed through."""
    tests = row.sequence("tests")
    inputs = [test.get("stdin") if isinstance(test, Mapping) else None for test in tests]
    outputs = [test.get("stdout") if isinstance(test, Mapping) else None for test in tests]
    task = Task(
        task_id=row.text("id"),
        prompt="",
        entry_point="",
        reference="",
        tests=(),
        limits=cases.limits(row, "time_s", ""),
        extra=row.rest("condefects", "id", "tests", "correct", "time_s"),
    )
    tasks = cases.with_kind(task, Kind.STDIN, "", (cases.stdin_cases(row, "tests", inputs, outputs),))
    return Reading(tasks, programs.references([row.text("correct")]))


LAYOUT = Layout("condefects", "ConDefects", (keys("id", "tests", "faulty", "correct"),), read, asked)
