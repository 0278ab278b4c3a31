"""Ground truths as published verl rows hold them, each as the task that it means, or as the error that it is."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import TaskError
from egca_plugin.tasks.files import task_from_mapping, task_to_mapping
from egca_plugin.tasks.layouts import verl_rows
from egca_plugin.tasks.layouts.verl_rows import About
from egca_plugin.types import CallCase, Compare, Kind, StdinCase, Task

ABOUT = About("t/1", "Do it.")


def read(truth: Any, **about: Any) -> Task:
    task = verl_rows.task_of(truth, About("t/1", **about), "row 7, ground_truth")
    assert task is not None
    return task


def pack(value: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


# --- prime_code -----------------------------------------------------------------------------------------------------


def test_inputs_and_outputs_are_runs_of_a_whole_program() -> None:
    task = read({"inputs": ["3\n1 2 3\n", ""], "outputs": ["6\n", "0\n"], "fn_name": None}, prompt="Sum them.")
    assert (task.kind, task.entry_point, task.prompt, task.tests) == (Kind.STDIN, "", "Sum them.", ())
    assert task.cases == (StdinCase("3\n1 2 3\n", ("6\n",)), StdinCase("", ("0\n",)))
    assert task.compare == Compare()


def test_lists_of_lines_are_joined() -> None:
    task = read({"inputs": [["2", "1 2"]], "outputs": [["1", "2"]]})
    assert task.cases == (StdinCase("2\n1 2\n", ("1\n2\n",)),)
    assert read({"inputs": [["2\n", "1 2\n"], 7], "outputs": [["1\n", 2], 3]}).cases == (
        StdinCase("2\n1 2\n", ("1\n2\n",)),
        StdinCase("7", ("3",)),
    )


@pytest.mark.parametrize(
    ("output", "tolerant"), [("0.333333", True), ("YES 1.5\n", True), ("12", False), ("v1.2.3", False)]
)
def test_decimal_points_in_the_outputs_ask_for_a_tolerance(output: str, tolerant: bool) -> None:
    assert (read({"inputs": ["1"], "outputs": [output]}).compare.rel > 0) is tolerant


def test_fn_name_makes_calls_of_lines_of_json() -> None:
    task = read({"fn_name": "place", "inputs": ['[1, 2]\n"a b"', '[]\n""'], "outputs": ["true", "false"]})
    assert (task.kind, task.entry_point) == (Kind.METHOD, "Solution.place")
    assert task.cases == (CallCase('[[1, 2], "a b"]', "{}", "true"), CallCase('[[], ""]', "{}", "false"))
    assert "from typing import *" in task.preamble


def test_lists_of_arguments_are_taken_as_they_are() -> None:
    task = read({"fn_name": "say", "inputs": [["a b", 2]], "outputs": ["a ba b"]})
    assert task.cases == (CallCase('["a b", 2]', "{}", '"a ba b"'),)


def test_codewars_wraps_its_outputs_and_leetcode_does_not() -> None:
    truth = {"fn_name": "f", "inputs": ["1", "2"], "outputs": ["[5]", "[6]"]}

    def expected(**about: Any) -> list[str]:
        return [case.expected for case in read(truth, **about).cases if isinstance(case, CallCase)]

    assert expected(prompt="def f(n):\n") == ["5", "6"]
    assert expected(prompt="def f(n: int) -> int:") == ["5", "6"]
    assert expected(prompt="def f(n: int) -> List[int]:") == ["[5]", "[6]"]
    assert expected(prompt="class Solution:\n    def f(self, n):") == ["[5]", "[6]"]
    assert expected(solutions=("class Solution:\n    def f(self, n):\n        return [n + 4]\n",)) == ["[5]", "[6]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(st.lists(st.tuples(st.lists(JSON, max_size=3), st.integers()), min_size=1, max_size=3))
def test_arguments_survive_their_lines(calls: list[tuple[list[Any], int]]) -> None:
    inputs = ["\n".join(json.dumps(argument) for argument in arguments) for arguments, _ in calls]
    cases = read({"fn_name": "f", "inputs": inputs, "outputs": [json.dumps(value) for _, value in calls]}).cases
    assert [(json.loads(c.args), json.loads(c.expected)) for c in cases if isinstance(c, CallCase)] == calls


# --- the others -----------------------------------------------------------------------------------------------------


def test_skyworks_leetcode_rows() -> None:
    tests = "def check(candidate):\n    assert candidate(nums = [3, 3], target = 6) == [0, 1]\n"
    truth = {"import_prefix": "from typing import *\n", "test_code": tests, "entry_point": "Solution().twoSum"}
    task = read(truth)
    assert (task.kind, task.entry_point) == (Kind.METHOD, "Solution.twoSum")
    assert (task.tests, task.preamble, task.setup) == (tests, "from typing import *\n", "from typing import *\n")
    assert read({**truth, "entry_point": "two_sum"}).kind is Kind.FUNCTION


def test_skyworks_asserts_name_the_function_that_they_call() -> None:
    task = read(
        {
            "assert_case": [
                "assert sorted(pick([2, 1])) == [1]",
                "assert set(pick(range(3))) == {1}",
                "assert pick(twice(2)) == 4",
            ]
        }
    )
    assert (task.kind, task.entry_point, len(task.tests)) == (Kind.FUNCTION, "pick", 3)


@pytest.mark.parametrize(
    "truth",
    [
        {"inputs": ["2\n"], "outputs": ["4\n"]},
        {"inputs": ["2"], "outputs": ["4"], "fn_name": "twice"},
        {"assert_case": ["assert twice(2) == 4", "", " "]},
    ],
)
def test_a_task_file_holds_the_tests(truth: Any) -> None:
    task = read(truth)
    assert task_from_mapping(task_to_mapping(task), "t") == task


LISTED = [
    {"input": "1\n", "output": "2\n", "testtype": "stdin"},
    {"input": "2\n", "output": "3\n", "testtype": "stdin"},
]


@pytest.mark.parametrize(
    "truth",
    [
        LISTED,
        {"public_test_cases": json.dumps(LISTED[:1]), "private_test_cases": pack(json.dumps(LISTED[1:]))},
        {"private_test_cases": LISTED, "question_id": "abc_1"},
        [{**test, "type": "stdin_stdout", "fn_name": None} for test in LISTED],
    ],
)
def test_livecodebench_and_deepcoder_list_their_tests(truth: Any) -> None:
    assert read(truth).cases == (StdinCase("1\n", ("2\n",)), StdinCase("2\n", ("3\n",)))


def test_functional_tests_find_their_name() -> None:
    test = {"input": "[1]\n2", "output": "3", "testtype": "functional"}
    for truth, function in (
        ([{**test, "metadata": {"func_name": "f"}}], ""),
        ([test], "f"),
        ({"private_test_cases": pack(json.dumps([test])), "metadata": '{"func_name": "f"}'}, ""),
    ):
        task = read(truth, function=function)
        assert (task.entry_point, task.cases) == ("Solution.f", (CallCase("[[1], 2]", "{}", "3"),))


def test_a_value_without_tests_is_no_code() -> None:
    for truth in ("42", 42, ["42"], {"answer": "42"}, [], [{"answer": 1}], None, {"inputs": [1]}):
        assert verl_rows.task_of(truth, ABOUT, "row") is None


# --- references -----------------------------------------------------------------------------------------------------

PYTHON2 = "print 'a'"
OTHER = "def other(x):\n    return x\n"
RIGHT = "class Solution:\n    def f(self, x):\n        return x\n"


@pytest.mark.parametrize(
    ("given_", "chosen"),
    [
        ((), ""),
        (("No idea.", PYTHON2), ""),
        ((PYTHON2, OTHER, RIGHT), RIGHT),
        ((f"Here:\n```python\n{RIGHT}```\nDone.",), RIGHT.rstrip("\n")),
        ((RIGHT.replace("\n", "\r\n"),), RIGHT),
        (("f = lambda x: int(x)",), "f = lambda x: int(x)"),
    ],
)
def test_the_reference_is_the_first_solution_that_defines_the_name(given_: tuple[str, ...], chosen: str) -> None:
    assert read({"fn_name": "f", "inputs": ["1"], "outputs": ["1"]}, solutions=given_).reference == chosen


# --- bad rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ({"inputs": [], "outputs": []}, r"ground_truth.inputs: got no test"),
        ({"inputs": ["1", "2"], "outputs": ["1"]}, "got 2 inputs and 1 outputs, expected as many"),
        ({"inputs": "1", "outputs": ["1"]}, r"ground_truth.inputs: got str '1', expected a list"),
        ({"inputs": ["1"], "outputs": [{}]}, r"ground_truth.outputs\[0\]: got dict {}, expected text"),
        ({"fn_name": "f", "inputs": ["1"], "outputs": ["nope"]}, r"ground_truth.outputs\[0\]: no JSON"),
        ({"fn_name": "f", "inputs": ["1\n{"], "outputs": ["1"]}, r"ground_truth.inputs\[0\]: no JSON"),
        ({"fn_name": "f", "inputs": ["[" * 100_000], "outputs": ["1"]}, r"inputs\[0\]: no JSON"),
        ({"fn_name": "not a name", "inputs": ["1"], "outputs": ["1"]}, "fn_name: got 'not a name'"),
        ({"test_code": "assert f(1)", "entry_point": "f"}, r"test_code: got str .* expected the source of check"),
        ({"test_code": "def check(candidate): pass"}, "entry_point: got ''"),
        ({"assert_case": ["assert f(1) ="]}, r"assert_case\[0\]: got 'assert f\(1\) ='"),
        ({"assert_case": ["assert 1 == 1"]}, "the asserts call no function"),
        ({"question_id": "abc_1"}, "question_id: got 'abc_1' and no tests"),
        ({"private_test_cases": "eJ" + "A" * 60}, "private_test_cases: got 'eJAA.*expected base64 of zlib"),
        ([{"input": "1", "output": "1", "testtype": "functional"}], "a call without a name"),
        ({"private_test_cases": pack(range(3))}, "private_test_cases: the pickle wants a class or a call"),
    ],
)  # fmt: skip
def test_a_bad_row_names_its_field(truth: Any, said: str) -> None:
    with pytest.raises(TaskError, match=f"row 7, .*{said}"):
        verl_rows.task_of(truth, ABOUT, "row 7, ground_truth")


def test_a_name_that_no_solution_defines() -> None:
    with pytest.raises(TaskError, match="'f' is defined by none of the row's 2 solutions"):
        read({"fn_name": "f", "inputs": ["1"], "outputs": ["1"]}, solutions=(OTHER, "def g():\n    return 1\n"))
