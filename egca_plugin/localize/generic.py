"""Patches that need no reference: the slips that programmers and models make, undone one at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from egca_plugin.localize.edits import GENERIC, Edit, Place, statement_lists
from egca_plugin.localize.patches import Workbench, parameter_names
from egca_plugin.localize.units import statements
from egca_plugin.program.instrument import clone

_ORDERINGS: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: tuple[type[ast.operator], ...] = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Div)
_CONSTANTS, _NAMES = 6, 6  # how many constants of the reference, and other variables, are tried in one place


def generic_edits(bench: Workbench) -> list[Edit]:
    """Edits of the statements that ran on the failing call, nearest to k* first."""
    names = sorted(
        {node.id for node in ast.walk(bench.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        | parameter_names(bench.tree)
    )
    constants = [
        node.value
        for node in ast.walk(bench.reference.program.tree)
        if isinstance(node, ast.Constant) and type(node.value) is int
    ][:_CONSTANTS]
    edits = []
    for place in bench.places:
        if bench.ran(place.statement):
            prior = bench.near(place.statement) + (0.2 if isinstance(place.node, ast.Name) else 0.3)
            for new in _versions(place, names, constants):
                located: Any = ast.fix_missing_locations(ast.copy_location(new, place.node))
                edits.append(Edit(GENERIC, place.node, located, place.statement, place.function, prior))
    edits += _statement_edits(bench)
    return sorted(edits, key=lambda edit: -edit.prior)


def _versions(place: Place, names: list[str], constants: list[int]) -> Iterator[ast.expr]:
    node = place.node
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        operator = type(node.ops[0])
        for other in _ORDERINGS if operator in _ORDERINGS else (_OPPOSITES[operator],):
            if other is not operator:
                yield _with(node, ops=[other()])
    elif isinstance(node, ast.BinOp):
        for changed in _ARITHMETIC:
            if changed is not type(node.op):
                yield _with(node, op=changed())
        yield node.left
        yield node.right
        if not isinstance(node.op, (ast.Add, ast.Mult)):
            yield _with(node, left=node.right, right=node.left)
    elif isinstance(node, ast.Constant):
        if type(node.value) is bool:
            yield ast.Constant(not node.value)
        elif type(node.value) is int:
            for value in dict.fromkeys([node.value + 1, node.value - 1, 0, 1, 2, *constants]):
                if value != node.value:
                    yield ast.Constant(value)
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        if len(node.values) == 2:
            yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Name) and node.id in names:
        yield from (ast.Name(name, ast.Load()) for name in [x for x in names if x != node.id][:_NAMES])
    elif isinstance(node, ast.Call):
        yield from _call_versions(node)
    if place.field == "test" and not isinstance(node, ast.Compare):
        yield ast.UnaryOp(ast.Not(), node)
    if _counts(place):
        for step in (ast.Add, ast.Sub):
            yield ast.BinOp(node, step(), ast.Constant(1))


def _call_versions(node: ast.Call) -> Iterator[ast.expr]:
    positional = [arg for arg in node.args if not isinstance(arg, (ast.Starred, ast.GeneratorExp))]
    if len(node.args) == 1 and positional and isinstance(node.func, ast.Name):
        yield positional[0]
    if len(node.args) == 2 and len(positional) == 2:
        yield _with(node, args=positional[::-1])


def _counts(place: Place) -> bool:
    """Places where being off by one is common: range and slice bounds, indices, returned and assigned numbers."""
    parent = place.parent
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id == "range" and place.field == "args"
    if isinstance(parent, ast.Slice) or (isinstance(parent, ast.Subscript) and place.field == "slice"):
        return not isinstance(place.node, (ast.Tuple, ast.Slice))
    return (
        place.field == "value"
        and isinstance(parent, (ast.Return, ast.Assign))
        and isinstance(place.node, (ast.Name, ast.BinOp))
    )


def _statement_edits(bench: Workbench) -> Iterator[Edit]:
    owners = {id(child): name for _, _, body, name in statement_lists(bench.tree) for child in body}
    for node, _ in statements(bench.tree):
        if id(node) not in owners or not bench.ran(node):
            continue
        near = bench.near(node)
        if isinstance(node, ast.AugAssign):
            for operator in _ARITHMETIC:
                if operator is not type(node.op):
                    yield Edit(GENERIC, node, _with(node, op=operator()), node, owners[id(node)], near + 0.3)
        elif isinstance(node, (ast.Break, ast.Continue)):
            other: ast.stmt = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
            yield Edit(GENERIC, node, ast.copy_location(other, node), node, owners[id(node)], near + 0.3)
        if isinstance(node, (ast.Expr, ast.AugAssign, ast.Assign, ast.Break, ast.Continue, ast.Return)):
            nothing = ast.copy_location(ast.Pass(), node)
            yield Edit(GENERIC, node, nothing, node, owners[id(node)], near + 0.1)


def _with(node: Any, **changes: Any) -> Any:
    new = clone(node)
    new.__dict__.update(changes)
    return new
