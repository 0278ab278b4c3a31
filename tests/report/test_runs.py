"""Two runs side by side, of real programs in the real sandbox."""

from __future__ import annotations

from egca_plugin.report.runs import compare
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Kind, StdinCase, Task

REFERENCE = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"
TASK = Task("t/total", "", "total", REFERENCE, ("assert total([]) == 0", "assert total([4, 2]) == 6"))
SAID = "Here you go:\n\n```python\n{}```\n"


def test_the_moments_around_the_place_where_they_part(sandbox: Sandbox) -> None:
    found = compare(TASK, SAID.format(REFERENCE.replace("in values", "in values[1:]")), sandbox)
    assert found is not None
    (mine,), (theirs,) = ([one for one in run if one.parts] for run in (found.program, found.reference))
    assert (mine.line, mine.what) == (6, "value = 2")  # the completion's line
    assert (theirs.line, theirs.what) == (3, "value = 4")  # the reference's
    assert found.program[0].what == "result = 0"


def test_a_whole_program_is_compared_too(sandbox: Sandbox) -> None:
    task = Task(
        "t/in", "", "", "n = int(input())\nprint(n + 1)\n", "", kind=Kind.STDIN, cases=(StdinCase("3", ("4",)),)
    )
    found = compare(task, "n = int(input())\nprint(n + 2)\n", sandbox)
    assert found is not None
    assert any(one.parts and one.line == 2 for one in found.program)


def test_there_is_nothing_to_compare_with_or_about(sandbox: Sandbox) -> None:
    for text in (REFERENCE, "def total(values:", ""):
        assert compare(TASK, text, sandbox) is None
    assert compare(Task("t/none", "", "total", "", TASK.tests), "def total(values):\n    return 1\n", sandbox) is None
