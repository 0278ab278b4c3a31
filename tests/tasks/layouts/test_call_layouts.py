"""Layouts whose tests call something: by cases, by assertions, by test source."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layout_examples import EXAMPLES, example, reading

from egca_plugin.errors import TaskError
from egca_plugin.judging.checks import compile_checks
from egca_plugin.program.preamble import NODES
from egca_plugin.tasks.layouts import cases
from egca_plugin.types import CallCase, Kind

METHOD = "class Solution:\n    def twice(self, x):\n        return 2 * x\n"
FUNCTION = "def twice(x):\n    return 2 * x\n"


def apps(inputs: list[Any], outputs: list[Any], solutions: tuple[str, ...] = (FUNCTION,), starter: str = "") -> Any:
    tests = json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": "twice"})
    return reading(
        "apps", example("apps", input_output=tests, solutions=json.dumps(solutions), starter_code=starter)
    ).tasks


@pytest.mark.parametrize("layout", ["deepcoder", "livecodebench", "rstar"])
def test_a_method_of_the_starter_code(layout: str) -> None:
    (task, *_) = reading(layout, EXAMPLES[layout]).tasks
    assert (task.kind, task.entry_point) == (Kind.METHOD, "Solution.twice")
    assert task.cases[0] == CallCase("[2]", "{}", "4")
    assert "class Solution" in task.prompt
    assert task.preamble == cases.IMPORTS


def test_the_nodes_that_a_row_names_are_given_and_meant() -> None:
    starter = "class Solution:\n    def twice(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        "
    (task, *_) = reading("livecodebench", example("livecodebench", starter_code=starter)).tasks
    assert task.preamble == cases.IMPORTS + NODES["ListNode"]
    assert compile_checks(task).signature.result == "Optional[ListNode]"


def test_the_private_tests_come_behind_the_public_ones() -> None:
    (task,) = reading("livecodebench", EXAMPLES["livecodebench"]).tasks
    assert task.cases == (CallCase("[2]", "{}", "4"), CallCase("[-1]", "{}", "-2"))


def test_several_arguments_are_lines_of_json() -> None:
    tests = json.dumps([{"input": '[1, 2]\n"a"\n3', "output": "[true, null]", "testtype": "functional"}])
    (task,) = reading("deepcoder", example("deepcoder", tests=tests)).tasks
    assert task.cases == (CallCase('[[1, 2], "a", 3]', "{}", "[true, null]"),)


def test_the_solutions_say_method_or_function_where_there_is_no_starter_code() -> None:
    assert apps([[1]], [2], (METHOD,))[0].entry_point == "Solution.twice"
    assert apps([[1]], [2], (FUNCTION,))[0].entry_point == "twice"
    assert apps([[1]], [2], (), "class Solution:\n    def twice(self, x):\n")[0].kind is Kind.METHOD


def test_outputs_in_lists_are_read_both_ways_and_outside_them_first() -> None:
    readings = apps([[1], [2]], [[2], [4]])
    assert [[case.expected for case in task.cases] for task in readings] == [["2", "4"], ["[2]", "[4]"]]
    (one,) = apps([[1], [2]], [[2], [4, 4]])
    assert [case.expected for case in one.cases] == ["[2]", "[4, 4]"]


def test_what_is_returned_says_which_reading_is_likelier() -> None:
    starter = "class Solution:\n    def twice(self, xs: List[int]) -> {}:\n"
    for returned, first in (("List[int]", "[2]"), ("int", "2")):
        assert apps([[[1]], [[2]]], [[2], [4]], (), starter.format(returned))[0].cases[0].expected == first


def test_a_text_beside_values_is_a_text() -> None:
    assert [task.cases[0].expected for task in apps([["1"], ["2"]], [["2"], ["4"]])][:2] == ['"2"', "2"]


def test_texts_are_read_as_json_and_as_texts() -> None:
    readings = apps(["1\n2"], ["3"])
    assert [task.cases[0] for task in readings] == [CallCase("[1, 2]", "{}", "3"), CallCase("[1, 2]", "{}", '"3"')]
    (one,) = apps([["a"]], ["YES"])
    assert one.cases == (CallCase('["a"]', "{}", '"YES"'),)


@pytest.mark.parametrize(
    ("layout", "tests", "message"),
    [
        (
            "deepcoder",
            [{"input": "1", "output": "one", "testtype": "functional"}],
            r"outputs\[0\]: got str 'one', which",
        ),
        (
            "deepcoder",
            [{"input": "x", "output": "1", "testtype": "functional"}],
            r"inputs\[0\]: got str 'x', which is no",
        ),
        (
            "deepcoder",
            [{"input": "1", "output": "1", "testtype": t} for t in ("stdin", "functional")],
            "functional, stdin, expected one",
        ),
    ],
)
def test_what_is_no_json_is_told(layout: str, tests: Any, message: str) -> None:
    with pytest.raises(TaskError, match=f"rows.jsonl:7, field tests.*{message}"):
        reading(layout, example(layout, tests=json.dumps(tests)))


def test_calls_without_a_name() -> None:
    with pytest.raises(TaskError, match=r"tests\[\].fn_name or metadata.func_name: got nothing, expected the name"):
        reading("deepcoder", example("deepcoder", metadata={}))


def test_leetcodes_prompt_is_preamble_and_setup() -> None:
    (task,) = reading("leetcode", EXAMPLES["leetcode"]).tasks
    assert (task.kind, task.entry_point) == (Kind.METHOD, "Solution.twice")
    assert task.preamble.startswith("from typing import *")
    assert task.setup == task.preamble
    assert task.prompt.startswith("Double x.")
    space: dict[str, Any] = {}
    exec("from math import *\n" + cases.IMPORTS, space)
    assert space["pow"](2, 10, 1000) == 24, "the builtin, not math's, which takes two"


def test_kodcodes_entry_point_is_named_called_or_imported() -> None:
    (named,) = reading("kodcode", EXAMPLES["kodcode"]).tasks
    (called,) = reading("kodcode", example("kodcode", test_info=None)).tasks
    assert named.entry_point == called.entry_point == "twice"
    two = FUNCTION + "\ndef helper(x):\n    return x\n"
    tests = "from solution import helper\n\ndef test():\n    assert twice(1) == 2\n    assert twice(helper(2)) == 4\n"
    (most,) = reading("kodcode", example("kodcode", test_info=None, solution=two, test=tests)).tasks
    assert most.entry_point == "twice"
    box = "class Box:\n    def get(self):\n        return 1\n"
    tests = "from solution import Box\n\ndef test():\n    assert Box().get() == 1\n"
    info = [{"function_name": "get"}]
    (of_class,) = reading("kodcode", example("kodcode", test_info=info, solution=box, test=tests)).tasks
    assert of_class.entry_point == "Box"
    with pytest.raises(TaskError, match="tests that call nothing of the solution"):
        reading("kodcode", example("kodcode", test_info=None, test="def test():\n    assert True\n"))


def test_acecodes_function_is_the_one_that_is_asked_about() -> None:
    (task,) = reading("acecode", EXAMPLES["acecode"]).tasks
    assert (task.entry_point, len(task.tests)) == ("twice", 2)
    near = ["assert isclose(twice(1), 2)", "assert isclose(twice(0.5), 1)"]
    assert reading("acecode", example("acecode", test_cases=near)).tasks[0].entry_point == "twice"
    for tests, message in (
        (["assert True"], "tests that call nothing"),
        (["assert ("], r"test_cases\[0\]: got str 'assert \('"),
        ([], "got no test"),
    ):
        with pytest.raises(TaskError, match=message):
            reading("acecode", example("acecode", test_cases=tests))


def test_evalplus_gives_inputs_only() -> None:
    found = reading("evalplus", example("evalplus", atol=1e-6))
    assert found.inputs == ("[2]", "[-1]", "[0]")
    assert found.tasks[0].compare.abs == 1e-6
    assert found.references[0].endswith("return 2 * x\n")
    with pytest.raises(TaskError, match=r"field plus_input\[0\]: got int 1, expected a list of arguments"):
        reading("evalplus", example("evalplus", plus_input=[1]))
    with pytest.raises(TaskError, match="field atol: got int -1"):
        reading("evalplus", example("evalplus", atol=-1))


def test_bigcodebenchs_solution_is_whole() -> None:
    (source,) = reading("bigcodebench", EXAMPLES["bigcodebench"]).references
    space: dict[str, Any] = {}
    exec(source, space)
    assert space["task_func"](4) == 2


def test_verls_rows_keep_their_chat_and_their_source() -> None:
    system = {"role": "system", "content": "Be brief."}
    found = reading("verl", example("verl", prompt=[system, *EXAMPLES["verl"]["prompt"]]))
    assert found.messages == (system, {"role": "user", "content": "Write twice(x)."})
    assert found.data_source == "mine"
    assert found.tasks[0].tests == ("assert twice(2) == 4",)
