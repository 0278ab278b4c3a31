"""Calls and their results as data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import TaskError
from egca_plugin.judging.forms.cases import equal
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallCase, Compare, Limits, Outcome, StdinCase, Task

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
)


def case(expected: Any, *args: Any, **kwargs: Any) -> CallCase:
    return CallCase(json.dumps(args), json.dumps(kwargs), json.dumps(expected))


def task(*cases: CallCase, compare: Compare = Compare(), limits: Limits = Limits()) -> Task:  # noqa: B008 - frozen
    return Task("t/1", "", "f", "def f(x, by=1): return x + by", "", cases=cases, compare=compare, limits=limits)


def test_every_case_is_a_test(sandbox: Sandbox) -> None:
    three = task(case(2, 1), case(5, 2, by=3), case([1, 2], [1], by=[2]))
    assert judge(sandbox, three.reference, three).tests_passed == 3
    verdict = judge(sandbox, "def f(x, by=1): return x + 1", three)
    assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (Outcome.WRONG_ANSWER, 1, 3)
    assert [c.passed for c in verdict.calls] == [True, False, False]
    assert "got 3, expected 5" in verdict.detail


def test_crashes_and_hangs_fail_their_case(sandbox: Sandbox) -> None:
    three = task(case(2, 1), case(3, 2), case(4, 3))
    verdict = judge(sandbox, "def f(x): return {1: 2, 3: 4}[x]", three)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.EXCEPTION, 2)
    hangs = judge(sandbox, "def f(x):\n    while x == 2: pass\n    return x + 1", three, timeout_s=0.3)
    assert (hangs.outcome, hangs.tests_passed) == (Outcome.TIMEOUT, 1)


def test_a_task_may_bound_its_cases(sandbox: Sandbox) -> None:
    assert judge(sandbox, "def f(x): return 2", task(case(2, 1), case(3, 2), limits=Limits(tests=1))).passed


def test_tolerance_is_the_tasks(sandbox: Sandbox) -> None:
    nearly = "def f(x): return x + 1.0000001"
    assert not judge(sandbox, nearly, task(case(2.0, 1))).passed
    assert judge(sandbox, nearly, task(case(2.0, 1), compare=Compare(abs=1e-6))).passed


def test_runs_of_whole_programs_are_no_calls(sandbox: Sandbox) -> None:
    with pytest.raises(TaskError, match="run of a whole program"):
        judge(sandbox, "", Task("t/1", "", "f", "", "", cases=(StdinCase("1", ("2",)),)))
    with pytest.raises(TaskError, match="expected 'value' for calls"):
        judge(sandbox, "", task(case(1, 1), compare=Compare(mode="lines")))


@given(JSON)
def test_a_value_equals_what_json_makes_of_it(value: Any) -> None:
    assert equal(value, json.loads(json.dumps(value)), Compare())


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ((1, (2,)), [1, [2]], True),
        ({1: "a", None: 2}, {"1": "a", "null": 2}, True),
        ({1: "a", "1": "b"}, {"1": "b"}, False),
        ({1, 2}, [1, 2], False),
        ("ab", ["a", "b"], False),
        (1, 1.0, True),
        (0.1 + 0.2, 0.3, False),
        ("A", "a", False),
        (None, False, False),
    ],
)
def test_what_json_cannot_say(got: Any, expected: Any, same: bool) -> None:
    assert equal(got, expected, Compare()) is same


def test_case_may_not_matter() -> None:
    assert equal(["YES"], ["yes"], Compare(case=False))
