"""What stands in the same place of two aligned statements: which variable for which, and where the two part.

Variables are mapped by the values that they held. Where a run broke off early there are few; but a variable that stands
where the reference has another, in statements of the same build, plays its part.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from egca_plugin.localize.compare.alignment import Alignment
from egca_plugin.localize.compare.units import BUILTINS, MIRRORED, bag, blocks, dice
from egca_plugin.localize.compare.variables import VariableMap
from egca_plugin.program.nodes import walk

_SIGNS = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
FEW = 3  # places in which two statements may differ: past them one is not the other with a fault


@dataclass(frozen=True, slots=True, eq=False)
class Counterpart:
    """An expression of the candidate and what the reference has in its place.

    ``field``: they are of one build and differ in this field, an operator or the bounds of a slice, which is ``value``
    in the reference; in other things perhaps, too.
    """

    mine: Any
    theirs: Any
    field: str = ""
    value: Any = None


def counterparts(
    alignment: Alignment, tree: ast.Module, mapping: VariableMap
) -> Iterator[tuple[ast.stmt, list[Counterpart]]]:
    """For two aligned units, the names that meet in them and the places in which they differ, outermost first.

    Of ``out = e`` and ``return out`` where the reference returns an expression it is ``e`` that is compared.
    """
    before = {id(node): earlier for one in walk(tree) for body in blocks(one) for earlier, node in pairwise(body)}
    for pair in alignment.pairs:
        mine, theirs = _in_one_form(_core(pair.candidate.node), _core(pair.reference.node))
        statement = pair.candidate.statement
        earlier = before.get(id(statement))
        if isinstance(mine, ast.Name) and not isinstance(theirs, ast.Name) and _is_definition(earlier, mine.id):
            assert isinstance(earlier, ast.Assign)
            statement, mine = earlier, earlier.value
        yield statement, list(_meet(mine, theirs, mapping))


def _is_definition(node: ast.stmt | None, name: str) -> bool:
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    target = node.targets[0]
    return isinstance(target, ast.Name) and target.id == name


def by_use(alignment: Alignment, tree: ast.Module, mapping: VariableMap) -> dict[str, str]:
    """Reference name -> the candidate's name that most often stands in its place."""
    votes: Counter[tuple[str, str]] = Counter()
    for _, met in counterparts(alignment, tree, mapping):
        names = [one for one in met if isinstance(one.mine, ast.Name) and isinstance(one.theirs, ast.Name)]
        if len(met) - len(names) <= FEW:
            votes.update((one.theirs.id, one.mine.id) for one in names)
    found: dict[str, str] = {}
    for (theirs, mine), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if (theirs in BUILTINS) == (mine in BUILTINS):
            found.setdefault(theirs, mine)
    return found


def _core(node: ast.AST) -> ast.AST:
    """Of ``items.append(x)`` what is produced, as in a comprehension."""
    if isinstance(node, ast.Expr):
        value = node.value
        return value.args[0] if isinstance(value, ast.Call) and len(value.args) == 1 else value
    return node


def _in_one_form(mine: ast.AST, theirs: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The values alone where the statements are of different kinds: ``x += e`` is ``x = x + e``."""
    if type(mine) is type(theirs):
        return mine, theirs
    return _value(mine), _value(theirs)


def _value(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return ast.copy_location(ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value), node)
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)) and node.value is not None:
        return node.value
    return node


def _meet(mine: Any, theirs: Any, mapping: VariableMap) -> Iterator[Counterpart]:
    if isinstance(mine, ast.Name) and isinstance(theirs, ast.Name):
        yield Counterpart(mine, theirs)
        return
    if _are_slices(mine, theirs) and _children(mine.slice, theirs.slice, mapping) is None:
        yield Counterpart(mine, theirs, "slice", theirs.slice)
        yield from _meet(mine.value, theirs.value, mapping)
        return
    children = _children(mine, theirs, mapping)
    if children is None:
        yield Counterpart(mine, theirs)
        return
    field, sign = "op", theirs.__dict__.get("op")
    if isinstance(mine, ast.Compare) and len(mine.ops) == len(theirs.ops) == 1:
        turned = children[0][1] is not theirs.left
        kind = type(theirs.ops[0])
        field, sign = "ops", MIRRORED.get(kind, kind)() if turned else theirs.ops[0]
    if sign is not None and type(sign) is not type(_sign(mine)):
        yield Counterpart(mine, theirs, field, [sign] if field == "ops" else sign)
    for one, other in children:
        yield from _meet(one, other, mapping)


def _are_slices(*nodes: Any) -> bool:
    return all(isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) for node in nodes)


def _sign(node: Any) -> ast.AST | None:
    return node.ops[0] if isinstance(node, ast.Compare) else node.__dict__.get("op")


def _children(mine: Any, theirs: Any, mapping: VariableMap) -> list[tuple[ast.AST, ast.AST]] | None:
    """What of two nodes of one build stands in the same place; None for two that are built in different ways."""
    if type(mine) is not type(theirs):
        return None
    if isinstance(mine, ast.Compare) and len(mine.ops) == len(theirs.ops) == 1:
        straight: list[tuple[ast.AST, ast.AST]] = [
            (mine.left, theirs.left),
            (mine.comparators[0], theirs.comparators[0]),
        ]
        turned: list[tuple[ast.AST, ast.AST]] = [(mine.left, theirs.comparators[0]), (mine.comparators[0], theirs.left)]
        return turned if _likeness(turned, mapping) > _likeness(straight, mapping) else straight
    found: list[tuple[ast.AST, ast.AST]] = []
    for name in _fields(mine):
        one, other = mine.__dict__.get(name), theirs.__dict__.get(name)
        ones, others = (one, other) if isinstance(one, list) and isinstance(other, list) else ([one], [other])
        if len(ones) != len(others):
            return None
        for x, y in zip(ones, others, strict=True):
            if isinstance(x, _SIGNS) and isinstance(y, _SIGNS):
                if name == "ops" and type(x) is not type(y):
                    return None
            elif isinstance(x, ast.AST) and isinstance(y, ast.AST):
                found.append((x, y))
            elif x != y or type(x) is not type(y):
                return None
    return found


def _fields(node: ast.AST) -> Sequence[str]:
    return ("target", "iter") if isinstance(node, (ast.For, ast.AsyncFor)) else node._fields


def _likeness(pairs: Sequence[tuple[ast.AST, ast.AST]], mapping: VariableMap) -> float:
    return sum(dice(bag(one, mapping), bag(other)) + 0.1 * (type(one) is type(other)) for one, other in pairs)
