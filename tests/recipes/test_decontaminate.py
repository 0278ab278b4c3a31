"""Near tasks are found by name, wording, code and behaviour; tasks that are merely alike are kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.decontaminate import matches
from egca_plugin.tasks.files import dump_tasks, load_tasks
from egca_plugin.types import Task

SORTED = Task(
    "bench/sort",
    "Return the numbers of the given list from the smallest to the largest one.",
    "sort_numbers",
    "def sort_numbers(numbers):\n    return sorted(numbers)\n",
    "def check(candidate):\n"
    + "".join(f"    assert candidate({v}) == {sorted(v)}\n" for v in ([3, 1, 2], [5, 4], [1], [9, 7, 8])),
)


def task(name: str, prompt: str, code: str, *tests: str) -> Task:
    return Task(f"train/{name}", prompt, name, code, tests)


BUBBLE = """def bubble(xs):
    xs = list(xs)
    for i in range(len(xs)):
        for j in range(len(xs) - 1):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def kinds(train: Task, benchmark: Task, sandbox: Sandbox) -> set[str]:
    return {match.kind for match in matches([train], [benchmark], sandbox)}


def test_other_words_and_other_code_with_the_same_behaviour_are_near(sandbox: Sandbox) -> None:
    near = task("bubble", "Bring xs in order.", BUBBLE, "assert bubble([2, 1]) == [1, 2]")
    (match,) = matches([near], [SORTED], sandbox)
    assert (match.task_id, match.near, match.kind) == ("train/bubble", "bench/sort", "behaviour")
    assert match.evidence == "both return the same on 5 inputs, 5 different values"


def test_one_input_with_another_answer_clears_a_task(sandbox: Sandbox) -> None:
    other = task("unique", "Sort xs without repeats.", "def unique(xs):\n    return sorted(set(xs))\n",
                 "assert unique([2, 1, 2]) == [1, 2]")  # fmt: skip
    assert kinds(other, SORTED, sandbox) == set()


def test_too_few_inputs_prove_nothing(sandbox: Sandbox) -> None:
    small = Task(
        "bench/small", "Sort.", "s", SORTED.reference.replace("sort_numbers", "s"), ("assert s([2, 1]) == [1, 2]",)
    )
    near = task("bubble", "Order.", BUBBLE, "assert bubble([4, 3]) == [3, 4]")
    assert kinds(near, small, sandbox) == set()


def test_the_same_name_is_near(sandbox: Sandbox) -> None:
    other = task("sortNumbers", "x", "def sortNumbers(a, b):\n    return a\n", "assert sortNumbers(1, 2) == 1")
    assert kinds(other, SORTED, sandbox) == {"name"}


def test_a_shared_run_of_words_is_near_unless_it_is_the_training_sets_template(sandbox: Sandbox) -> None:
    worded = "From a list, return the numbers of the given list from the top."
    near = task("top", worded, "def top(a, b):\n    return a\n", "assert top(1, 2) == 1")
    assert kinds(near, SORTED, sandbox) == {"wording"}
    many = [
        task(f"top{i}", worded, f"def top{i}(a, b):\n    return a\n", f"assert top{i}(1, 2) == 1") for i in range(60)
    ]
    assert list(matches(many, [SORTED], sandbox)) == []


def test_the_same_code_under_other_names_is_near(sandbox: Sandbox) -> None:
    renamed = BUBBLE.replace("xs", "items").replace("bubble", "order").replace("return items", "return tuple(items), 1")
    bench = Task("bench/bubble", "Order.", "bubble", BUBBLE, ("assert bubble([2, 1]) == [1, 2]",))
    near = task("order", "x", renamed, "assert order([2, 1])[1] == 1")
    (match,) = matches([near], [bench], sandbox)
    assert match.kind == "code"


def test_a_reference_that_hangs_costs_a_moment_and_no_verdict(sandbox: Sandbox) -> None:
    hangs = task(
        "loop", "x", "def loop(xs):\n    while len(xs) != 2: pass\n    return xs\n", "assert loop([1, 2]) == [1, 2]"
    )
    assert kinds(hangs, SORTED, sandbox) == set()


def test_the_recipe_writes_the_kept_tasks_their_rows_and_the_report(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from egca_plugin.tasks import parquet

    near = task("bubble", "Order xs.", BUBBLE, "assert bubble([2, 1]) == [1, 2]")
    far = task("negate", "Negate x.", "def negate(x):\n    return -x\n", "assert negate(2) == -2")
    dump_tasks([near, far], tmp_path / "mbpp-train.jsonl")
    dump_tasks([SORTED], tmp_path / "humaneval.jsonl")
    rows = [parquet.row(one, data_source="mbpp", split="train", index=n) for n, one in enumerate((near, far))]
    parquet.write(rows, tmp_path / "mbpp-train.parquet")

    script = Path(__file__).parents[2] / "recipes" / "humaneval" / "decontaminate.py"
    command = [sys.executable, str(script), "--data", str(tmp_path), "--report", str(tmp_path / "report.md")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert load_tasks(tmp_path / "mbpp-train-clean.jsonl") == (far,)

    import pyarrow.parquet

    assert pyarrow.parquet.read_table(tmp_path / "mbpp-train-clean.parquet").to_pylist() == [rows[1]]
    page = (tmp_path / "report.md").read_text()
    assert "**1 are left out and 1 kept**: 1 by behaviour" in page
    assert "| train/bubble | bench/sort | behaviour | both return the same on 5 inputs, 5 different values |" in page
