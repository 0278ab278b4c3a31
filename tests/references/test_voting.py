"""Semantic voting: the majority stands in for a reference only where the tests agree with it on most inputs."""

from __future__ import annotations

from egca_plugin.judged import Judged
from egca_plugin.judging.referee import judge
from egca_plugin.references import vote
from egca_plugin.references.voting import Voted
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Program, Task

TASK = Task("t/0", "", "double", "", ("assert double(2) == 4", "assert double(0) == 0", "assert double(-1) == -2"))
RIGHT = "def double(x):\n    return 2 * x\n"
ALSO_RIGHT = "def double(x):\n    result = x + x\n    return result\n"
NEARLY = "def double(x):\n    return 2 * abs(x)\n"
NEARLY_TOO = "def double(x):\n    y = abs(x)\n    return y + y\n"
WRONG = "def double(x):\n    return x ** 3\n"


def winner(sandbox: Sandbox, *sources: str) -> Voted | None:
    judged = [Judged("", Program(source, ()), judge(sandbox, source, TASK), 0.0) for source in sources]
    return vote(sandbox, judged)


def test_the_shortest_of_the_largest_cluster_stands_for_it(sandbox: Sandbox) -> None:
    voted = winner(sandbox, ALSO_RIGHT, WRONG, RIGHT)
    assert voted is not None
    assert (voted.reference.source, voted.reference.name) == (RIGHT, "voted:2")


def test_it_need_not_pass_all_tests_and_is_compared_with_on_those_that_it_passes(sandbox: Sandbox) -> None:
    voted = winner(sandbox, NEARLY_TOO, WRONG, NEARLY)
    assert voted is not None
    assert voted.reference.name == "voted:2"
    wrong = judge(sandbox, WRONG, TASK)
    assert {tested.test for tested in wrong.calls} == {0, 1, 2}
    assert {tested.test for tested in voted.confirmed(wrong).calls} == {0, 1}


def test_a_majority_that_fails_most_tests_does_not(sandbox: Sandbox) -> None:
    assert winner(sandbox, WRONG, WRONG, RIGHT) is None


def test_one_program_is_no_majority(sandbox: Sandbox) -> None:
    assert winner(sandbox, RIGHT) is None
    assert winner(sandbox, RIGHT, RIGHT) is not None


def test_nobody_called_nobody_wins(sandbox: Sandbox) -> None:
    assert winner(sandbox) is None
    assert winner(sandbox, "x = 1\n", "x = 2\n") is None
