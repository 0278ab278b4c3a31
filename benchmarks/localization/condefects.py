"""Programs that people wrote in contests, on standard input, each with its corrected version: the form ``stdin``.

The file is ConDefects' (MIT licence), one JSON object a line: ``id``, ``task``, ``tests`` (``stdin``, ``stdout``),
``faulty``, ``correct``, ``line``, ``kind``. It is given on the command line and not part of this repository.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.localization.corpus import Subject
from egca_plugin.errors import TaskError
from egca_plugin.program.positions import SourceMap
from egca_plugin.types import Kind, StdinCase, Task

FORM = "stdin"


def load(path: Path) -> tuple[dict[str, Task], list[Subject]]:
    """Tasks by id, and their faulty programs; those whose line is unknown are left out.

    A task is one pair: its reference is the corrected version. Raises TaskError with the line of a bad row.
    """
    tasks: dict[str, Task] = {}
    subjects = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            task = _task(row)
            tasks[task.task_id] = task
            if row["line"]:
                subjects.append(_subject(row))
        except (ValueError, TypeError, KeyError) as error:
            raise TaskError(f"{path}:{number}: got no pair of programs ({error!r})") from error
    return tasks, subjects


def _task(row: dict[str, Any]) -> Task:
    cases = tuple(StdinCase(test["stdin"], (test["stdout"],)) for test in row["tests"])
    return Task(row["id"], "", "", row["correct"], (), kind=Kind.STDIN, cases=cases)


def _subject(row: dict[str, Any]) -> Subject:
    source = SourceMap(row["faulty"])
    span = source.line_span(min(row["line"], source.line_count))  # a statement may be missing behind the last
    category = "omission" if row["kind"] == "omission" else "wrong"
    return Subject(
        row["id"], row["id"], FORM, row["kind"], category, row["faulty"], (row["line"],), (span,), row["correct"]
    )
