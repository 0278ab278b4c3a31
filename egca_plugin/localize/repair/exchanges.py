"""Patches of two places at once: what the two branches of a decision do, the wrong way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from egca_plugin.localize.repair.edits import GENERIC, Edit, key, statement_lists
from egca_plugin.localize.repair.workbench import Workbench

Combination = tuple[Edit, ...]


def exchanges(bench: Workbench) -> list[Combination]:
    """Both results of a decision, each in the place of the other: ``if x: return a`` and then ``return b``.

    To negate the condition mends that too: only where the reference decides by the same one, its results are wrong.
    """
    same = {id(pair.candidate.statement) for pair in bench.alignment.pairs}
    same -= {id(pair.candidate.statement) for pair in bench.alignment.pairs if pair.negated}
    proposed: list[tuple[float, Combination]] = []
    for _, _, body, function in statement_lists(bench.tree):
        for index, node in enumerate(body):
            if isinstance(node, ast.If) and id(node) in same and bench.attends(node) and bench.ran(node):
                for one, other in _opposite(node, body[index + 1 :]):
                    near = max(bench.near(node), bench.near(one[0]), bench.near(other[0]))
                    proposed.append((near, (_edit(one, other, function, near), _edit(other, one, function, near))))
    return [edits for _, edits in sorted(proposed, key=lambda both: -both[0])]


def is_exchange(edits: Sequence[Edit]) -> bool:
    """Whether two places get what the other had."""
    if len(edits) != 2:
        return False
    one, other = edits
    return one.old is not None and key(one.old) == key(other.new) and key(other.old) == key(one.new)


_Result = tuple[ast.stmt, ast.expr]


def _edit(one: _Result, other: _Result, function: str, near: float) -> Edit:
    return Edit(GENERIC, one[1], other[1], one[0], function, near)


def _opposite(node: ast.If, behind: Sequence[ast.stmt]) -> Iterator[tuple[_Result, _Result]]:
    """The statements of the two branches that do the same with different values."""
    returns = isinstance(node.body[-1], ast.Return)
    otherwise = node.orelse or (behind[:1] if returns else [])
    if len(node.body) != len(otherwise):
        return
    for one, other in zip(node.body, otherwise, strict=True):
        first, second = _result(one), _result(other)
        if first is None or second is None or first[0] != second[0] or key(first[1]) == key(second[1]):
            continue
        yield (one, first[1]), (other, second[1])


def _result(node: ast.stmt) -> tuple[object, ast.expr] | None:
    """What a statement does, apart from the value that it does it with."""
    if isinstance(node, ast.Return) and node.value is not None:
        return ast.Return, node.value
    if isinstance(node, ast.Assign):
        return (ast.Assign, key(node.targets)), node.value
    if isinstance(node, ast.AugAssign):
        return (ast.AugAssign, key(node.target), type(node.op)), node.value
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 1:
        return (ast.Expr, key(node.value.func)), node.value.args[0]
    return None
