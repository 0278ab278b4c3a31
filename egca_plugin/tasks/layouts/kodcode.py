"""KodCode-V1 and what its pipeline writes: a function with pytest source that imports it ``from solution``.

A row of the set has ``question, solution, test`` (``test_code`` in the first version) and ``test_info`` with the
functions' names; one of the pipeline has ``instruction, response, test_code``.
"""

from __future__ import annotations

import re

from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Task

_USED = ("question_id", "question", "instruction", "solution", "response", "test", "test_code", "test_info")
_IMPORTED = re.compile(r"^\s*from\s+solution\s+import\s+\(?\s*(\w+)", re.M)


def read(row: Row) -> Reading:
    """The entry point is the one of ``test_info``, else what of the solution the tests call most."""
    tests, solution = row.text("test", "test_code"), programs.unfenced(row.text("solution", "response"))
    metadata = row.fields.get("metadata")
    number = metadata.get("prompt_id") if isinstance(metadata, dict) else None
    task = Task(
        task_id=f"kodcode/{number}" if number else row.id("kodcode", "question_id"),
        prompt=row.text("question", "instruction"),
        entry_point=_entry_point(row, tests, solution),
        reference="",
        tests=tests,
        extra=row.rest("kodcode", *_USED),
    )
    return Reading((task,), programs.references([solution]))


def _entry_point(row: Row, tests: str, solution: str) -> str:
    named = [info.get("function_name") for info in row.sequence("test_info") if isinstance(info, dict)]
    called = programs.called_most(tests, solution)
    texts = [name for name in named if isinstance(name, str) and name]
    told = [name for name in texts if re.search(rf"(?<![.\w]){re.escape(name)}\b", tests)]
    if called and (called in named or not told):  # methods of a class are named too
        return called
    imported: list[str] = _IMPORTED.findall(tests)
    for name in (*told, *imported, *texts):
        return name
    raise row.fault("test or test_code", "tests that call nothing of the solution", "calls of a function of it")


LAYOUT = Layout(
    "kodcode",
    "KodCode-V1",
    (
        keys("question", "solution", "test"),
        keys("question", "solution", "test_code"),
        keys("instruction", "response", "test_code"),
    ),
    read,
    ask,
)
