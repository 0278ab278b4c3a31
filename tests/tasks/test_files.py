from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import SampleError, TaskError
from egca_plugin.tasks.files import (
    Sample,
    dump_samples,
    dump_tasks,
    load_samples,
    load_tasks,
    misspelt,
    task_from_mapping,
    task_to_mapping,
)
from egca_plugin.types import CallCase, Compare, Kind, Limits, StdinCase, Task

ROW = {
    "task_id": "t/1",
    "prompt": "Write f.",
    "entry_point": "f",
    "reference": "def f(): return 1\n",
    "tests": ["assert f() == 1"],
}
words = st.text(min_size=1).filter(str.strip)


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_a_task_of_each_test_form(tmp_path: Path) -> None:
    check = {**ROW, "task_id": "t/2", "tests": "def check(candidate):\n    assert candidate() == 1\n", "setup": "x = 1"}
    first, second = load_tasks(write(tmp_path / "t.jsonl", ROW, "", check))
    assert first.tests == ("assert f() == 1",)
    assert isinstance(second.tests, str)
    assert second.setup == "x = 1"


def test_half_a_surrogate_pair_is_named_before_anything_is_written(tmp_path: Path) -> None:
    good = Task("t/1", "Write f.", "f", "def f(): return 1\n", ("assert f() == 1",))
    broken = replace(good, task_id="t/2", tests=("assert f() == '\ud800'",))
    with pytest.raises(TaskError, match=r"'t/2', field tests: got half of a surrogate pair, '\\ud800'"):
        dump_tasks([good, broken], tmp_path / "t.jsonl")
    assert not (tmp_path / "t.jsonl").exists()


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
calls = st.builds(
    CallCase, *(part.map(json.dumps) for part in (st.lists(values), st.dictionaries(st.text(), values), values))
).map(lambda case: CallCase(*(json.dumps(json.loads(getattr(case, n)), ensure_ascii=False) for n in CASE)))
CASE = ("args", "kwargs", "expected")
judged: dict[str, Any] = {
    "task_id": words,
    "prompt": st.text(),
    "setup": st.text(),
    "constraints": st.lists(words).map(tuple),
    "preamble": st.sampled_from(["", "import math\n"]),
    "compare": st.builds(
        Compare, st.sampled_from(["", "tokens", "value"]), st.sampled_from([0.0, 1e-6]), case=st.booleans()
    ),
    "checker": st.sampled_from(["", "def check(stdin, output, expected):\n    return True\n"]),
    "limits": st.builds(Limits, st.none() | st.floats(0.1, 9), st.none() | st.integers(1, 9), st.none() | st.just(3)),
    "reference": st.text(),
}
sources = st.lists(words, min_size=1).map(tuple) | words.map(lambda text: f"def check(candidate): {text}")
tasks_of_all_kinds = st.one_of(
    st.builds(Task, **judged, entry_point=st.just("f"), tests=sources),
    st.builds(Task, **judged, entry_point=st.just("S.f"), kind=st.just(Kind.METHOD), tests=sources),
    st.builds(
        Task, **judged, entry_point=st.just("f"), tests=st.just(()), cases=st.lists(calls, min_size=1).map(tuple)
    ),
    st.builds(
        Task,
        **judged,
        entry_point=st.just(""),
        kind=st.just(Kind.STDIN),
        tests=st.just(()),
        cases=st.lists(st.builds(StdinCase, st.text(), st.lists(st.text(), min_size=1).map(tuple)), min_size=1).map(
            tuple
        ),
    ),
)


@given(st.lists(tasks_of_all_kinds, min_size=1, unique_by=lambda task: task.task_id))
def test_tasks_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, tasks: list[Task]) -> None:
    path = tmp_path_factory.mktemp("tasks") / "t.jsonl"
    dump_tasks(tasks, path)
    assert load_tasks(path) == tuple(tasks)


def test_further_fields_are_passed_through_and_a_slip_of_the_pen_is_told(tmp_path: Path) -> None:
    row = {**{k: v for k, v in ROW.items() if k != "reference"}, "refrence": "x", "difficulty": {"level": [1]}}
    (task,) = load_tasks(write(tmp_path / "t.jsonl", row))
    assert task.extra == {"refrence": "x", "difficulty": {"level": [1]}}
    assert task_to_mapping(task) == {**row, "reference": "", "setup": ""}
    assert list(misspelt([task])) == [
        "t/1: the field refrence is none of ours and is passed through; did you mean 'reference'?"
    ]


def test_methods_in_both_spellings_and_programs_tell_their_kind(tmp_path: Path) -> None:
    method = {**ROW, "entry_point": "Solution().twoSum"}
    program = {"task_id": "t/2", "tests": [{"stdin": "1\n", "stdout": "2\n"}, {"stdout": ["", "\n"]}]}
    first, second = load_tasks(write(tmp_path / "t.jsonl", method, program))
    assert (first.kind, first.entry_point) == (Kind.METHOD, "Solution.twoSum")
    assert (second.kind, second.entry_point) == (Kind.STDIN, "")
    assert second.cases == (StdinCase("1\n", ("2\n",)), StdinCase("", ("", "\n")))


@pytest.mark.parametrize(
    ("tests", "reference", "entry_point"),
    [
        (["assert add(1, abs(-2)) == 3", "x = 1", "assert add(x, 0) == x"], "", "add"),
        (["assert Solution().add(1, 2) == 3"], "", "Solution.add"),
        (["assert isclose(add(0.1, 0.2), 0.3)", "assert isclose(add(1, sqrt(4)), 3)"], "", "add"),
        (["assert add(zero(), 1) == 1"], "def add(a, b): pass\n", "add"),
        ("from solution import add\ndef test_add():\n    assert add(1, 2) == 3\n", "", "add"),
        (
            "from solution import Box\ndef test_box():\n    assert Box(1).x == 1\n",
            "class Box:\n    def f(self): 1",
            "Box",
        ),
        ("from solution import Box, f\ndef test_f():\n    assert f(Box(1))\n", "class Box: 1\ndef f(b): 1", "f"),
        (["b = Box(1)\nassert b.x == 1"], "class Box:\n    def f(self): 1", "Box"),
        ([{"args": [1, 2], "expected": 3}], "def add(a, b): pass\n", "add"),
        ([{"args": [1, 2], "expected": 3}], "class Solution:\n    def add(self, a, b): pass\n", "Solution.add"),
    ],
)
def test_an_entry_point_that_is_told_elsewhere_may_be_left_out(tests: Any, reference: str, entry_point: str) -> None:
    assert task_from_mapping({"task_id": "t", "tests": tests, "reference": reference}, "t").entry_point == entry_point


def test_fields_that_are_null_are_not_there() -> None:
    nulls = dict.fromkeys(("setup", "constraints", "kind", "preamble", "compare", "checker", "limits", "prompt"))
    assert task_from_mapping({**ROW, **nulls}, "t") == task_from_mapping({**ROW, "prompt": ""}, "t")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"t.jsonl:2: not JSON"),
        ([1], r"t.jsonl:2: got list \[1\], expected a JSON object"),
        ({"tests": ["assert f()"]}, r"t.jsonl:2, field task_id: missing; expected text"),
        ({**ROW, "prompt": 3}, r"t.jsonl:2, field prompt: got int 3, expected text, maybe empty"),
        ({**ROW, "entry_point": "f()"}, r"t.jsonl:2, field entry_point: got 'f\(\)', expected a function's name"),
        ({**ROW, "entry_point": "a.b.c"}, r"t.jsonl:2, field entry_point: got 'a.b.c', expected a function's name"),
        ({"task_id": "t", "tests": ["assert f(g(1))"]}, r"field entry_point: missing, and neither tests nor reference"),
        ({**ROW, "tests": []}, r"t.jsonl:2, field tests: got \[\], expected the source of check"),
        ({"task_id": "t", "test": "def check(f): ..."}, r"field tests: got nothing, .* did you mean 'test'\?"),
        ({**ROW, "tests": "assert f()"}, r"t.jsonl:2, field tests: the text does not define check"),
        ({**ROW, "tests": ["assert f()", 3]}, r"t.jsonl:2, field tests\[1\]: got int 3"),
        ({**ROW, "tests": [{"args": [1]}]}, r"field tests\[0\].expected: missing"),
        ({**ROW, "tests": [{"args": 1, "expected": 1}]}, r"field tests\[0\].args: got int 1, expected a list"),
        ({**ROW, "tests": [{"arg": [1], "expected": 1}]}, r"tests\[0\].arg: no such key; .* did you mean 'args'\?"),
        ({**ROW, "tests": [{"stdin": "", "stdout": "1"}]}, r"field entry_point: got 'f', expected none where"),
        ({"task_id": "t", "tests": [{"stdin": "1"}]}, r"field tests\[0\].stdout: got nothing, expected the output"),
        ({"task_id": "t", "tests": [{"stdin": "", "stdout": [3]}]}, r"field tests\[0\].stdout: got list \[3\]"),
        ({**ROW, "kind": "stdin"}, r"field tests: expected a list of \{stdin, stdout\} in a task of kind stdin"),
        ({**ROW, "kind": "method"}, r"entry_point: got 'f' in a task of kind method, expected Class.method"),
        ({**ROW, "kind": "functoin"}, r"field kind: got str 'functoin', .* did you mean 'function'\?"),
        ({**ROW, "compare": {"mode": "token"}}, r"field compare.mode: got str 'token', .* did you mean 'tokens'\?"),
        ({**ROW, "compare": {"abs": -1}}, r"field compare.abs: got int -1, expected a tolerance from 0 on"),
        ({**ROW, "compare": {"case": 1}}, r"field compare.case: got int 1, expected true or false"),
        ({**ROW, "compare": "tokens"}, r"field compare: got str 'tokens', expected an object of mode, abs, rel, case"),
        ({**ROW, "checker": "def verify(): ..."}, r"field checker: the source does not define check; expected check"),
        ({**ROW, "checker": "def check(:"}, r"field checker: does not compile"),
        ({**ROW, "preamble": "import"}, r"field preamble: does not compile"),
        ({**ROW, "limits": {"time_s": 0}}, r"field limits.time_s: got int 0, expected seconds, more than 0"),
        ({**ROW, "limits": {"memory_mb": True}}, r"field limits.memory_mb: got bool True, expected a whole number"),
        ({**ROW, "limits": {"time": 3}}, r"field limits.time: no such key; expected time_s, memory_mb, tests"),
        ({**ROW, "setup": 3}, r"t.jsonl:2, field setup: got int 3, expected text, maybe empty"),
        ({**ROW, "task_id": "t/0"}, r"t.jsonl:2, field task_id: 't/0' was given before"),
    ],
)
def test_an_unusable_task_is_named(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        load_tasks(write(tmp_path / "t.jsonl", {**ROW, "task_id": "t/0"}, row))


def test_a_file_without_tasks(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"t.jsonl: got no task"):
        load_tasks(write(tmp_path / "t.jsonl"))
    with pytest.raises(TaskError, match=r"absent.jsonl: cannot be read \(No such file or directory\)"):
        load_tasks(tmp_path / "absent.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"task_id": "\xe9"}')
    with pytest.raises(TaskError, match=r"latin.jsonl:1: not UTF-8 at byte 13"):
        load_tasks(tmp_path / "latin.jsonl")


def test_samples_keep_their_further_keys(tmp_path: Path) -> None:
    samples = [Sample("t/1", "é\n", {"temperature": 0.8, "ids": [1, 2]}), Sample("t/1", "", {})]
    dump_samples(samples, tmp_path / "s.jsonl")
    assert list(load_samples(tmp_path / "s.jsonl")) == samples


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": "t/1"}, r"s.jsonl:1, field completion: got nothing, expected the text"),
        ({"task_id": "t/1", "completion": None}, r"s.jsonl:1, field completion: got NoneType None"),
        ({"task_id": 1, "completion": "x"}, r"s.jsonl:1, field task_id: got int 1, expected text"),
        ({"completion": "x"}, r"s.jsonl:1, field task_id: missing"),
    ],
)
def test_an_unusable_sample_is_named(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        list(load_samples(write(tmp_path / "s.jsonl", row)))
