"""AceCode-87K and V2: ``question`` and ``test_cases`` (``tests`` in V2), assertions that name the function themselves.

There are no references, so the function is the name that the most assertions call first.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence

from egca_plugin.judging.forms.usual import asked_about
from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys, shown
from egca_plugin.types import Task

_USED = ("id", "question", "test_cases", "tests")


def read(row: Row) -> Reading:
    """One test an assertion."""
    field = "test_cases" if row.has("test_cases") else "tests"
    tests = assertions(row, field)
    task = Task(
        task_id=row.id("acecode", "id"),
        prompt=row.text("question"),
        entry_point=called_by(row, field, tests),
        reference="",
        tests=tests,
        extra=row.rest("acecode", *_USED),
    )
    return Reading((task,))


def assertions(row: Row, field: str) -> tuple[str, ...]:
    """Those of the field that are not empty. Raises TaskError where one is no Python, or none is there."""
    tests = [test for test in row.sequence(field) if not isinstance(test, str) or test.strip()]
    if not tests:
        raise row.fault(field, "no test", "at least one assertion")
    for number, test in enumerate(tests):
        if not isinstance(test, str) or programs.tree(test.strip()) is None:
            raise row.fault(f"{field}[{number}]", shown(test), "an assertion in Python")
    return tuple(test.strip() for test in tests)


def called_by(row: Row, field: str, tests: Sequence[str]) -> str:
    """The function that the assertions are about. Raises TaskError where they call none."""
    counts: Counter[str] = Counter()
    for test in tests:
        nodes = ast.walk(programs.tree(test) or ast.Module([], []))
        calls = [node.func for node in nodes if isinstance(node, ast.Call)]
        counts.update(asked_about({call.id: None for call in calls if isinstance(call, ast.Name)}))
    if not counts:
        raise row.fault(field, "tests that call nothing", "assertions about a function's results")
    return counts.most_common(1)[0][0]


LAYOUT = Layout("acecode", "AceCode", (keys("question", "test_cases"), keys("question", "tests")), read, ask)
