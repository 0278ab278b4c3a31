"""Layouts whose programs read standard input: every one gives the same task for the same problem."""

from __future__ import annotations

import json
from typing import Any

import pytest
from layout_examples import example, reading

from egca_plugin.errors import TaskError
from egca_plugin.judging.checkers import Checker
from egca_plugin.tasks.layouts.layout import Unsupported
from egca_plugin.types import Compare, Kind, Limits, StdinCase

PROGRAM = "print(2 * int(input()))"
TESTS = [{"type": "stdin_stdout", "input": "2\n", "output": "4\n"}]
ROWS = {
    "apps": example("apps"),
    "deepcoder": example("deepcoder", tests=json.dumps(TESTS), solutions=[PROGRAM]),
    "livecodebench": example("livecodebench", public_test_cases=json.dumps(TESTS), private_test_cases=""),
    "codecontests": example("codecontests", generated_tests=None),
    "codecontests+": example("codecontests+"),
    "synthetic1": example("synthetic1"),
    "codeforces": example("codeforces", official_tests=TESTS),
    "nemo_gym": example("nemo_gym"),
    "rstar": example("rstar", inputs=["2\n"], outputs=["4\n"], func_name=None, class_name=None),
    "condefects": example("condefects"),
}


@pytest.mark.parametrize("layout", ROWS)
def test_one_problem_in_every_layout(layout: str) -> None:
    (task,) = reading(layout, ROWS[layout]).tasks
    assert (task.kind, task.entry_point, task.tests, task.preamble) == (Kind.STDIN, "", (), "")
    assert task.cases == (StdinCase("2\n", ("4\n",)),)


@pytest.mark.parametrize("layout", ["apps", "deepcoder", "codecontests", "codecontests+", "synthetic1"])
def test_the_solutions_in_python_3_may_become_the_reference(layout: str) -> None:
    assert [one.strip() for one in reading(layout, ROWS[layout]).references] == [PROGRAM]


@pytest.mark.parametrize(
    ("layout", "limits"),
    [
        ("apps", Limits(2.0, 256)),
        ("codecontests", Limits(2.0, 244)),
        ("codecontests+", Limits(2.0, 256)),
        ("codeforces", Limits(2.0, 256)),
        ("condefects", Limits(2.0)),
        ("nemo_gym", Limits()),
    ],
)
def test_limits_are_seconds_and_megabytes_however_they_are_written(layout: str, limits: Limits) -> None:
    assert reading(layout, ROWS[layout]).tasks[0].limits == limits


def test_limits_that_say_nothing_are_left_to_the_settings() -> None:
    for time in ("", "unknown", None, 0, -1, 1e9, float("nan")):
        (task,) = reading("apps", example("apps", time_limit=time, memory_limit=None)).tasks
        assert task.limits == Limits()


@pytest.mark.parametrize(
    ("time", "memory", "limits"),
    [
        ("500 ms", "65536 kilobytes", Limits(0.5, 64)),
        ("2.0 seconds", "1.0 gigabytes", Limits(2.0, 1024)),
        ("1 second", "256 megabytes", Limits(1.0, 256)),
        ("1.5s", "256MB", Limits(1.5, 256)),
        ("3", "0.5 GB", Limits(3.0, 512)),
        (2, 256.0, Limits(2.0, 256)),
    ],
)
def test_limits_have_units(time: object, memory: object, limits: Limits) -> None:
    assert reading("apps", example("apps", time_limit=time, memory_limit=memory)).tasks[0].limits == limits


def test_lines_may_be_a_list_and_numbers_numbers() -> None:
    tests = {"inputs": [["2", "3"], 4], "outputs": [["1", "2"], 5]}
    (task,) = reading("apps", example("apps", input_output=json.dumps(tests))).tasks
    assert task.cases == (StdinCase("2\n3\n", ("1\n2\n",)), StdinCase("4", ("5",)))


def test_numbers_with_a_decimal_point_have_a_tolerance() -> None:
    tests = {"inputs": ["1", "2"], "outputs": ["0.5\n", "v1.2.3\n"]}
    (task,) = reading("apps", example("apps", input_output=json.dumps(tests))).tasks
    assert task.compare == Compare(abs=1e-6, rel=1e-6)
    (exact,) = reading("apps", example("apps")).tasks
    assert exact.compare == Compare()


def test_all_three_lists_of_codecontests_are_tests() -> None:
    (task,) = reading("codecontests", example("codecontests")).tasks
    assert [case.stdin for case in task.cases if isinstance(case, StdinCase)] == ["2\n", "5\n"]


@pytest.mark.parametrize(
    ("layout", "field", "value", "message"),
    [
        ("apps", "input_output", '{"inputs": ["1", "2"], "outputs": ["1"]}', "2 inputs and 1 outputs, expected as"),
        ("apps", "input_output", '{"inputs": [], "outputs": []}', "field input_output: got no test"),
        ("apps", "input_output", '{"inputs": [null], "outputs": ["1"]}', r"input_output.inputs\[0\]: got nothing"),
        ("apps", "input_output", "{'inputs'", "field input_output: got str .*, which is no JSON"),
        ("apps", "input_output", "", "field input_output: got nothing, expected an object"),
        ("apps", "question", " ", "field question: got str ' ', expected text that is not empty"),
        ("codecontests", "public_tests", {"input": ["1"], "output": []}, "field public_tests: got 1 inputs and 0"),
        ("codeforces", "official_tests", [], "field official_tests: got no test"),
        ("codeforces", "official_tests", [1], r"official_tests.inputs\[0\]: got nothing, expected text"),
        ("codeforces", "generated_checker", "def (", "field generated_checker: got what does not compile"),
        ("deepcoder", "tests", "[]", "field tests: got no test"),
        ("deepcoder", "tests", '[{"input": "1"}]', r"field tests\[0\]: got dict .*, expected a test \{input, output\}"),
        ("deepcoder", "tests", "3", "field tests: got int 3, expected a list of tests"),
        ("nemo_gym", "verifier_metadata", {}, "verifier_metadata.unit_tests: got nothing"),
        ("nemo_gym", "responses_create_params", {"input": [1]}, r"input\[0\]: got int 1, expected a message"),
        ("synthetic1", "verification_info", "{'a': f()}", "field verification_info: got str .* expected JSON or"),
        ("synthetic1", "verification_info", "(" * 5000, "field verification_info: got str"),
        ("synthetic1", "verification_info", "{'test_cases': 3}", "verification_info.test_cases: got int 3"),
        ("condefects", "tests", None, "field tests: got no test"),
    ],
)
def test_a_bad_field_is_told_with_file_row_and_field(layout: str, field: str, value: Any, message: str) -> None:
    with pytest.raises(TaskError, match=f"rows.jsonl:7, .*{message}"):
        reading(layout, {**ROWS[layout], field: value})


@pytest.mark.parametrize(
    ("layout", "field", "value"),
    [
        ("codecontests", "input_file", "input.txt"),
        ("codeforces", "input_mode", "file"),
        ("codeforces", "interaction_format", "Ask, and read the answer."),
        ("codeforces", "executable", False),
        ("synthetic1", "verification_info", "{'language': 'rust', 'test_cases': []}"),
    ],
)
def test_what_cannot_be_judged_here_is_no_fault_of_the_row(layout: str, field: str, value: Any) -> None:
    with pytest.raises(Unsupported, match=r"rows\.jsonl:7, field"):
        reading(layout, {**ROWS[layout], field: value})


def test_a_checker_in_cpp_makes_verdicts_doubtful() -> None:
    assert reading("codecontests+", example("codecontests+", checker="int main() {}")).doubts
    assert not reading("codecontests+", example("codecontests+")).doubts


def test_a_checker_program_is_a_function_of_three_texts() -> None:
    (task,) = reading("codeforces", example("codeforces")).tasks
    space: dict[str, Any] = {}
    exec(task.checker, space)
    assert space["check"]("2\n", "3\n", "3\n") is True
    assert space["check"]("2\n", "9\n", "3\n") is True
    assert space["check"]("2\n", "2\n", "3\n") is False
    with pytest.raises(ValueError, match="invalid literal"):
        space["check"]("2\n", "many\n", "3\n")


@pytest.mark.parametrize(
    "read",
    [
        "from pathlib import Path\nread = lambda n: Path(sys.argv[n]).read_text()",
        "import io\nread = lambda n: io.open(sys.argv[n]).read()",
        "import os\nassert os.path.exists(sys.argv[1])\nread = lambda n: open(sys.argv[n], 'rb').read().decode()",
        "import fileinput\nread = lambda n: ''.join(fileinput.input(sys.argv[n]))",
    ],
)
def test_a_checker_program_reads_its_files_as_programs_do(read: str) -> None:
    source = f"import sys\n{read}\nprint(int(read(2) == read(3)))\nexit()\n"
    (task,) = reading("codeforces", example("codeforces", generated_checker=source)).tasks
    with Checker(task.checker, "t") as checker:
        assert checker.difference("", b"a", ("a",)) == ""
        assert checker.difference("", b"b", ("a",)) == "the checker refuses it"


def test_a_checker_program_may_exit_and_say_a_share() -> None:
    source = "import sys\nprint(0.0 if open(sys.argv[2]).read() != open(sys.argv[3]).read() else 1.0)\nsys.exit(0)\n"
    (task,) = reading("codeforces", example("codeforces", generated_checker=source)).tasks
    space: dict[str, Any] = {}
    exec(task.checker, space)
    assert space["check"]("", "a", "a") is True
    assert space["check"]("", "b", "a") is False
