"""Mutation operators: each takes one place in a reference and yields ways of getting it wrong.

An operator returns new nodes built from copies; the caller puts them in place and marks them. Nothing is run here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.localization.marks import FAULT, clone, mark


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: its parent, the field of the parent, and the variables of the function around it."""

    parent: ast.AST
    field: str
    variables: tuple[str, ...]


ExpressionOperator = Callable[[ast.expr, Place], Iterator[ast.expr]]
StatementOperator = Callable[[ast.stmt], Iterator[list[ast.stmt]]]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Pow),
    ast.Div: (ast.FloorDiv, ast.Mult),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}
_METHODS = {
    "lower": "upper", "upper": "lower", "startswith": "endswith", "endswith": "startswith", "isdigit": "isalpha",
    "isalpha": "isdigit", "isupper": "islower", "islower": "isupper", "find": "count", "index": "count",
    "count": "find", "strip": "lstrip", "sort": "reverse", "keys": "values", "values": "keys", "items": "keys",
    "union": "intersection", "intersection": "union", "extend": "append", "append": "extend", "add": "discard",
    "difference": "intersection", "popleft": "pop", "findall": "match", "search": "match", "match": "fullmatch",
}  # fmt: skip
_HALLUCINATED = {
    "append": "push", "add": "append", "items": "entries", "lower": "to_lower", "split": "tokenize",
    "join": "concat", "startswith": "starts_with", "isdigit": "is_digit", "pop": "remove_last",
}  # fmt: skip
_FUNCTIONS = {
    "max": ("min",), "min": ("max",), "any": ("all",), "all": ("any",), "sum": ("len", "max"), "ceil": ("floor",),
    "floor": ("ceil",), "sorted": ("list",), "reversed": ("sorted",), "len": ("sum",), "ord": ("int",),
    "round": ("int",), "int": ("round",), "sqrt": ("abs",), "zip": ("enumerate",), "filter": ("map",),
}  # fmt: skip
_CONTAINERS = {
    "set": ("list",), "list": ("set", "tuple"), "tuple": ("list", "set"), "dict": ("list",), "Counter": ("set",),
    "frozenset": ("list",), "defaultdict": ("Counter",), "deque": ("set",), "sorted": ("set",),
}  # fmt: skip
_DROPPABLE = {
    "abs",
    "sorted",
    "len",
    "int",
    "str",
    "list",
    "set",
    "round",
    "reversed",
    "tuple",
    "float",
    "ord",
    "chr",
    "sum",
}


# --- expressions ------------------------------------------------------------------------------------------------


def comparison(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            for other in _COMPARE[type(op)]:
                new = clone(node)
                new.ops[index] = other()
                yield new


def arithmetic(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        for other in _ARITHMETIC.get(type(node.op), ()):
            new = clone(node)
            new.op = other()
            yield new


def constant(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Constant) or isinstance(place.parent, ast.JoinedStr | ast.FormattedValue):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (
            ast.Constant(other) for other in (value + 1, value - 1, 0, value * 10) if other != value and other >= 0
        )
    elif isinstance(value, float):
        yield from (ast.Constant(other) for other in (value + 1.0, value * 10) if other != value)
    elif isinstance(value, str):
        others = (value[:-1], value.swapcase(), value + " ", value[::-1])
        yield from (ast.Constant(other) for other in dict.fromkeys(others) if other != value)


def off_by_one(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    in_range = isinstance(place.parent, ast.Call) and _name(place.parent.func) == "range"
    is_index = isinstance(place.parent, ast.Subscript) and place.field == "slice" and not isinstance(node, ast.Slice)
    is_length = isinstance(node, ast.Call) and _name(node.func) == "len"
    numeric = not (isinstance(node, ast.Constant) and not isinstance(node.value, int)) and not isinstance(
        node, ast.Tuple
    )
    if ((in_range and place.field == "args") or is_index or is_length) and numeric:
        yield plus(node, 1)
        yield plus(node, -1)


def boolean_op(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        new = clone(node)
        new.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield new
        for index in range(len(node.values)):
            kept = [clone(value) for position, value in enumerate(node.values) if position != index]
            yield kept[0] if len(kept) == 1 else ast.BoolOp(clone(node.op), kept)


def negated_condition(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if place.field == "test" or (place.field == "ifs" and isinstance(place.parent, ast.comprehension)):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield clone(node.operand)
        else:
            yield ast.UnaryOp(ast.Not(), clone(node))


def wrong_variable(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name) and node.id in place.variables:
        yield from (ast.Name(other, ast.Load()) for other in place.variables if other != node.id)


def swapped_arguments(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        for index in range(len(node.args) - 1):
            new = clone(node)
            new.args[index], new.args[index + 1] = new.args[index + 1], new.args[index]
            yield new
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Mult | ast.BitAnd | ast.BitOr | ast.BitXor):
        yield ast.BinOp(clone(node.right), clone(node.op), clone(node.left))
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(clone(node.test), clone(node.orelse), clone(node.body))


def wrong_method(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _METHODS:
            yield _with_method(node, _METHODS[node.func.attr])
        if node.func.attr == "pop" and len(node.args) < 2:
            new = clone(node)
            new.args = [] if node.args else [ast.Constant(0)]
            yield new


def missing_call(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call) and not node.keywords and not isinstance(place.parent, ast.Expr):
        if (
            len(node.args) == 1
            and _name(node.func) in _DROPPABLE
            and not isinstance(node.args[0], ast.GeneratorExp | ast.Starred)
        ):
            yield clone(node.args[0])
        if not node.args and isinstance(node.func, ast.Attribute):
            yield clone(node.func.value)


def wrong_step(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """Another built-in, another order, another part of the sequence: a wrong step of the algorithm."""
    if isinstance(node, ast.Call):
        for other in _FUNCTIONS.get(_name(node.func), ()):
            yield _with_function(node, other)
        for index in range(len(node.keywords)):  # sorted(..., key=...) without the key
            new = clone(node)
            del new.keywords[index]
            yield new
        if _name(node.func) == "sorted" and not any(keyword.arg == "reverse" for keyword in node.keywords):
            new = clone(node)
            new.keywords.append(ast.keyword("reverse", ast.Constant(True)))
            yield new
    if place.field == "iter":
        yield ast.Call(ast.Name("reversed", ast.Load()), [clone(node)], [])
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            yield ast.Subscript(clone(node), ast.Slice(ast.Constant(1), None, None), ast.Load())


def wrong_structure(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        for other in _CONTAINERS.get(_name(node.func), ()):
            yield _with_function(node, other)
    elif isinstance(node, ast.ListComp):
        listed = clone(node)
        yield ast.SetComp(listed.elt, listed.generators)
    elif isinstance(node, ast.SetComp):
        unique = clone(node)
        yield ast.ListComp(unique.elt, unique.generators)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and place.field == "value":
        yield ast.List(clone(node).elts, ast.Load())
    elif isinstance(node, ast.List) and node.elts and place.field == "value":
        yield ast.Set(clone(node).elts)
    elif isinstance(node, ast.Dict) and not node.keys:
        yield ast.List([], ast.Load())


def slice_bounds(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        for bound in ("lower", "upper", "step"):
            value = getattr(node.slice, bound)
            replacements = [None, plus(value, 1), plus(value, -1)] if value is not None else []
            if value is None and bound != "step":
                replacements = [ast.Constant(1)] if bound == "lower" else [ast.UnaryOp(ast.USub(), ast.Constant(1))]
            for replacement in replacements[:1] if bound == "step" else replacements:
                new = clone(node)
                setattr(new.slice, bound, replacement)
                yield new


def wrong_return(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(place.parent, ast.Return):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    else:
        yield ast.Constant(None)
        yield from (ast.Name(other, ast.Load()) for other in place.variables if other != _name(node))
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        yield ast.Tuple(clone(node).elts[::-1], ast.Load())


def undefined_name(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """A misspelt variable: NameError."""
    if isinstance(node, ast.Name) and node.id in place.variables:
        yield ast.Name(node.id + ("_" if node.id.endswith("s") else "s"), ast.Load())


def wrong_api(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """A method that does not exist: AttributeError."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _HALLUCINATED:
        yield _with_method(node, _HALLUCINATED[node.func.attr])


def wrong_type(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """A string where a number belongs, or the reverse: mostly TypeError."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        new = clone(node)
        new.right = ast.Call(ast.Name("str", ast.Load()), [clone(node.right)], [])
        yield new
    elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        shown = ast.Call(ast.Name("str", ast.Load()), [clone(node.slice)], [])
        yield ast.Subscript(clone(node.value), shown, ast.Load())


EXPRESSIONS: dict[str, ExpressionOperator] = {
    operator.__name__: operator
    for operator in (
        comparison, arithmetic, constant, off_by_one, boolean_op, negated_condition, wrong_variable,
        swapped_arguments, wrong_method, missing_call, wrong_step, wrong_structure, slice_bounds, wrong_return,
        undefined_name, wrong_api, wrong_type,
    )
}  # fmt: skip


# --- statements -------------------------------------------------------------------------------------------------


def augmented_operator(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(node, ast.AugAssign):
        for other in _ARITHMETIC.get(type(node.op), ()):
            new = clone(node)
            new.op = other()
            yield [mark(new, FAULT)]


def overwritten(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """An accumulator that is overwritten or grown at the wrong end."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield [mark(ast.Assign([ast.Name(node.target.id, ast.Store())], clone(node.value), lineno=1), FAULT)]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        receiver = node.value.func.value
        if node.value.func.attr == "append" and isinstance(receiver, ast.Name):
            insert = ast.Attribute(clone(receiver), "insert", ast.Load())
            yield [mark(ast.Expr(ast.Call(insert, [ast.Constant(0), *clone(node.value).args], [])), FAULT)]
            fresh = ast.List(clone(node.value).args, ast.Load())
            yield [mark(ast.Assign([ast.Name(receiver.id, ast.Store())], fresh, lineno=1), FAULT)]


def kept_none(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The result of a method that works in place, kept: a crash at the next use."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        receiver = node.value.func.value
        if isinstance(receiver, ast.Name) and node.value.func.attr in {"append", "add", "sort", "reverse", "extend"}:
            yield [mark(ast.Assign([ast.Name(receiver.id, ast.Store())], clone(node.value), lineno=1), FAULT)]


def sequential_update(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """``a, b = b, a + b`` written as two assignments, the second of which reads the new value of the first."""
    if (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Tuple)
        and len(node.targets[0].elts) == len(node.value.elts) == 2
    ):
        targets, values = clone(node.targets[0]).elts, clone(node.value).elts
        yield [
            mark(ast.Assign([target], value, lineno=1), FAULT) for target, value in zip(targets, values, strict=True)
        ]


def break_continue(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(node, ast.Break):
        yield [mark(ast.Continue(), FAULT)]
        yield [mark(ast.Pass(), FAULT)]
    elif isinstance(node, ast.Continue):
        yield [mark(ast.Break(), FAULT)]


def early_return(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """A loop that returns at the end of its first pass."""
    if isinstance(node, ast.For | ast.While) and not isinstance(node.body[-1], ast.Return):
        stored = [name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)]
        for name in list(dict.fromkeys(stored))[-2:]:
            new = clone(node)
            new.body.append(mark(ast.Return(ast.Name(name, ast.Load())), FAULT))
            yield [new]


STATEMENTS: dict[str, StatementOperator] = {
    operator.__name__: operator
    for operator in (augmented_operator, overwritten, kept_none, sequential_update, break_continue, early_return)
}


# --- small tools ------------------------------------------------------------------------------------------------


def plus(node: ast.expr, step: int) -> ast.expr:
    """``node + step``, folded where it is a literal, and ``n`` for ``n - 1 + 1``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        total = node.value + step
        return ast.Constant(total) if total >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-total))
    match node:
        case ast.BinOp(left=left, op=op, right=ast.Constant(value=1)) if isinstance(
            op, ast.Sub if step > 0 else ast.Add
        ):
            return clone(left)
    return ast.BinOp(clone(node), ast.Add() if step > 0 else ast.Sub(), ast.Constant(1))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _with_function(node: ast.Call, name: str) -> ast.Call:
    new = clone(node)
    if isinstance(new.func, ast.Attribute) and name not in {"abs", "list"}:
        new.func.attr = name
    else:
        new.func = ast.Name(name, ast.Load())
    return new


def _with_method(node: ast.Call, name: str) -> ast.Call:
    new = clone(node)
    assert isinstance(new.func, ast.Attribute)
    new.func.attr = name
    return new
