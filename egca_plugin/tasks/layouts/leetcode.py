"""LeetCodeDataset: HumanEval's keys, with a method to call and the judge's imports in the prompt.

``prompt`` is what LeetCode puts in front of every answer (imports, ``ListNode``): the task's preamble, and the setup of
its tests, which build lists and trees with it. ``test`` is ``check(candidate)`` with keyword arguments.
"""

from __future__ import annotations

from egca_plugin.tasks.layouts import cases, programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Task

_USED = (
    "task_id",
    "prompt",
    "completion",
    "entry_point",
    "test",
    "problem_description",
    "starter_code",
    "input_output",
)
_BUILTINS = "\nfrom builtins import *\n"  # the prompt's stars put math's pow in the place of Python's


def read(row: Row) -> Reading:
    """``problem_description`` and ``starter_code`` are the prompt; without them the row's ``query``, the full chat."""
    starter, completion = row.maybe("starter_code"), row.text("completion")
    kind, entry_point = cases.entry_point(row.text("entry_point"), starter, (completion,))
    preamble = row.maybe("prompt").rstrip("\n") + _BUILTINS
    problem = row.text("problem_description", "query")
    task = Task(
        task_id=row.text("task_id"),
        prompt=cases.prompt(problem, starter),
        entry_point=entry_point,
        reference="",
        tests=row.text("test"),
        setup=preamble,
        kind=kind,
        preamble=preamble,
        extra=row.rest("leetcode", *_USED),
    )
    return Reading((task,), programs.references([completion]))


LAYOUT = Layout(
    "leetcode", "LeetCodeDataset", (keys("task_id", "prompt", "completion", "entry_point", "test"),), read, ask
)
