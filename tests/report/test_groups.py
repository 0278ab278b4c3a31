"""Tasks and siblings of a report, and two runs side by side in figures."""

from __future__ import annotations

from dataclasses import replace

import report_records as make

from egca_plugin.report.groups import LONGEST, Group, Member, task_views, written_tests
from egca_plugin.report.read import Record
from egca_plugin.report.summary import summarise
from egca_plugin.report.versus import figures
from egca_plugin.types import CallCase, Kind, StdinCase, Task

RECORDS = [Record(task_id, credit, text, step) for step in (1, 2) for task_id, text, credit in make.rows()]
SUM = Task("sum/1", "p" * (LONGEST + 1), "total", "", ("assert total([]) == 0", "assert total([1]) == 1"))


def test_siblings_share_task_and_step_and_only_the_listed_are_named() -> None:
    first, last, *_ = task_views(RECORDS, [0, 1, 2, 7], {"sum/1": SUM})
    assert (first.task_id, first.anchor, last.anchor) == ("sum/1", "t1", "t2")
    assert first.groups == (
        Group(1, (Member(1, "logic", False), Member(2, "correct", True))),
        Group(2, (Member(8, "logic", False),)),
    )
    assert first.tests == "assert total([]) == 0\nassert total([1]) == 1"
    assert first.prompt == "p" * LONGEST + "…"
    assert (last.prompt, last.tests) == ("", "")


def test_cases_are_told_as_calls_and_runs() -> None:
    calls = (CallCase("[1, 2]", "{}", "3"), CallCase("[]", '{"x": 1}', "null"))
    assert written_tests(replace(SUM, tests="", cases=calls)) == '(*[1, 2]) -> 3\n(*[], **{"x": 1}) -> null'
    runs = (StdinCase("3\n", ("4", "four")),)
    assert written_tests(replace(SUM, tests="", kind=Kind.STDIN, cases=runs)) == "stdin '3\\n' -> '4' or 'four'"


def test_two_runs_differ_by_what_they_differ_by() -> None:
    passed = [replace(record, credit=RECORDS[1].credit) for record in RECORDS]
    found = {figure.name: figure for figure in figures(summarise(RECORDS), summarise(passed))}
    rate = found["passed all tests"]
    assert (rate.this, rate.other, rate.difference) == (1 / 7, 1.0, 1 / 7 - 1.0)
    assert found["logic"].difference == 3 / 7
    assert found["narrow credit, of the failing"].other is None
    assert found["narrow credit, of the failing"].difference is None
