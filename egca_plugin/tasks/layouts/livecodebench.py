"""LiveCodeBench: ``question_content``, ``starter_code``, ``metadata.func_name``, public and private tests.

``public_test_cases`` is JSON text of a list ``{input, output, testtype}``; ``private_test_cases`` holds more of them
packed (:mod:`egca_plugin.tasks.layouts.packed`). There are no references.
"""

from __future__ import annotations

from typing import Any

from egca_plugin.tasks.layouts import cases, packed, testcases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys, shown
from egca_plugin.types import Task

_USED = ("question_id", "question_content", "starter_code", "public_test_cases", "private_test_cases")


def read(row: Row) -> Reading:
    """Public tests first, then the private ones."""
    starter = row.maybe("starter_code")
    base = Task(
        task_id=row.id("livecodebench", "question_id"),
        prompt=cases.prompt(row.text("question_content"), starter),
        entry_point="",
        reference="",
        tests=(),
        extra=row.rest("livecodebench", *_USED),
    )
    tests = [*row.sequence("public_test_cases"), *private(row)]
    name = testcases.function_name(row)
    return Reading(testcases.readings(row, "public_test_cases and private_test_cases", tests, base, starter, (), name))


def private(row: Row) -> list[Any]:
    """The private tests, unpacked. Raises TaskError."""
    field = "private_test_cases"
    value = row.fields.get(field)
    if isinstance(value, str) and value:
        where = f"{row.where}, field {field}"
        as_text = value.lstrip()[:1] in "[{"  # some copies of the set have them as JSON
        value = packed.from_json(value, where) if as_text else packed.from_pickle(value, where)
    if value in (None, ""):
        return []
    if not isinstance(value, list):
        raise row.fault(field, shown(value), "a list of tests")
    return value


LAYOUT = Layout(
    "livecodebench",
    "LiveCodeBench",
    (keys("question_content", "public_test_cases", "private_test_cases"),),
    read,
    ask,
)
