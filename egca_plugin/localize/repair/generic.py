"""Patches that need no reference: the slips that programmers and models make in an expression, undone one at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from egca_plugin.localize.compare.units import BUILTINS
from egca_plugin.localize.repair.edits import GENERIC, Edit, Place, key, locate
from egca_plugin.localize.repair.workbench import Workbench, parameter_names
from egca_plugin.program.nodes import clone, walk

_ORDERINGS: tuple[type[ast.cmpop], ...] = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: tuple[type[ast.operator], ...] = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Div)
_SIBLINGS = (
    ("any", "all"), ("max", "min"), ("floor", "ceil"), ("int", "round"), ("int", "float"), ("lower", "upper"),
    ("islower", "isupper"), ("isalpha", "isalnum", "isdigit"), ("startswith", "endswith"), ("find", "rfind"),
    ("index", "rindex"), ("strip", "lstrip", "rstrip"), ("append", "extend", "add", "insert"),
    ("sorted", "list", "set"), ("keys", "values", "items"), ("remove", "discard", "pop"), ("union", "intersection"),
)  # fmt: skip
_RELATED = {name: [other for other in group if other != name] for group in _SIBLINGS for name in group}
_CONSTANTS, _NAMES = 6, 8  # how many constants of the reference, and other variables, are tried in one place
_PARTS = 24  # of a chain of comparisons, of `and` or of `or`
_WRAPPERS = ("lower", "upper", "strip")  # methods that a text may lack


@dataclass(frozen=True, slots=True)
class _Material:
    """What edits are made of: the candidate's variables, and the reference's constants and one-argument functions."""

    names: list[str]
    numbers: list[int]
    texts: list[str]
    functions: list[str]
    methods: list[str]
    attributes: list[str]


def generic_edits(bench: Workbench) -> list[Edit]:
    """Edits of the expressions that ran on the failing call, nearest to k* first."""
    material = _material(bench)
    edits = []
    for place in bench.places:
        if bench.ran(place.statement):
            near = bench.near(place.statement)
            for worth, new in _versions(place, material):
                edits.append(
                    Edit(GENERIC, place.node, locate(new, place.node), place.statement, place.function, near + worth)
                )
    return sorted(edits, key=lambda edit: -edit.prior)


def _material(bench: Workbench) -> _Material:
    stored = {x.id for x in walk(bench.tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    theirs = list(walk(bench.reference.program.tree))
    constants = [x.value for x in theirs if isinstance(x, ast.Constant)]
    calls = [x for x in theirs if isinstance(x, ast.Call) and not x.keywords]
    functions = [x.func.id for x in calls if isinstance(x.func, ast.Name) and len(x.args) == 1]
    methods = [x.func.attr for x in calls if isinstance(x.func, ast.Attribute) and not x.args]
    return _Material(
        names=sorted(stored | parameter_names(bench.tree)),
        numbers=list(dict.fromkeys(x for x in constants if type(x) is int))[:_CONSTANTS],
        texts=list(dict.fromkeys(x for x in constants if type(x) is str and len(x) < 40))[:_CONSTANTS],
        functions=[name for name in dict.fromkeys(functions) if name in BUILTINS][:_CONSTANTS],
        methods=list(dict.fromkeys(methods))[:_CONSTANTS],
        attributes=list(dict.fromkeys(x.func.attr for x in calls if isinstance(x.func, ast.Attribute)))[:_CONSTANTS],
    )


def _versions(place: Place, material: _Material) -> Iterator[tuple[float, ast.expr]]:
    """(worth, other expression): the likeliest slips are worth most."""
    node = place.node
    yield from ((0.3, new) for new in _operators(node))
    if isinstance(node, ast.Constant):
        yield from ((0.3, ast.Constant(value)) for value in _constants(node.value, material))
    elif isinstance(node, ast.Name):
        yield from ((worth, ast.Name(name, ast.Load())) for worth, name in _names(node.id, material))
    elif isinstance(node, ast.Call):
        yield from ((0.3, new) for new in _call_versions(node))
        if isinstance(node.func, ast.Attribute):
            others = [name for name in material.attributes if name != node.func.attr]
            yield from ((0.2, with_(node, func=with_(node.func, attr=name))) for name in others)
    if place.field == "value" and isinstance(place.parent, ast.Assign):
        empty = {key(new): new for new in _empty()}
        if key(node) in empty:
            yield from ((0.3, new) for kind, new in empty.items() if kind != key(node))
    if place.field == "test" and not isinstance(node, ast.Compare):
        yield 0.3, ast.UnaryOp(ast.Not(), node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield 0.3, node.value
    if _counts(place):
        yield from ((0.3, ast.BinOp(node, step(), ast.Constant(1))) for step in (ast.Add, ast.Sub))
    yield from ((0.1, new) for new in _wrapped(place, material))
    yield from ((0.05, new) for new in _exchanged(node, material))


def _empty() -> list[ast.expr]:
    """What accumulators start from."""
    made = ast.Call(ast.Name("set", ast.Load()), [], [])
    return [ast.List([], ast.Load()), ast.Dict([], []), made, ast.Constant(""), ast.Constant(0)]


def _operators(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops[:_PARTS]):
            for other in _ORDERINGS if isinstance(operator, _ORDERINGS) else (_OPPOSITES[type(operator)],):
                if other is not type(operator):
                    yield with_(node, ops=[*node.ops[:index], other(), *node.ops[index + 1 :]])
    elif isinstance(node, ast.BinOp):
        yield from (with_(node, op=other()) for other in ARITHMETIC if other is not type(node.op))
        yield node.left
        yield node.right
        if not isinstance(node.op, ast.Mult):
            yield with_(node, left=node.right, right=node.left)
    elif isinstance(node, ast.BoolOp):
        yield with_(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        for index in range(min(len(node.values), _PARTS)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield rest[0] if len(rest) == 1 else with_(node, values=rest)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
        yield with_(node, body=node.orelse, orelse=node.body)


def _constants(value: object, material: _Material) -> Iterator[bool | int | str]:
    if type(value) is bool:
        yield not value
    elif type(value) is int:
        yield from (x for x in dict.fromkeys([value + 1, value - 1, 0, 1, 2, *material.numbers]) if x != value)
        yield str(value)
    elif type(value) is str:
        if value.isdigit():
            yield int(value)
        yield from (x for x in dict.fromkeys([value.swapcase(), value.strip(), "", *material.texts]) if x != value)


def _names(name: str, material: _Material) -> Iterator[tuple[float, str]]:
    if name in _RELATED:
        yield from ((0.3, other) for other in _RELATED[name] if other in BUILTINS)
    elif name in material.names:
        yield from ((0.2, other) for other in [x for x in material.names if x != name][:_NAMES])
    elif name not in BUILTINS:  # nobody ever bound it
        yield from ((0.6, other) for other in material.names)


def _call_versions(node: ast.Call) -> Iterator[ast.expr]:
    plain = not node.keywords and not any(isinstance(arg, (ast.Starred, ast.GeneratorExp)) for arg in node.args)
    if isinstance(node.func, ast.Attribute):
        for name in _RELATED.get(node.func.attr, ()):
            yield with_(node, func=with_(node.func, attr=name))
        if not node.args:
            yield node.func.value
    elif plain and len(node.args) == 1:
        yield node.args[0]
    if plain and len(node.args) == 2:
        yield with_(node, args=node.args[::-1])
    if isinstance(node.func, ast.Name) and node.func.id == "range" and plain:
        if len(node.args) == 1:
            yield with_(node, args=[ast.Constant(1), node.args[0]])
            yield with_(node, args=[ast.Constant(1), ast.BinOp(node.args[0], ast.Add(), ast.Constant(1))])
        elif len(node.args) == 2:
            yield with_(node, args=node.args[1:])


def _wrapped(place: Place, material: _Material) -> Iterator[ast.expr]:
    """What the reference does to some value, done to this one."""
    node = place.node
    if isinstance(node, ast.Constant) or (isinstance(place.parent, ast.Call) and place.field == "func"):
        return
    for name in dict.fromkeys((*material.methods, *_WRAPPERS)):
        yield ast.Call(ast.Attribute(node, name, ast.Load()), [], [])
    for name in dict.fromkeys((*material.functions, "str", "int", "abs", "sorted", "list")):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name):
            yield ast.Call(ast.Name(name, ast.Load()), [node], [])
    if not isinstance(node, (ast.Compare, ast.BoolOp)):
        yield ast.Subscript(node, ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1))), ast.Load())
        yield ast.UnaryOp(ast.USub(), node)


def _exchanged(node: ast.expr, material: _Material) -> Iterator[ast.expr]:
    """Two variables of one expression, one in the place of the other."""
    if isinstance(node, (ast.Name, ast.Constant)):
        return
    inside = {x.id for x in walk(node) if isinstance(x, ast.Name)}
    names = [name for name in material.names if name in inside]
    for i, a in enumerate(names[:4]):
        for b in names[i + 1 : 4]:
            yield _renaming(node, {a: b, b: a})


def _renaming(node: Any, names: dict[str, str]) -> Any:
    new = clone(node)
    if isinstance(new, ast.Name):
        new.id = names.get(new.id, new.id)
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            new.__dict__[field] = [_renaming(x, names) if isinstance(x, ast.AST) else x for x in value]
        elif isinstance(value, ast.AST) and value._fields:
            new.__dict__[field] = _renaming(value, names)
    return new


def _counts(place: Place) -> bool:
    """Places where being off by one is common: range and slice bounds, indices, returned and assigned numbers."""
    parent = place.parent
    if isinstance(parent, ast.Call):
        return isinstance(parent.func, ast.Name) and parent.func.id == "range" and place.field == "args"
    if isinstance(parent, ast.Slice) or (isinstance(parent, ast.Subscript) and place.field == "slice"):
        return not isinstance(place.node, (ast.Tuple, ast.Slice))
    if isinstance(parent, ast.Compare):
        return isinstance(place.node, (ast.Name, ast.BinOp, ast.Call))
    return (
        place.field == "value"
        and isinstance(parent, (ast.Return, ast.Assign))
        and isinstance(place.node, (ast.Name, ast.BinOp))
    )


def with_(node: Any, **changes: Any) -> Any:
    """A copy of a node with some fields changed."""
    new = clone(node)
    new.__dict__.update(changes)
    return new
