from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.layouts.layout import Reading, Row
from egca_plugin.tasks.layouts.registry import LAYOUTS
from egca_plugin.tasks.soundness import REASONS, Options, echo, examine
from egca_plugin.types import CallCase, Kind, Limits, StdinCase, Task

RIGHT = "def twice(x):\n    return 2 * x\n"
WRONG = "def twice(x):\n    return 3 * x\n"
TASK = Task("t", "Write twice(x).", "twice", "", ("assert twice(2) == 4", "assert twice(1) == 2"))


def stdin_task(**fields: Any) -> Task:
    cases = (StdinCase("2\n", ("4\n",)), StdinCase("3\n", ("6\n",)))
    return Task("s", "Double.", "", "", (), kind=Kind.STDIN, cases=cases, **fields)


# Strict: the test that passes fails the run, and this mark goes with its four uses.


def test_the_first_program_that_passes_is_the_reference(sandbox: Sandbox) -> None:
    found = examine(sandbox, Reading((TASK,), (WRONG, RIGHT, RIGHT + "#")), Options())
    assert found.task == replace(TASK, reference=RIGHT)
    assert found.reason == ""


def test_where_none_passes_the_first_failure_is_told(sandbox: Sandbox) -> None:
    found = examine(sandbox, Reading((TASK,), (WRONG, WRONG + "#")), Options())
    assert (found.reason, found.task) == ("failing", TASK)
    assert found.detail.startswith("wrong_answer, 0 of 2 tests passed (2 programs tried): test 0: AssertionError")


def test_a_slow_reference_is_told_from_a_wrong_one(sandbox: Sandbox) -> None:
    slow = "def twice(x):\n    while True:\n        pass\n"
    assert examine(sandbox, Reading((TASK,), (slow,)), Options(timeout_s=0.5)).reason == "timeout"
    late = "def twice(x):\n    for _ in range(10**7):\n        pass\n    return 2 * x\n"
    assert examine(sandbox, Reading((TASK,), (late,)), Options()).reason == ""
    brief = replace(TASK, limits=Limits(time_s=0.05))  # in which no sample that is as slow would pass
    assert examine(sandbox, Reading((brief,), (late,)), Options()).reason == "timeout"


def test_a_reference_that_lacks_the_entry_point(sandbox: Sandbox) -> None:
    found = examine(sandbox, Reading((TASK,), ("def double(x):\n    return 2 * x\n",)), Options())
    assert found.reason == "mismatch"
    assert found.detail == "entry_point: got 'twice', which the reference lacks; it defines double"
    assert examine(sandbox, Reading((TASK,), (WRONG, "twice = lambda x: 2 * x")), Options()).reason == ""


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("def check(candidate):\n    assert True\n", "tests: got no "),
        ("def check(candidate:\n", "tests: got source that does not compile"),
    ],
)
@pytest.mark.parametrize("references", [(RIGHT,), ()])
def test_tests_that_cannot_be_run_or_call_nothing(
    sandbox: Sandbox, tests: str, message: str, references: tuple[str, ...]
) -> None:
    found = examine(sandbox, Reading((replace(TASK, tests=tests),), references), Options())
    assert (found.reason, found.task) == ("untestable", None)
    assert found.detail.startswith(message)


def test_without_a_reference_a_program_that_does_nothing_must_fail(sandbox: Sandbox) -> None:
    nothing = replace(TASK, tests=("assert twice(2) is None",))
    assert examine(sandbox, Reading((nothing,)), Options()).reason == "proves nothing"
    assert examine(sandbox, Reading((TASK,)), Options()).reason == ""


def test_unchecked_the_first_program_that_fits_is_believed(sandbox: Sandbox) -> None:
    found = examine(sandbox, Reading((TASK,), ("x = 1", WRONG)), Options(check=False))
    assert (found.task, found.reason) == (replace(TASK, reference=WRONG), "")


def test_what_is_doubtful_keeps_its_reference(sandbox: Sandbox) -> None:
    found = examine(sandbox, Reading((TASK,), (RIGHT,), doubts=("why",)), Options())
    assert (found.task, found.reason, found.detail) == (replace(TASK, reference=RIGHT), "doubtful", "why")


def test_every_reason_has_a_meaning() -> None:
    assert {"failing", "timeout", "mismatch", "untestable", "outputs", "proves nothing", "doubtful"} < REASONS.keys()


# --- outputs out of the reference ---------------------------------------------------------------------------------


def evalplus(body: str, inputs: list[Any], atol: float = 0) -> Reading:
    row = {
        "task_id": "H/1", "prompt": "def f(x):\n", "entry_point": "f", "canonical_solution": f"    {body}\n",
        "base_input": inputs, "plus_input": [], "atol": atol,
    }  # fmt: skip
    return LAYOUTS["evalplus"].read(Row("rows.jsonl:1", "rows/1", row))


def test_the_reference_gives_the_outputs(sandbox: Sandbox) -> None:
    found = examine(sandbox, evalplus("return [x, (x, 0.5)]", [[1], ["a"]], atol=1e-6), Options(check=False))
    assert found.task is not None
    assert found.task.cases == (CallCase("[1]", "{}", "[1, [1, 0.5]]"), CallCase('["a"]', "{}", '["a", ["a", 0.5]]'))
    assert found.task.compare.abs == 1e-6


def test_outputs_that_json_cannot_say_are_asserted(sandbox: Sandbox) -> None:
    found = examine(sandbox, evalplus("return {x: {x}}", [[1], [2]]), Options())
    assert found.reason == ""
    assert found.task is not None
    assert found.task.tests == ("assert f(*[1]) == {1: {1}}", "assert f(*[2]) == {2: {2}}")
    mixed = examine(sandbox, evalplus("return {x} if x > 1 else 0.1 * x", [[1], [2]]), Options()).task
    assert mixed is not None
    assert judge(sandbox, "def f(x):\n    return {x} if x > 1 else x / 10 + 1e-9\n", mixed).passed
    assert not judge(sandbox, "def f(x):\n    return {x} if x > 1 else x / 9\n", mixed).passed
    refused = examine(sandbox, evalplus("return {x}", [[1]], atol=1e-6), Options())
    assert (refused.reason, refused.task) == ("outputs", None)
    assert "is no JSON: {1}" in refused.detail


def test_a_float_has_the_tolerance_of_evalplus_own_judge(sandbox: Sandbox) -> None:
    task = examine(sandbox, evalplus("return 0.1 * x", [[3]]), Options()).task
    assert task is not None
    assert judge(sandbox, "def f(x):\n    return x / 10\n", task).passed
    assert not judge(sandbox, "def f(x):\n    return x / 9\n", task).passed


@pytest.mark.parametrize(
    "body",
    [
        "import collections\n    return collections.Counter([x])",
        "import collections\n    return collections.defaultdict(int, {x: 1})",
        "import collections\n    return collections.deque([x])",
        "import datetime\n    return datetime.date(2020, 1, x)",
        "from fractions import Fraction\n    return Fraction(x, 2)",
        "return {float('inf')}",
    ],
)
def test_values_of_the_library_are_asserted_by_name(sandbox: Sandbox, body: str) -> None:
    found = examine(sandbox, evalplus(body, [[3]]), Options())
    assert (found.reason, found.detail) == ("", "")


@pytest.mark.parametrize("body", ["return map(str, [x])", "return {1: float('nan')}", "return 10 ** 5000 + x"])
def test_values_that_nothing_can_spell_are_refused(sandbox: Sandbox, body: str) -> None:
    assert examine(sandbox, evalplus(body, [[3]]), Options()).reason == "outputs"


def test_a_reference_that_gives_no_output(sandbox: Sandbox) -> None:
    found = examine(sandbox, evalplus("return 1 // x", [[1], [0]]), Options())
    assert found.reason == "outputs"
    assert found.detail.startswith("the reference gives no output for the arguments [0]: ZeroDivisionError")


# --- what the referee judges by cases -----------------------------------------------------------------------------


def test_the_references_decide_between_readings(sandbox: Sandbox) -> None:
    wrapped = replace(TASK, tests=(), cases=(CallCase("[2]", "{}", "[4]"),))
    plain = replace(wrapped, cases=(CallCase("[2]", "{}", "4"),))
    for readings in ((plain, wrapped), (wrapped, plain)):
        found = examine(sandbox, Reading(readings, (RIGHT,)), Options())
        assert found.task is not None
        assert found.task.cases == plain.cases


def test_evalplus_whole(sandbox: Sandbox) -> None:
    assert examine(sandbox, evalplus("return [x, (x, 0.5)]", [[1], ["a"]], atol=1e-6), Options()).reason == ""


def test_programs_on_standard_input(sandbox: Sandbox) -> None:
    right, wrong = "print(2 * int(input()))", "print(2 + int(input()))"
    found = examine(sandbox, Reading((stdin_task(),), (wrong, right)), Options())
    assert (found.reason, found.task) == ("", replace(stdin_task(), reference=right))
    assert examine(sandbox, Reading((stdin_task(),), (wrong,)), Options()).reason == "failing"
    assert examine(sandbox, Reading((stdin_task(),)), Options()).reason == ""
    assert judge(sandbox, echo(stdin_task()), stdin_task()).passed


@pytest.mark.parametrize("body", ["raise ValueError('no')", "return False"])
def test_a_checker_that_raises_or_refuses_what_is_expected(sandbox: Sandbox, body: str) -> None:
    task = stdin_task(checker=f"def check(stdin, output, expected):\n    {body}\n")
    found = examine(sandbox, Reading((task,)), Options())
    assert found.reason == "untestable"
    assert "checker" in found.detail
