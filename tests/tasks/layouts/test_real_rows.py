"""Rows as they were published, where the machine has them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.datafiles import rows
from egca_plugin.tasks.layouts.layout import Reading, Row
from egca_plugin.tasks.layouts.registry import recognised
from egca_plugin.tasks.soundness import Options, examine
from egca_plugin.types import Kind, Task

DATA = Path(os.environ.get("EGCA_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
FILES = {
    "formats/leetcode_dataset.jsonl": ("leetcode", 40, 40),
    "formats/kodcode_demo.jsonl": ("kodcode", 16, 16),
    "formats/nemo_gym_code_gen.jsonl": ("nemo_gym", 5, 0),
    "condefects-dev.jsonl": ("condefects", 218, 218),
    "mbpp.jsonl": ("mbpp", 974, 974),
}


def readings(name: str) -> list[Reading]:
    """Every row of a file, read by the layout that its first row is recognised as."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no {path}; set EGCA_SHARED_DATA")
    found = list(rows(str(path)))
    layout = recognised(found[0].fields.keys(), found[0].where)  # type: ignore[union-attr]
    assert layout.name == FILES[name][0]
    return [layout.read(Row(one.where, f"{path.stem}/{n}", one.fields)) for n, one in enumerate(found)]  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@pytest.mark.parametrize("name", FILES)
def test_every_row_is_read_and_has_a_name_of_its_own(name: str) -> None:
    _, count, referenced = FILES[name]
    found = readings(name)
    assert len(found) == count
    assert sum(bool(one.references) for one in found) == referenced
    assert max(Counter(one.tasks[0].task_id for one in found).values()) == 1


def test_leetcodes_tests_call_methods_by_name() -> None:
    for found in readings("formats/leetcode_dataset.jsonl"):
        (task,) = found.tasks
        assert task.kind is Kind.METHOD
        assert task.entry_point.startswith("Solution.")
        assert "from typing import *" in task.preamble
        assert "class Solution:" in task.prompt


def test_kodcodes_functions_are_those_that_the_tests_are_about() -> None:
    names = [found.tasks[0].entry_point for found in readings("formats/kodcode_demo.jsonl")]
    assert names[:4] == ["interleave_strings", "optimized_integer_square_root", "two_sum_indices", "detect_cycle"]
    assert "" not in names


@pytest.mark.parametrize("number", range(0, 40, 8))
def test_leetcodes_references_pass_their_tests(sandbox: Sandbox, number: int) -> None:
    found = examine(sandbox, readings("formats/leetcode_dataset.jsonl")[number], Options())
    assert (found.reason, found.detail) == ("", "")


@pytest.mark.parametrize("number", range(0, 218, 40))
def test_corrected_programs_pass_their_samples(sandbox: Sandbox, number: int) -> None:
    found = examine(sandbox, readings("condefects-dev.jsonl")[number], Options())
    assert (found.reason, found.detail) == ("", "")


# What differs from KodCode's record, and why.
EXPLAINED = {
    "38/trial_qwen2.5_0": "the tests read what the function prints, which stays in its process",
    "38/trial_qwen2.5_2": "the same",
    "68/trial_qwen2.5_2": "the tests import scipy",
}


def trials() -> Iterator[tuple[str, Task, str, bool]]:
    """What models wrote for KodCode's questions, each with the tests of the same model, and whether it passed them."""
    tasks = [found.tasks[0] for found in readings("formats/kodcode_demo.jsonl")]
    lines = (DATA / "formats/kodcode_demo.jsonl").read_text(encoding="utf-8").splitlines()
    for task, line in zip(tasks, lines, strict=True):
        row = json.loads(line)
        for name, trial in row["trials"].items():
            source, number = trial["solution_code"], int(row["metadata"]["prompt_id"])
            # Its tests may use whatever else its own program defines.
            own = Task(f"{number}/{name}", "", task.entry_point, source, trial["test_code"])
            yield own.task_id, own, source, trial["test_result"] == "Pass"


def test_kodcodes_trials_are_judged_as_they_were_recorded() -> None:
    differing = set()
    with Sandbox(SandboxConfig(timeout_s=20.0)) as sandbox:
        for name, task, source, passed in trials():
            try:
                ours = judge(sandbox, source, task).passed
            except TaskError:  # tests that do not compile, or that end before they ask
                ours = False
            if ours is not passed:
                differing.add(name)
    assert differing <= set(EXPLAINED)
