from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import SampleError, TaskError
from egca_plugin.tasks.files import Sample, dump_samples, dump_tasks, load_samples, load_tasks
from egca_plugin.types import Task

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


@given(
    st.lists(
        st.builds(
            Task,
            task_id=words,
            prompt=words,
            entry_point=st.just("f"),
            reference=words,
            tests=st.lists(words, min_size=1).map(tuple) | words.map(lambda text: f"def check(candidate): {text}"),
            setup=st.text(),
            constraints=st.lists(words).map(tuple),
        ),
        min_size=1,
        unique_by=lambda task: task.task_id,
    )
)
def test_tasks_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, tasks: list[Task]) -> None:
    path = tmp_path_factory.mktemp("tasks") / "t.jsonl"
    dump_tasks(tasks, path)
    assert load_tasks(path) == tuple(tasks)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", r"t.jsonl:2: not JSON"),
        ([1], r"t.jsonl:2: got list \[1\], expected a JSON object"),
        ({k: v for k, v in ROW.items() if k != "reference"}, r"t.jsonl:2, field reference: missing; expected text"),
        ({**ROW, "prompt": "  "}, r"t.jsonl:2, field prompt: got str '  ', expected text that is not empty"),
        ({**ROW, "entry_point": "f()"}, r"t.jsonl:2, field entry_point: got 'f\(\)', expected a function's name"),
        ({**ROW, "tests": []}, r"t.jsonl:2, field tests: got \[\], expected the source of check"),
        ({**ROW, "tests": "assert f()"}, r"t.jsonl:2, field tests: the text does not define check"),
        ({**ROW, "tests": ["assert f()", 3]}, r"t.jsonl:2, field tests\[1\]: got int 3"),
        ({**ROW, "setup": None}, r"t.jsonl:2, field setup: got NoneType None, expected text, maybe empty"),
        ({**ROW, "refrence": "x"}, r"t.jsonl:2, field refrence: no such field; expected task_id, prompt"),
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
    with pytest.raises(TaskError, match=r"latin.jsonl: not UTF-8"):
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
