from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path

import pytest

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks.layouts import humaneval

ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def f(x):\n",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}


def test_the_installed_package_gives_164_tasks_whose_reference_defines_the_entry_point() -> None:
    tasks = humaneval.load()
    assert [task.task_id for task in tasks] == [f"HumanEval/{number}" for number in range(164)]
    for task in tasks:
        functions = {node.name for node in ast.parse(task.reference).body if isinstance(node, ast.FunctionDef)}
        assert task.entry_point in functions
        assert task.reference.startswith(task.prompt)


def test_a_given_file_gzipped_or_not(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text(json.dumps(ROW) + "\n")
    (tmp_path / "h.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode()))
    (task,) = humaneval.load(tmp_path / "h.jsonl")
    assert task.reference == "def f(x):\n    return x\n"
    assert humaneval.load(tmp_path / "h.jsonl.gz") == (task,)


def test_a_row_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, "test": None}) + "\n")
    with pytest.raises(TaskError, match=r"h.jsonl:2, field test: got None, expected text"):
        humaneval.load(tmp_path / "h.jsonl")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "h.gz").write_bytes(b"not gzip")
    with pytest.raises(AssetError, match=r"h.gz: cannot be read as HumanEval's JSONL"):
        humaneval.load(tmp_path / "h.gz")
