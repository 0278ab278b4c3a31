"""Lists and trees of nodes in tests that are data: ``[1, 2, 3]`` is what LeetCode writes for a ``ListNode``.

The annotations of the entry point say where nodes are meant. Reading them is pure; the values are built beside the
tests, and what a program returns is read by its attributes alone.
"""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_KIND = re.compile(r"\b(ListNode|TreeNode)\b")
_SEVERAL = re.compile(r"\b[Ll]ist\[")
_OTHER = object()


class ListNode:
    """As LeetCode's."""

    def __init__(self, val: Any = 0, next: Any = None) -> None:
        self.val, self.next = val, next


class TreeNode:
    """As LeetCode's."""

    def __init__(self, val: Any = 0, left: Any = None, right: Any = None) -> None:
        self.val, self.left, self.right = val, left, right


@dataclass(frozen=True, slots=True)
class Signature:
    """What the entry point takes and gives: the parameters' names in order, each with its annotation as source."""

    parameters: tuple[tuple[str, str], ...] = ()
    result: str = ""

    def arguments(self, args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """With nodes for the lists that stand for them."""
        by_name = dict(self.parameters)
        kinds = (kind for _, kind in self.parameters)
        return (
            [_built(next(kinds, ""), value) for value in args],
            {name: _built(by_name.get(name, ""), value) for name, value in kwargs.items()},
        )

    def told(self, got: Any, expected: Any) -> Any:
        """What was returned as ``expected`` writes it, as far as it is worth reading; equal to nothing where nodes are
        meant and others came."""
        return _told(self.result, got, expected)


def signature(entry_point: str, sources: Sequence[str]) -> Signature:
    """Of the first definition in ``sources``, programs or prompts, that speaks of nodes."""
    name = re.escape(entry_point.rpartition(".")[2])
    head = re.compile(rf"\bdef\s+{name}\s*\([^()]*\)\s*(?:->[^:\n]+)?:")
    for match in (match for source in sources if "Node" in source for match in head.finditer(source)):
        found = _parsed(match.group())
        if found is not None and any(map(_KIND.search, (found.result, *dict(found.parameters).values()))):
            return found
    return Signature()


def _parsed(head: str) -> Signature | None:
    try:
        (function,) = ast.parse(head + " pass").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    assert isinstance(function, ast.FunctionDef)
    taken = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    pairs = tuple((one.arg, _source(one.annotation)) for one in taken if one.arg != "self")
    return Signature(pairs, _source(function.returns))


def _source(annotation: ast.expr | None) -> str:
    return "" if annotation is None else ast.unparse(annotation)


# --- values -------------------------------------------------------------------------------------------------------


def _built(kind: str, value: Any) -> Any:
    found = _KIND.search(kind)
    if found is None or not isinstance(value, list):
        return value
    if _SEVERAL.search(kind):
        return [_built(found[1], one) for one in value]
    return _list(value) if found[1] == "ListNode" else _tree(value)


def _list(values: list[Any]) -> ListNode | None:
    head = None
    for value in reversed(values):
        head = ListNode(value, head)
    return head


def _tree(values: list[Any]) -> TreeNode | None:
    """Level by level, ``None`` where there is no node."""
    if not values or values[0] is None:
        return None
    root = TreeNode(values[0])
    parents, rest = deque([root]), iter(values[1:])
    for left in rest:
        if not parents:
            break
        parent = parents.popleft()
        for side, value in (("left", left), ("right", next(rest, None))):
            if value is not None:
                setattr(parent, side, TreeNode(value))
                parents.append(getattr(parent, side))
    return root


def _told(kind: str, got: Any, expected: Any) -> Any:
    found = _KIND.search(kind)
    if found is None or not isinstance(expected, list):
        return got
    if _SEVERAL.search(kind):
        same = isinstance(got, (list, tuple)) and len(got) == len(expected)
        return [_told(found[1], *pair) for pair in zip(got, expected, strict=True)] if same else got
    if got is not None and type(got).__name__ != found[1]:
        return _OTHER
    values = _along(got) if found[1] == "ListNode" else _levels(got)
    limit = len(expected) + 1  # one more than that is another value, and a circle has no end
    return [value for value, _ in zip(values, range(limit), strict=False)]


def _along(node: Any) -> Iterator[Any]:
    while node is not None:
        yield node.val
        node = node.next


def _levels(root: Any) -> Iterator[Any]:
    """As :func:`_tree` reads them, without what stands for no node behind the last one."""
    waiting, missing = deque([root]), 0
    while waiting:
        node = waiting.popleft()
        if node is None:
            missing += 1
            continue
        yield from [None] * missing
        missing = 0
        yield node.val
        waiting += (node.left, node.right)
