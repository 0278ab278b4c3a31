"""Lists in tests that are data stand for linked lists and trees where the entry point's annotations say so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.judging.forms.nodes import Signature, signature
from egca_plugin.judging.referee import judge
from egca_plugin.program.preamble import NODES
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallCase, Kind, Task

STARTER = "class Solution:\n    def turn(self, head: Optional[ListNode]) -> Optional[ListNode]:\n        "
TURN = "class Solution:\n    def turn(self, head):\n        last = None\n        while head:\n"
TURN += "            head.next, last, head = last, head, head.next\n        return last\n"
LISTS = [([1, 2, 3], [3, 2, 1]), ([], []), ([5], [5])]


def passes(sandbox: Sandbox, program: str, prompt: str, pairs: list[tuple[Any, Any]], name: str = "turn") -> bool:
    cases = tuple(CallCase(json.dumps([given]), "{}", json.dumps(expected)) for given, expected in pairs)
    source = "".join(NODES.values()) + program
    return judge(sandbox, source, Task("t/1", prompt, f"Solution.{name}", "", "", kind=Kind.METHOD, cases=cases)).passed


@pytest.mark.parametrize(
    ("program", "passed"),
    [
        (TURN, True),
        (NODES["ListNode"] + "    def __repr__(self): return 'node'\n" + TURN, True),
        (TURN.replace("return last", "return head"), False),
        (TURN.replace("return last", "return ListNode(0, last)"), False),
        ("class Solution:\n    def turn(self, head):\n        head.next = head\n        return head", False),
        ("class Solution:\n    def turn(self, head): return [3, 2, 1]", False),
    ],
    ids=["right", "own class", "none", "longer", "circle", "no node"],
)
def test_linked_lists(sandbox: Sandbox, program: str, passed: bool) -> None:
    assert passes(sandbox, program, STARTER, LISTS if passed else LISTS[:1]) is passed


def test_trees(sandbox: Sandbox) -> None:
    prompt = "def mirror(self, root: Optional[TreeNode]) -> Optional[TreeNode]:"
    program = "class Solution:\n    def mirror(self, root):\n        if root:\n"
    program += "            root.left, root.right = map(self.mirror, (root.right, root.left))\n        return root"
    pairs = [([4, 2, 7, 1, 3], [4, 7, 2, None, None, 3, 1]), ([1, None, 2], [1, 2]), ([], [])]
    assert passes(sandbox, program, prompt, pairs, "mirror")
    assert not passes(sandbox, program, prompt, [([1, None, 2], [1, None, 2])], "mirror")


def test_several_in_a_list(sandbox: Sandbox) -> None:
    prompt = "def heads(self, lists: List[Optional[ListNode]]) -> ListNode:"
    program = "class Solution:\n    def heads(self, lists):\n        end = None\n"
    program += "        for one in reversed(lists):\n            end = ListNode(one.val, end)\n        return end"
    assert passes(sandbox, program, prompt, [([[1, 2], [3]], [1, 3])], "heads")


def test_other_lists_stay_what_they_are() -> None:
    assert signature("f", ("def f(xs: List[int]) -> List[int]: ...",)) == Signature()
    mixed = signature("f", ("def f(root: TreeNode, depths: List[int], k=0) -> int:",))
    (root, depths), named = mixed.arguments([[1], [2]], {"k": [3]})
    assert (root.val, depths, named) == (1, [2], {"k": [3]})
    assert mixed.told([1], [1]) == [1]


@given(st.lists(st.integers()))
def test_a_list_of_nodes_reads_as_it_was_written(values: list[int]) -> None:
    both = Signature((("head", "ListNode"),), "ListNode")
    ((head,), _) = both.arguments([values], {})
    assert both.told(head, values) == values


@given(st.recursive(st.none(), lambda trees: st.tuples(st.integers(), trees, trees)))
def test_a_tree_reads_as_it_was_written(tree: Any) -> None:
    both = Signature((("root", "TreeNode"),), "TreeNode")
    level, values = [tree], []
    while level:
        values += [None if node is None else node[0] for node in level]
        level = [child for node in level if node is not None for child in node[1:]]
    while values and values[-1] is None:
        values.pop()
    ((root,), _) = both.arguments([values], {})
    assert both.told(root, values) == values
