"""Rows of a data set: which are code, what each is called, what its references are, and what a whole set looks like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.tasks import parquet, rows
from egca_plugin.types import Kind, StdinCase, Task

OURS = Task("t/1", "Write f.", "f", "def f(): return 1\n", ("assert f() == 1",))
STDIN = {"inputs": ["1\n"], "outputs": ["2\n"]}


def row(truth: Any, **fields: Any) -> dict[str, Any]:
    cell = {"style": "rule", "ground_truth": truth if truth is None or isinstance(truth, str) else json.dumps(truth)}
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add one."}]
    return {"data_source": "mine", "prompt": prompt, "reward_model": cell, "extra_info": {"index": 3}, **fields}


def task(truth: Any, **fields: Any) -> Task:
    found = rows.task_of_row(row(truth, **fields), "train, row 3")
    assert found is not None
    return found


def test_our_own_rows_are_taken_as_they_are() -> None:
    assert rows.task_of_row(parquet.row(OURS, data_source="x", split="train", index=0), "row") == OURS


def test_a_struct_of_ours_is_read_like_its_json() -> None:
    cell = {"ground_truth": {**json.loads(parquet.encode(OURS)), "constraints": None, "inputs": None}}
    assert rows.task_of_row({"reward_model": cell}, "row") == OURS


def test_a_row_of_somebody_elses_is_a_task_with_its_prompt_and_a_name_of_its_own() -> None:
    found = task(STDIN, data_source="taco", extra_info={"split": "train", "index": 17})
    assert (found.kind, found.prompt, found.cases) == (Kind.STDIN, "Add one.", (StdinCase("1\n", ("2\n",)),))
    assert found.task_id.startswith("taco/train/17/")
    assert found.task_id == task(STDIN, data_source="taco", extra_info={"split": "train", "index": 17}).task_id
    other = {"inputs": ["2\n"], "outputs": ["3\n"]}
    assert found.task_id != task(other, data_source="taco", extra_info={"split": "train", "index": 17}).task_id
    assert task(STDIN, extra_info={"task_id": "p1"}).task_id == "p1"


def test_a_struct_is_read_like_its_json() -> None:
    cell = {"ground_truth": {**STDIN, "fn_name": None, "assert_case": None}}
    found = rows.task_of_row({"data_source": "x", "reward_model": cell, "raw_prompt": "Add one."}, "row")
    assert found is not None
    assert (found.kind, found.prompt) == (Kind.STDIN, "Add one.")


PROGRAM = "print(int(input()) + 1)\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"extra_info": {"solutions": json.dumps(["print 'Python 2'", PROGRAM])}},
        {"extra_info": {"solution": PROGRAM}},
        {"extra_info": {"gold_standard_solution": f"```python\n{PROGRAM}```"}},
        {"extra_info": {"solutions": {"language": [2, 3], "solution": ["int main() {}", PROGRAM]}}},
        {"solutions": [PROGRAM]},
        {"completion": PROGRAM},
    ],
)
def test_references_are_found_where_data_sets_put_them(fields: dict[str, Any]) -> None:
    assert task(STDIN, **fields).reference.strip() == PROGRAM.strip()


@pytest.mark.parametrize(
    "truth", ["42", r"\frac{1}{2}", "[1, 2)", "{1, 2}", '["42"]', '{"answer": 42}', "", None, "eJ", "x" * 100_000]
)
def test_what_has_no_tests_is_no_code(truth: Any) -> None:
    assert rows.task_of_row(row(truth, data_source="math_dapo"), "row") is None


@pytest.mark.parametrize(
    ("fields", "truth", "said"),
    [
        ({"data_source": "taco"}, "42", "has no tests that are known"),
        ({"data_source": "codeforces"}, "no json", "no JSON"),
        ({"ability": "code"}, {"answer": 42}, "has no tests that are known"),
        ({}, json.dumps(STDIN)[:-5], "no JSON"),
        ({}, str(STDIN), "no JSON"),
        ({}, {"task_id": "t", "tests": []}, "field tests"),
        ({"reward_model": None}, "", r"reward_model: got None, expected \{style, ground_truth\}"),
        ({"reward_model": {"style": "rule"}}, "", "reward_model: got"),
    ],
)
def test_what_claims_to_be_code_and_cannot_be_read_is_an_error(fields: dict[str, Any], truth: Any, said: str) -> None:
    given = {**row(truth), **fields}
    with pytest.raises(TaskError, match=f"train, row 3, .*{said}"):
        rows.task_of_row(given, "train, row 3")


def test_a_survey_counts_what_there_is_and_names_what_is_bad() -> None:
    given = [
        row(STDIN, extra_info={"solution": PROGRAM}),
        row({"fn_name": "f", "inputs": ["1"], "outputs": ["1"]}),
        row("42", data_source="math_dapo"),
        row("7", data_source="math_dapo"),
        row({"inputs": ["1"], "outputs": []}, data_source="apps", extra_info={"index": 9}),
    ]
    found = rows.survey(iter(given), "train.parquet")
    assert (found.rows, found.kinds, found.others) == (5, {"stdin": 1, "method": 1}, {"math_dapo": 2})
    assert found.examples == {"math_dapo": "42"}
    (bad,) = found.bad
    assert bad.startswith("train.parquet, row 4 (apps, index 9), reward_model.ground_truth: got 1 inputs and 0 outputs")
    assert str(found) == (
        "5 rows: 1 method, 1 stdin, 1 with a reference; no code: 2 of math_dapo; 1 that cannot be read"
    )


def test_a_data_set_is_read_in_its_columns_that_matter() -> None:
    datasets = pytest.importorskip("datasets")
    frame = datasets.Dataset.from_list([{**row(STDIN), "picture": "large"}] * 3)
    read = list(rows.of_dataset(frame, size=2))
    assert len(read) == 3
    assert all("picture" not in one for one in read)
    assert rows.survey(read, "train").kinds == {"stdin": 3}
