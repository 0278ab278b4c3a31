"""Semantic voting: the majority stands in for a reference only where the tests agree with it."""

from __future__ import annotations

from egca_plugin.references import vote
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.referee import judge
from egca_plugin.types import Task

TASK = Task("t/0", "", "double", "", ("assert double(2) == 4", "assert double(0) == 0"))
RIGHT = "def double(x):\n    return 2 * x\n"
ALSO_RIGHT = "def double(x):\n    result = x + x\n    return result\n"
WRONG = "def double(x):\n    return x ** 3\n"


def winner(sandbox: Sandbox, *sources: str) -> str | None:
    return vote(sandbox, [(source, judge(sandbox, source, TASK)) for source in sources])


def test_the_confirmed_majority_stands_in(sandbox: Sandbox) -> None:
    assert winner(sandbox, ALSO_RIGHT, WRONG, RIGHT) == RIGHT


def test_a_wrong_majority_does_not(sandbox: Sandbox) -> None:
    assert winner(sandbox, WRONG, WRONG, RIGHT) is None


def test_one_program_is_no_majority(sandbox: Sandbox) -> None:
    assert winner(sandbox, RIGHT) is None
    assert winner(sandbox, RIGHT, RIGHT) == RIGHT


def test_nobody_called_nobody_wins(sandbox: Sandbox) -> None:
    assert winner(sandbox) is None
    assert winner(sandbox, "x = 1\n", "x = 2\n") is None
