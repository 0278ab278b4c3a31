"""Small seeded faults in a program, by the classical mutation operators: do a task's tests notice them?

Operators (Offutt et al. 1996, "An experimental determination of sufficient mutant operators", reduced to Python): a
relational, arithmetic or logical operator replaced, a constant moved by one, a condition negated, a returned value
dropped, a statement deleted.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator

from egca_plugin.program.nodes import walk

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_Place = tuple[ast.AST, str, int | None]  # parent, field, index where the field is a list
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Break, ast.Continue)


def mutants(source: str, limit: int, seed: int = 0) -> tuple[str, ...]:
    """Up to ``limit`` different programs with one fault each, a seeded choice. Raises SyntaxError for bad source.

    Only the bodies of functions are touched. Some mutants may be equivalent to the original: a tool that counts
    survivors must allow for that.
    """
    tree = ast.parse(source)
    edits = list(_edits(tree))
    random.Random(seed).shuffle(edits)
    seen = {ast.unparse(tree)}
    chosen: list[str] = []
    for place, new in edits:
        if len(chosen) == limit:
            break
        mutant = _with(tree, place, new)
        if mutant not in seen:
            seen.add(mutant)
            chosen.append(mutant)
    return tuple(chosen)


def _with(tree: ast.Module, place: _Place, new: ast.AST) -> str:
    """The text of the tree with ``new`` at ``place``; the tree itself stays as it was."""
    parent, field, index = place
    if index is None:
        old = getattr(parent, field)
        setattr(parent, field, new)
        text = ast.unparse(tree)
        setattr(parent, field, old)
    else:
        siblings: list[ast.AST] = getattr(parent, field)
        old, siblings[index] = siblings[index], new
        text = ast.unparse(tree)
        siblings[index] = old
    return text


def _edits(tree: ast.Module) -> Iterator[tuple[_Place, ast.AST]]:
    for function in walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for statement in _own_body(function):
                for parent in walk(statement):
                    yield from _below(parent)
            yield from _deletions(function)


def _below(parent: ast.AST) -> Iterator[tuple[_Place, ast.AST]]:
    if isinstance(parent, (ast.If, ast.While, ast.IfExp)):
        yield (parent, "test", None), ast.UnaryOp(ast.Not(), parent.test)
    for place, node in _children(parent):
        yield from ((place, new) for new in _variants(node))


def _own_body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """Without nested functions, which are visited on their own. A docstring mutates into nothing."""
    return [node for node in function.body if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _children(parent: ast.AST) -> Iterator[tuple[_Place, ast.AST]]:
    for field, value in ast.iter_fields(parent):
        if isinstance(parent, ast.JoinedStr) or (isinstance(parent, ast.Expr) and isinstance(value, ast.Constant)):
            continue
        if isinstance(value, ast.AST):
            yield (parent, field, None), value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield (parent, field, index), item


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.cmpop) and type(node) in _COMPARE:
        yield _COMPARE[type(node)]()
    elif isinstance(node, ast.operator) and type(node) in _ARITHMETIC:
        yield _ARITHMETIC[type(node)]()
    elif isinstance(node, ast.And):
        yield ast.Or()
    elif isinstance(node, ast.Or):
        yield ast.And()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, str):
        yield ast.Constant(value + "x" if value else "x")


def _deletions(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[_Place, ast.AST]]:
    for parent in walk(function):
        for field in ("body", "orelse"):
            block = getattr(parent, field, None)
            if not isinstance(block, list):
                continue
            for index, statement in enumerate(block):
                if isinstance(statement, ast.Return) and statement.value is not None:
                    yield (parent, field, index), ast.Return(ast.Constant(None))
                elif isinstance(statement, _SIMPLE) and not _is_docstring(statement):
                    yield (parent, field, index), ast.Pass()


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
