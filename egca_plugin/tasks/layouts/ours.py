"""The task file's own form (docs/data.md), one JSON object a task."""

from __future__ import annotations

from dataclasses import replace

from egca_plugin.tasks import blobs
from egca_plugin.tasks.files import task_from_mapping
from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys


def read(row: Row) -> Reading:
    """The task as it is written; its reference must pass like any other."""
    task = task_from_mapping(blobs.resolve(row.fields, row.folder, row.where), row.where)
    reference = programs.bare(task.reference)
    return Reading((replace(task, reference=""),), (reference,) if reference.strip() else ())


LAYOUT = Layout("ours", "the task file", (keys("task_id", "tests"), keys("task_id", "tests_file")), read, ask)
