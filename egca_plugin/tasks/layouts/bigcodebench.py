"""BigCodeBench: one function ``task_func``, tested by ``unittest``; ``libs`` are the packages that it may use."""

from __future__ import annotations

from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Task

_USED = ("task_id", "instruct_prompt", "complete_prompt", "canonical_solution", "code_prompt", "test", "entry_point")


def read(row: Row) -> Reading:
    """The canonical solution is the body that goes behind ``code_prompt``, else behind ``complete_prompt``."""
    head = row.text("code_prompt", "complete_prompt")
    body = row.text("canonical_solution")
    task = Task(
        task_id=row.text("task_id"),
        prompt=row.text("instruct_prompt", "complete_prompt"),
        entry_point=row.text("entry_point"),
        reference="",
        tests=row.text("test"),
        extra=row.rest("bigcodebench", *_USED),
    )
    return Reading((task,), programs.references([head.rstrip("\n") + "\n" + body]))


LAYOUT = Layout(
    "bigcodebench",
    "BigCodeBench",
    (keys("task_id", "complete_prompt", "canonical_solution", "test", "entry_point"),),
    read,
    ask,
)
