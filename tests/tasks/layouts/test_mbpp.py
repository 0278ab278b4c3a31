from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks import hub
from egca_plugin.tasks.layouts import mbpp
from egca_plugin.tasks.layouts.layout import Row
from egca_plugin.tasks.layouts.registry import LAYOUTS

ROW = {
    "task_id": 601,
    "text": "Write a function to double a number.",
    "code": "def helper(x):\r\n    return x\r\ndef twice(x, by=2):\r\n    return helper(x) * by",
    "test_setup_code": "",
    "test_list": ["assert twice(2) == 4", "assert twice(twice(1)) == 4"],
    "challenge_test_list": [],
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_row_becomes_a_task(tmp_path: Path) -> None:
    (task,) = mbpp.load(write(tmp_path / "m.jsonl", ROW))
    assert task.task_id == "mbpp/601"
    assert task.entry_point == "twice"
    assert "`twice(x, by=2)`" in task.prompt
    assert "`twice(2) == 4`" in task.prompt
    assert "\r" not in task.reference
    assert task.tests == tuple(ROW["test_list"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "tests", "expected"),
    [
        ("def f(x): pass\ndef g(x): pass", ["assert f(g(1)) == 2"], "f"),  # outermost
        ("def f(x): pass\ndef g(x): pass", ["assert f(g(1))", "assert g(2)"], "g"),  # in most tests
        ("class P: pass\ndef f(x): pass", ["assert f([P(), P()])"], "f"),
        ("def f(x): pass", ["assert max(map(f, [1])) == 2"], "f"),  # passed, not called
        ("def f(x): pass", ["assert g(1)"], None),
    ],
)
def test_the_entry_point_is_read_off_the_tests(code: str, tests: list[str], expected: str | None) -> None:
    assert mbpp.entry_point(code, tests) == expected


def test_rows_as_others_write_them() -> None:
    row = {
        "task_id": "mbpp/0", "text": None, "prompt": "Double it.",
        "test_list": json.dumps(["assert twice(2) == 4", ""]),
        "code": "```python\nasync def twice(x):\n    return 2 * x\n```",
    }  # fmt: skip
    found = LAYOUTS["mbpp"].read(Row("rows.jsonl:1", "rows/1", row))
    (task,) = found.tasks
    assert (task.task_id, task.entry_point, task.tests) == ("mbpp/0", "twice", ("assert twice(2) == 4",))
    assert found.references == ("async def twice(x):\n    return 2 * x\n",)
    with pytest.raises(TaskError, match=r"test_list\[1\]: got None, expected an assertion"):
        LAYOUTS["mbpp"].read(Row("rows.jsonl:1", "rows/1", {**row, "test_list": ["assert twice(2) == 4", None]}))


@pytest.mark.parametrize(
    ("number", "split"),
    [(1, "prompt"), (10, "prompt"), (11, "test"), (510, "test"), (511, "validation"), (974, "train")],
)
def test_splits_are_the_authors(number: int, split: str) -> None:
    assert mbpp.split_of(f"mbpp/{number}") == split


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"m.jsonl:2, field code: got None, expected str"):
        mbpp.load(write(tmp_path / "m.jsonl", ROW, {**ROW, "code": None}))
    with pytest.raises(TaskError, match=r"m.jsonl:1: code or test_list is not Python"):
        mbpp.load(write(tmp_path / "m.jsonl", {**ROW, "code": "def f(:"}))
    with pytest.raises(AssetError, match=r"absent.jsonl: cannot be read as MBPP's JSONL"):
        mbpp.load(tmp_path / "absent.jsonl")


def test_the_hub_is_asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def rows(name: str, config: str | None = None) -> Any:
        asked.append((name, config))
        return iter([("mbpp train[0]", ROW)])

    monkeypatch.setattr(hub, "rows", rows)
    assert [task.task_id for task in mbpp.load()] == ["mbpp/601"]
    assert asked == [("google-research-datasets/mbpp", "full")]
