"""OpenCodeInstruct (Ahmad et al. 2025): ``input`` asks, ``output`` answers, ``unit_tests`` is a list of assertions.

The answers are a model's and often fail some of the tests, which are a model's too: such rows are left out, like any
whose reference fails. An answer without Python leaves a task without a reference.
"""

from __future__ import annotations

from egca_plugin.tasks.layouts import acecode, programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Task

_USED = ("id", "input", "output", "unit_tests")


def read(row: Row) -> Reading:
    """One test an assertion; the answer is the reference."""
    tests = acecode.assertions(row, "unit_tests")
    task = Task(
        task_id=row.id("opencodeinstruct", "id"),
        prompt=row.text("input"),
        entry_point=acecode.called_by(row, "unit_tests", tests),
        reference="",
        tests=tests,
        extra=row.rest("opencodeinstruct", *_USED),
    )
    return Reading((task,), programs.references([row.text("output")]))


LAYOUT = Layout("opencodeinstruct", "OpenCodeInstruct", (keys("input", "output", "unit_tests"),), read, ask)
