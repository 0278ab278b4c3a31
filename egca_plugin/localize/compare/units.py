"""Units: what is aligned. A statement, or a part of a comprehension, so that a loop can meet a comprehension."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from egca_plugin.program.instrument import (
    BRANCH,
    EXPRESSION,
    RETURN,
    WRITE,
    Comprehension,
    Instrumented,
    Site,
    mutated_name,
    written_names,
)
from egca_plugin.program.nodes import spelled, walk

BUILTINS = frozenset(dir(builtins))
BLOCKS = ("body", "orelse", "finalbody")
MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
_NOT_HEADER = {*BLOCKS, "handlers", "cases", "decorator_list"}

Bag = dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """``kind``: A assignment, B test, F loop header, R return, E produced element, J jump.

    ``node`` carries the unit's own syntax, ``sites`` its probes, ``depth`` its nesting.
    """

    kind: str
    node: ast.AST
    statement: ast.stmt
    sites: tuple[Site, ...]
    depth: int


def statements(tree: ast.Module) -> list[tuple[ast.stmt, int]]:
    """All statements that do something, in source order, with their depth; definitions are looked into, not listed."""
    found: list[tuple[ast.stmt, int]] = []

    def visit(body: list[ast.stmt], depth: int) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                visit(node.body, depth + 1)
                continue
            if isinstance(node, (ast.Import, ast.ImportFrom)) or is_docstring(node):
                continue
            found.append((node, depth))
            for block in blocks(node):
                visit(block, depth + 1)

    visit(tree.body, 0)
    return found


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The statement lists nested directly in a node."""
    for name in BLOCKS:
        body = node.__dict__.get(name)
        if isinstance(body, list):
            yield body
    for part in (*node.__dict__.get("handlers", ()), *node.__dict__.get("cases", ())):
        yield part.body


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def header(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of the statement itself, without the blocks under it."""
    for name, value in ast.iter_fields(statement):
        if name in _NOT_HEADER:
            continue
        for part in value if isinstance(value, list) else (value,):
            if isinstance(part, ast.AST):
                yield from walk(part)


def loads(statement: ast.stmt) -> Iterator[ast.Name]:
    """The variables that the statement itself reads."""
    return (part for part in header(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))


def written_by(statement: ast.stmt) -> list[str]:
    """The variables that the statement assigns or changes in place."""
    if isinstance(statement, ast.Assign):
        return [name for target in statement.targets for name in written_names(target)]
    if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        return written_names(statement.target)
    name = mutated_name(statement.value) if isinstance(statement, ast.Expr) else None
    return [name] if name else []


def units(program: Instrumented) -> list[Unit]:
    """A program's units in source order."""
    sites: dict[int, list[Site]] = {}
    for site in program.sites:
        sites.setdefault(id(site.statement), []).append(site)
    return [unit for node, depth in statements(program.tree) for unit in _of(node, sites.get(id(node), []), depth)]


def _of(node: ast.stmt, sites: list[Site], depth: int) -> Iterator[Unit]:
    def unit(kind: str, part: ast.AST, probes: list[Site], inner: int = 0) -> Unit:
        return Unit(kind, part, node, tuple(probes), depth + inner)

    def at(part: ast.AST, kind: str = "") -> list[Site]:
        return [site for site in sites if site.node is part and (not kind or site.kind == kind)]

    writes = [site for site in sites if site.kind == WRITE]
    if isinstance(node, (ast.If, ast.While, ast.Assert)):
        yield unit("B", node.test, at(node.test, BRANCH))
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield unit("F", node, writes)
    elif isinstance(node, ast.Match):
        yield unit("B", node.subject, at(node.subject))
    for depth_in, comprehension in enumerate((x for x in header(node) if isinstance(x, Comprehension)), 1):
        for part in comprehension.generators:
            yield unit("F", part, [], depth_in)
            for test in part.ifs:
                yield unit("B", test, at(test, BRANCH), depth_in + 1)
        element = comprehension.value if isinstance(comprehension, ast.DictComp) else comprehension.elt
        yield unit("E", element, at(element), depth_in + 1)
    if isinstance(node, ast.Return):
        yield unit("R", node.value or node, [site for site in sites if site.kind == RETURN])
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.With, ast.AsyncWith)):
        yield unit("A", node, writes)
    elif isinstance(node, ast.Expr):
        value = node.value
        parts = value.args if isinstance(value, ast.Call) else [value.value] if isinstance(value, ast.Yield) else []
        produced = [site for site in sites if site.kind == EXPRESSION and any(site.node is part for part in parts)]
        yield unit("E" if produced else "A", node, produced + writes)
    elif isinstance(node, (ast.Break, ast.Continue, ast.Raise)):
        yield unit("J", node, [])


# --- structure --------------------------------------------------------------------------------------------------


def bag(node: ast.AST, names: Mapping[str, str] | None = None) -> Bag:
    """What a node is made of, order forgotten. With ``names``, variables are renamed, unknown ones become ``?``."""
    counts: Bag = {}
    parts = header(node) if isinstance(node, ast.stmt) else walk(node)
    for part in parts:
        if isinstance(part, (ast.expr_context, ast.stmt)):
            continue
        if isinstance(part, ast.Name):
            name = part.id
            if names is not None:
                name = names.get(name, name if name in BUILTINS else "?")
            key = "n:" + name
        elif isinstance(part, ast.Constant):
            key = "c:" + spelled(part.value)
        elif isinstance(part, ast.Attribute):
            key = "a:" + part.attr
        elif isinstance(part, (ast.Lt, ast.Gt)):  # a flipped comparison is the same comparison
            key = "<"
        elif isinstance(part, (ast.LtE, ast.GtE)):
            key = "<="
        else:
            key = type(part).__name__
        counts[key] = counts.get(key, 0) + 1
    return counts


def dice(a: Bag, b: Bag) -> float:
    """Dice overlap of two bags, 0 to 1."""
    total = sum(a.values()) + sum(b.values())
    if not total:
        return 0.0
    if len(a) > len(b):
        a, b = b, a
    return 2 * sum(min(count, b[key]) for key, count in a.items() if key in b) / total


def size(node: ast.AST) -> int:
    """Nodes in a subtree, operators and contexts not counted."""
    skipped = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
    return sum(not isinstance(part, skipped) for part in walk(node))
