"""rStar-Coder: ``question``, ``inputs`` and ``outputs``; with ``func_name`` calls of a function, or of a method of
``class_name``. There are no references.
"""

from __future__ import annotations

from egca_plugin.tasks.layouts import cases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Kind, Task

_USED = ("question_id", "question", "starter_code", "inputs", "outputs", "func_name", "class_name")


def read(row: Row) -> Reading:
    """``inputs`` and ``outputs`` are lists, or JSON text of them."""
    starter, name, owner = row.maybe("starter_code"), row.maybe("func_name"), row.maybe("class_name")
    base = Task(
        task_id=row.id("rstar", "question_id"),
        prompt=cases.prompt(row.text("question"), starter),
        entry_point="",
        reference="",
        tests=(),
        extra=row.rest("rstar", *_USED),
    )
    inputs, outputs = row.sequence("inputs"), row.sequence("outputs")
    field = "inputs and outputs"
    if not name:
        found = cases.stdin_cases(row, field, inputs, outputs)
        return Reading(cases.with_kind(base, Kind.STDIN, "", (found,)))
    kind, entry_point = cases.entry_point(f"{owner}.{name}" if owner else name, starter)
    return Reading(
        cases.with_kind(base, kind, entry_point, cases.ambiguous_cases(row, field, inputs, outputs, name, starter))
    )


LAYOUT = Layout("rstar", "rStar-Coder", (keys("question", "inputs", "outputs"),), read, ask)
