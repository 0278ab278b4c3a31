"""APPS and TACO: ``question``, ``starter_code``, ``solutions`` and ``input_output``, the last two written as JSON text.

``input_output`` is ``{inputs, outputs[, fn_name]}``. With ``fn_name`` the tests are calls, in the form of Codewars and
LeetCode that is ambiguous (:func:`egca_plugin.tasks.layouts.cases.ambiguous_cases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from egca_plugin.tasks.layouts import cases, programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Kind, Task

_USED = ("id", "problem_id", "question", "starter_code", "solutions", "input_output", "time_limit", "memory_limit")


def read(row: Row) -> Reading:
    """The limits are those of the contest."""
    base = Task(
        task_id=row.id("apps", "problem_id", "id"),
        prompt=cases.prompt(row.text("question"), row.maybe("starter_code")),
        entry_point="",
        reference="",
        tests=(),
        limits=cases.limits(row),
        extra=row.rest("apps", *_USED),
    )
    solutions = programs.references(row.sequence("solutions"))
    return Reading(
        readings(row, "input_output", row.mapping("input_output"), base, row.maybe("starter_code"), solutions),
        solutions,
    )


def readings(
    row: Row, field: str, tests: Mapping[str, Any], base: Task, starter: str, solutions: tuple[str, ...]
) -> tuple[Task, ...]:
    """The readings of ``{inputs, outputs[, fn_name]}``. Raises TaskError."""
    inputs, outputs, name = tests.get("inputs"), tests.get("outputs"), tests.get("fn_name")
    if not name:
        found = cases.stdin_cases(row, field, inputs, outputs)
        return cases.with_kind(base, Kind.STDIN, "", (found,))
    if not isinstance(name, str):
        raise row.fault(f"{field}.fn_name", repr(name)[:60], "a function's name")
    kind, entry_point = cases.entry_point(name, starter, solutions)
    return cases.with_kind(base, kind, entry_point, cases.ambiguous_cases(row, field, inputs, outputs, name, starter))


LAYOUT = Layout("apps", "APPS and TACO", (keys("question", "input_output"),), read, ask)
