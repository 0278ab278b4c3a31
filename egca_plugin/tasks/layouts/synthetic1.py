"""SYNTHETIC-1 and verifiable-coding-problems: ``prompt``, ``gold_standard_solution`` and ``verification_info``.

``verification_info`` is an object, JSON text, or text that is a Python dict, with ``language`` and ``test_cases``.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from typing import Any

from egca_plugin.tasks.layouts import programs, testcases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, asked, keys, shown
from egca_plugin.types import Task

MAX_LITERAL = 32 << 20  # characters of a Python dict: its syntax tree takes many times that
_USED = ("problem_id", "prompt", "gold_standard_solution", "verification_info")


def read(row: Row) -> Reading:
    """The prompts of this set say how to answer."""
    info = verification(row)
    language = str(info.get("language") or "python")
    if not language.lower().startswith("python"):
        raise row.unsupported("verification_info.language", repr(language), "programs are run as Python")
    base = Task(
        task_id=row.id("synthetic1", "problem_id"),
        prompt=row.text("prompt"),
        entry_point="",
        reference="",
        tests=(),
        extra=row.rest("synthetic1", *_USED),
    )
    solutions = programs.references([row.fields.get("gold_standard_solution")])
    tests = info.get("test_cases")
    field = "verification_info.test_cases"
    if not isinstance(tests, list):
        raise row.fault(field, shown(tests), "a list of tests")
    return Reading(testcases.readings(row, field, tests, base, "", solutions), solutions)


def verification(row: Row) -> Mapping[str, Any]:
    """``verification_info`` as an object, however it is written. Raises TaskError."""
    value = row.fields.get("verification_info")
    if isinstance(value, str):
        value = _written(row, value)
    if not isinstance(value, Mapping):
        raise row.fault("verification_info", shown(value), "an object, or text of one")
    return value


def _written(row: Row, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if len(text) > MAX_LITERAL:
        raise row.fault("verification_info", f"{len(text)} characters", f"a Python dict of at most {MAX_LITERAL}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes in data that is not ours to mend
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as cause:
        raise row.fault("verification_info", f"{shown(text)} ({str(cause)[:80]})", "JSON or a Python dict") from cause


LAYOUT = Layout("synthetic1", "SYNTHETIC-1", (keys("prompt", "verification_info"),), read, asked)
