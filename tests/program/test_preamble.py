"""What stands in front of a program and was not sampled."""

from __future__ import annotations

import builtins

import pytest

from egca_plugin.config import EgcaConfig
from egca_plugin.program.preamble import STANDARD, in_front, preamble_of, without_unused
from egca_plugin.types import Task

TASK = Task("t/1", "Merge two lists of ListNode.", "Solution.merge", "", ("assert True",))
CONFIG = EgcaConfig(preamble="standard")


def namespace(source: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(source, names)
    return names


def test_it_gives_what_judges_give() -> None:
    names = namespace(STANDARD)
    for name in (
        "List",
        "Optional",
        "deque",
        "Counter",
        "heappush",
        "inf",
        "gcd",
        "accumulate",
        "lru_cache",
        "bisect_left",
    ):
        assert name in names
    assert {"math", "collections", "heapq", "re", "random", "itertools", "functools", "sys"} <= names.keys()


def test_it_hides_no_builtin() -> None:
    names = namespace(STANDARD)
    assert all(names.get(name, value) is value for name, value in vars(builtins).items() if not name.startswith("_"))


def test_nodes_where_the_task_names_them() -> None:
    assert namespace(preamble_of(TASK, CONFIG) + "head = ListNode(1, ListNode(2))")
    assert "TreeNode" not in preamble_of(TASK, CONFIG)


def test_the_tasks_own_has_the_last_word() -> None:
    own = Task("t/1", "", "f", "", (), preamble="class ListNode:\n    own = True")
    assert preamble_of(own, EgcaConfig()) == own.preamble
    assert namespace(preamble_of(own, CONFIG) + "assert ListNode.own")


@pytest.mark.parametrize("preamble", ["none", "standard"])
def test_it_compiles(preamble: str) -> None:
    compile(preamble_of(TASK, EgcaConfig(preamble=preamble)), "<preamble>", "exec")


GIVEN = (
    "import math\n\n\nclass Node:\n    pass\n\n\n@staticmethod\ndef link(values):\n    return Node()\n\n\n"
    "def unused(x):\n    return link(x)\n"
)


@pytest.mark.parametrize(
    ("own", "kept", "gone"),
    [
        ("def f(x):\n    return x\n", ["import math"], ["Node", "link", "unused"]),
        ("def f(x):\n    return link(x)\n", ["import math", "Node", "link"], ["unused"]),
        ("def f(x) -> 'Node':\n    return x\n", ["import math", "Node"], ["link", "unused"]),
    ],
)
def test_what_a_program_does_not_use_of_its_preamble_is_blanked_out(own: str, kept: list[str], gone: list[str]) -> None:
    source = in_front(GIVEN, own)
    left = without_unused(GIVEN, source)
    assert len(left) == len(source)
    assert [len(line) for line in left.splitlines()] == [len(line) for line in source.splitlines()]
    assert left.endswith(own)
    assert all(name in left for name in kept)
    assert not any(name in left for name in gone)
    assert all(one in (" ", other) for one, other in zip(left, source, strict=True))
    compile(left, "<left>", "exec")


def test_a_program_without_its_preamble_stays_as_it_is() -> None:
    assert without_unused(GIVEN, "def f(): pass\n") == "def f(): pass\n"
    assert without_unused("", "def f(): pass\n") == "def f(): pass\n"
