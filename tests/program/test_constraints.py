"""Constraints come from the reference, hold for it, and say what another program does instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.program.constraints import check, derive, guided, parse
from egca_plugin.program.extract import extract
from egca_plugin.program.facts import Parameters, observe
from egca_plugin.types import Task

REFERENCE = """
import math

def count(items, limit=0):
    seen = {}
    for item in items:
        for other in items:
            if item != other:
                seen[item] = math.gcd(item, other)
    return sorted(seen.values())
"""
TASK = Task("t/0", "Count things.", "count", REFERENCE, ("assert count([1], 2) == []", "assert count([3]) == []"))


def broken(source: str, level: str = "signature", task: Task = TASK) -> dict[str, str]:
    return {violation.constraint.kind: violation.found for violation in check(derive(task, level), source)}


@pytest.mark.parametrize("level", ["off", "signature", "paper"])
def test_the_reference_satisfies_its_own(level: str) -> None:
    assert check(derive(TASK, level), REFERENCE) == ()


def test_levels_grow() -> None:
    assert derive(TASK, "off") == ()
    assert [str(c) for c in derive(TASK, "signature")] == ["defines=count", "calls=1,2", "result=value", "outside="]
    assert [str(c) for c in derive(TASK, "paper")][4:] == [
        "form=loop", "nesting=2", "sorts=yes", "containers=dict", "modules=math", "mutates=no",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def other(items):\n    return 1\n", {"defines": "no such function"}),
        ("def count(items):\n    return 1\n", {"calls": "parameters (items)"}),
        ("def count(items, limit):\n    return 1\n", {"calls": "parameters (items, limit)"}),
        ("def count(*items, deep=False):\n    return 1\n", {}),
        ("def count(items, limit=None):\n    yield 1\n", {"result": "generator"}),
        ("async def count(items, limit=None):\n    return 1\n", {"result": "coroutine"}),
        ("import os, math\ndef count(items, limit=None):\n    return 1\n", {"outside": "os"}),
        ("def count(items, limit=None):\n    return __import__('os').getpid()\n", {"outside": "os"}),
        ("def count(items, limit=None):\n    pass\n", {}),  # a fault, not another kind of function
        ("count = lambda items, limit=0: []\n", {}),
        ("from helpers import count\n", {}),  # nothing is known of it
        ("class count:\n    pass\n", {}),
        ("@wraps\ndef count():\n    return 1\n", {}),  # the decorator decides the parameters
    ],
)
def test_signature(source: str, expected: dict[str, str]) -> None:
    assert broken(source) == expected


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        ("return [] if not items else sorted(count(items[1:]))", "form", "recursion"),
        ("return sorted(items)", "form", "straight"),
        ("return sorted(i for i in items for j in items for k in items)", "nesting", "3"),
        ("return [i for i in items]", "sorts", "no"),
        ("return sorted({i for i in items})", "containers", "set"),
        ("import heapq\n    return sorted(i for i in items)", "modules", "heapq"),
        ("for i in items:\n        items.remove(i)\n    return sorted(items)", "mutates", "yes"),
        ("for i in range(3):\n        items[i] = 0\n    return sorted(items)", "mutates", "yes"),
    ],
)
def test_paper(body: str, kind: str, found: str) -> None:
    assert broken(f"def count(items, limit=0):\n    {body}\n", "paper")[kind] == found


def test_a_copy_may_change() -> None:
    assert not observe("def f(xs):\n    xs = list(xs)\n    xs.sort()\n    return xs\n", "f").mutates


def test_reference_allows_the_modules_that_it_imports() -> None:
    task = replace(TASK, reference="import os\ndef count(items, limit=0):\n    return os.path.join(*items)\n")
    assert broken("import os\ndef count(items, limit=0):\n    return os.sep\n", task=task) == {}


def test_a_task_may_bring_its_own() -> None:
    task = replace(TASK, constraints=("form=recursion", "sorts=no"))
    """What the prompt asked for is checked, whatever level the run derives for tasks that bring none."""
    for level in ("off", "signature"):
        assert broken(REFERENCE, level, task) == {"form": "loop", "sorts": "yes"}


@pytest.mark.parametrize("text", ["form", "colour=red", ""])
def test_an_unknown_constraint_names_the_task(text: str) -> None:
    with pytest.raises(TaskError, match=r"t/0, field constraints: .*expected kind=value"):
        parse(text, TASK)


def test_guided_prompts_say_them_and_records_keep_them() -> None:
    task = guided(TASK, "paper")
    assert task.prompt.startswith("Count things.")
    assert "- Solve it with a loop, not by recursion.\n- Nest loops at most 2 deep.\n- Sort.\n" in task.prompt
    assert tuple(map(str, derive(task, "signature"))) == task.constraints == tuple(map(str, derive(TASK, "paper")))
    assert guided(TASK, "off") is TASK


def test_a_guided_code_prompt_can_still_be_continued() -> None:
    head = 'def count(items, limit=0):\n    """Count."""\n'
    task = guided(replace(TASK, prompt=head), "paper")
    program = extract("    return sorted(items)\n", task)
    assert program.compiles
    assert program.source.endswith(head + "    return sorted(items)\n")


@pytest.mark.parametrize(
    ("parameters", "positional", "keywords", "accepted"),
    [
        (Parameters(1, 2, ("a", "b")), 0, set(), False),
        (Parameters(1, 2, ("a", "b")), 1, {"b"}, True),
        (Parameters(1, 2, ("a", "b")), 2, {"b"}, False),
        (Parameters(2, 2, ("a", "b")), 0, {"a", "b"}, True),
        (Parameters(1, None, ("a",)), 7, set(), True),
        (Parameters(1, 1, ("a",), frozenset("k")), 1, set(), False),
        (Parameters(1, 1, ("a",), frozenset("k")), 1, {"k"}, True),
        (Parameters(1, 1, ("a",)), 1, {"z"}, False),
        (Parameters(1, 1, ("a",), any_keyword=True), 1, {"z"}, True),
    ],
)
def test_binding(parameters: Parameters, positional: int, keywords: set[str], accepted: bool) -> None:
    assert parameters.accepts(positional, frozenset(keywords)) is accepted
