"""CodeContests and CodeContests+: programs on standard input, with solutions in several languages.

CodeContests has ``public_``, ``private_`` and ``generated_tests`` as ``{input[], output[]}`` and ``solutions``
as ``{language[], solution[]}``, 3 being Python 3. CodeContests+ has ``test_cases`` as a list of ``{input, output}``,
``correct_submissions`` as a list of ``{language, code}``, and a ``checker``, which is C++ in nearly every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from egca_plugin.tasks.layouts import cases, programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys, shown
from egca_plugin.types import Kind, Limits, Task

PYTHON3 = 3
_TESTS = ("public_tests", "private_tests", "generated_tests")
_USED = ("name", "description", *_TESTS, "solutions", "time_limit", "memory_limit_bytes", "input_file", "output_file")
_PLUS_USED = ("id", "description", "test_cases", "correct_submissions", "time_limit", "memory_limit", "checker")
_MILLISECONDS = 100  # a time limit from here on is in milliseconds


def read(row: Row) -> Reading:
    """All tests, the public ones first. Problems on files are refused."""
    for name in ("input_file", "output_file"):
        if row.maybe(name):
            raise row.unsupported(name, repr(row.maybe(name)), "a program gets no files, only standard input")
    inputs, outputs = [], []
    for name in _TESTS:
        given, expected = _columns(row, name)
        inputs += given
        outputs += expected
    bytes_ = row.fields.get("memory_limit_bytes")
    limits = Limits(
        time_s=cases.limits(row).time_s, memory_mb=int(bytes_) >> 20 or None if isinstance(bytes_, int) else None
    )
    task = Task(
        task_id=row.id("codecontests", "name"),
        prompt=row.text("description"),
        entry_point="",
        reference="",
        tests=(),
        limits=limits,
        extra=row.rest("codecontests", *_USED),
    )
    tasks = cases.with_kind(task, Kind.STDIN, "", (cases.stdin_cases(row, " + ".join(_TESTS), inputs, outputs),))
    return Reading(tasks, programs.references(_python(row, "solutions")))


def _columns(row: Row, name: str) -> tuple[list[Any], list[Any]]:
    tests = row.parsed(name)
    if tests is None:
        return [], []
    given, expected = (tests.get("input"), tests.get("output")) if isinstance(tests, Mapping) else (None, None)
    if not isinstance(given, list) or not isinstance(expected, list):
        raise row.fault(name, shown(tests), "{input: [...], output: [...]}")
    if len(given) != len(expected):
        raise row.fault(name, f"{len(given)} inputs and {len(expected)} outputs", "as many of one as of the other")
    return given, expected


def _python(row: Row, field: str) -> Iterator[Any]:
    """The solutions in Python 3, of columns or of a list of objects."""
    solutions = row.parsed(field) or []
    if isinstance(solutions, Mapping):
        languages, sources = solutions.get("language") or [], solutions.get("solution") or []
        solutions = [{"language": lang, "solution": text} for lang, text in zip(languages, sources, strict=False)]
    for one in solutions:
        language = one.get("language") if isinstance(one, Mapping) else None
        if language == PYTHON3 or str(language).lower() in ("python", "python3", "py3", "pypy3"):
            yield one.get("solution", one.get("code"))


def read_plus(row: Row) -> Reading:
    """A checker that is no Python is a doubt: without it a right answer that differs is called wrong."""
    tests = row.sequence("test_cases")
    inputs = [test.get("input") if isinstance(test, Mapping) else None for test in tests]
    outputs = [test.get("output") if isinstance(test, Mapping) else None for test in tests]
    limits = cases.limits(row)
    seconds = row.fields.get("time_limit")
    if isinstance(seconds, (int, float)) and seconds >= _MILLISECONDS:
        limits = replace(limits, time_s=seconds / 1000)
    task = Task(
        task_id=row.id("codecontests", "id"),
        prompt=row.text("description"),
        entry_point="",
        reference="",
        tests=(),
        limits=limits,
        extra=row.rest("codecontests", *(set(_PLUS_USED) - {"checker"})),
    )
    doubts = (
        ("field checker: it is C++, which is not run; several right outputs may exist",) if row.has("checker") else ()
    )
    tasks = cases.with_kind(task, Kind.STDIN, "", (cases.stdin_cases(row, "test_cases", inputs, outputs),))
    return Reading(tasks, programs.references(_python(row, "correct_submissions")), doubts=doubts)


LAYOUT = Layout(
    "codecontests",
    "CodeContests",
    (keys("description", "public_tests", "private_tests", "generated_tests", "solutions"),),
    read,
    ask,
)
PLUS = Layout(
    "codecontests+",
    "CodeContests+",
    (keys("description", "test_cases", "correct_submissions", "checker"),),
    read_plus,
    ask,
)
