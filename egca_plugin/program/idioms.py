"""Idioms of Python that say the same thing in several ways: what :mod:`lowering` asks about syntax nodes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from egca_plugin.program.nodes import walk

BINARY = {
    ast.Add: "add", ast.Sub: "add", ast.Mult: "multiply", ast.Div: "divide", ast.FloorDiv: "divide", ast.Mod: "modulo",
    ast.Pow: "power", ast.LShift: "bits", ast.RShift: "bits", ast.BitOr: "bits", ast.BitXor: "bits", ast.BitAnd: "bits",
    ast.MatMult: "multiply",
}  # fmt: skip
_COMPARE = {
    ast.Eq: "equal", ast.NotEq: "equal", ast.Lt: "order", ast.LtE: "order", ast.Gt: "order", ast.GtE: "order",
    ast.In: "member", ast.NotIn: "member", ast.Is: "equal", ast.IsNot: "equal",
}  # fmt: skip


def operations(node: ast.expr) -> Iterator[str]:
    """What the node itself does, its operands aside."""
    if isinstance(node, ast.BinOp):
        yield BINARY[type(node.op)]
    elif isinstance(node, ast.Compare):
        yield from (_COMPARE[type(operator)] for operator in node.ops)
    elif isinstance(node, ast.List | ast.Set | ast.Dict):
        yield f"new:{type(node).__name__.lower()}"
    elif isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
        yield "yield"
    elif isinstance(node, ast.JoinedStr):
        yield "format"


def without_unused(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Without plain assignments, at the top of a function, of call-free values to names that nothing reads."""
    loaded = {
        node.id
        for statement in body
        for node in walk(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }

    def unused(statement: ast.stmt) -> bool:
        return (
            isinstance(statement, ast.Assign)
            and all(isinstance(target, ast.Name) and target.id not in loaded for target in statement.targets)
            and not any(isinstance(node, ast.Call | ast.Yield | ast.Await) for node in walk(statement.value))
        )

    return [statement for statement in body if not unused(statement)]


def answers(node: ast.If, rest: Sequence[ast.stmt]) -> bool:
    """``if c: return True`` and then ``return False``, in either order of the two."""
    others = node.orelse or rest
    return all(
        len(branch) >= 1
        and isinstance(branch[0], ast.Return)
        and isinstance(branch[0].value, ast.Constant)
        and isinstance(branch[0].value.value, bool)
        for branch in (node.body, others)
    )


def called(node: ast.expr) -> str:
    """The plain name that a call calls, or ``""``."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def stepped(node: ast.stmt) -> str:
    """The name that ``x += c``, ``x -= c``, ``x = x + c`` or ``x = x - c`` steps by a literal, or ``""``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        name, operator, amount = node.target.id, node.op, node.value
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.targets[0], ast.Name):
        name, operator, amount = node.targets[0].id, node.value.op, node.value.right
        if not (isinstance(node.value.left, ast.Name) and node.value.left.id == name):
            return ""
    else:
        return ""
    return name if isinstance(operator, ast.Add | ast.Sub) and isinstance(amount, ast.Constant) else ""


def copied(node: ast.stmt, names: set[str]) -> str:
    """The target of ``x = counter``, or ``""``."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
        target = node.targets[0]
        return target.id if isinstance(target, ast.Name) else ""
    return ""


def compares(test: ast.expr, name: str) -> bool:
    """Whether ``test`` is a comparison with the variable ``name`` on one side."""
    return isinstance(test, ast.Compare) and any(
        isinstance(part, ast.Name) and part.id == name for part in (test.left, *test.comparators)
    )
