"""DeepCoder-Preview: ``problem``, ``starter_code``, ``solutions`` and ``tests``, JSON text in one of two forms.

The tests are a list of ``{input, output, testtype}`` (its parts from LiveCodeBench, PrimeIntellect and Codeforces) or
TACO's ``{inputs, outputs[, fn_name]}``; ``metadata.func_name`` names the function of LiveCodeBench's.
"""

from __future__ import annotations

from collections.abc import Mapping

from egca_plugin.tasks.layouts import apps, cases, programs, testcases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys, shown
from egca_plugin.types import Task

_USED = ("problem", "starter_code", "solutions", "tests")


def read(row: Row) -> Reading:
    """Which of the two forms the tests have shows in the value itself."""
    starter = row.maybe("starter_code")
    base = Task(
        task_id=row.id("deepcoder", "id", "question_id"),
        prompt=cases.prompt(row.text("problem"), starter),
        entry_point="",
        reference="",
        tests=(),
        extra=row.rest("deepcoder", *_USED),
    )
    solutions = programs.references(row.sequence("solutions"))
    tests = row.parsed("tests")
    if isinstance(tests, Mapping):
        return Reading(apps.readings(row, "tests", tests, base, starter, solutions), solutions)
    if not isinstance(tests, list):
        raise row.fault("tests", shown(tests), "a list of tests, or {inputs, outputs}")
    name = testcases.function_name(row)
    return Reading(testcases.readings(row, "tests", tests, base, starter, solutions, name), solutions)


LAYOUT = Layout("deepcoder", "DeepCoder-Preview", (keys("problem", "tests"),), read, ask)
