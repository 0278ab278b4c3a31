"""Edits of a program's tree: where they can go, what they replace, and the smallest subtree that they really change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from egca_plugin.localize.compare.units import BLOCKS, is_docstring
from egca_plugin.program.hosting import MODULE, Script
from egca_plugin.program.nodes import clone, spelled, walk

ELSEWHERE = 1 << 20  # added to the lines of what comes from the reference

TRANSPLANT, GENERIC, INSERTION, SPECIAL = "transplant", "generic", "insertion", "special"

_SKIPPED_FIELDS = {"decorator_list", "args", "annotation", "returns", "pattern", "format_spec", "type", "type_params"}
_IMPORTS = (ast.Import, ast.ImportFrom)


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """Put ``new`` in the place of ``old``; for an insertion, before the ``index``-th statement of ``block``.

    ``statement`` is the statement that holds the place (for an insertion, the one that stands there now, or the last of
    the block). ``prior`` ranks edits before they are tried; ``source`` says where the idea came from.
    """

    source: str
    old: ast.expr | ast.stmt | None
    new: Any  # an expression or a statement, as `old`
    statement: ast.stmt
    function: str
    prior: float
    block: list[ast.stmt] | None = None
    index: int = 0
    beside_partner: bool = False  # what the alignment expects there
    origin: ast.stmt | None = None  # the reference's statement that is inserted

    @property
    def place(self) -> tuple[int, int]:
        """Identifies the place within one tree: edits of the same place exclude each other."""
        return (id(self.old), -1) if self.old is not None else (id(self.block), self.index)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """An expression that may be replaced: a loaded value in a function, or one assigned outside all functions."""

    node: ast.expr
    statement: ast.stmt
    parent: ast.AST
    field: str
    function: str


def places(tree: ast.Module) -> list[Place]:
    """Every replaceable expression of a program, in source order."""
    found: list[Place] = []

    def visit(node: ast.AST, statement: ast.stmt | None, function: str) -> None:
        for field, value in ast.iter_fields(node):
            if field in _SKIPPED_FIELDS and not (field == "args" and isinstance(node, ast.Call)):
                continue
            for child in value if isinstance(value, list) else (value,):
                if not isinstance(child, ast.AST) or isinstance(child, _IMPORTS):
                    continue
                if isinstance(child, ast.stmt):
                    if is_docstring(child):
                        continue
                    inner = child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
                    visit(child, child, inner)
                    continue
                inside = bool(function) or isinstance(statement, (ast.Assign, ast.AnnAssign))
                if (
                    statement is not None
                    and inside
                    and isinstance(child, ast.expr)
                    and _replaceable(child, node, field)
                ):
                    found.append(Place(child, statement, node, field, function))
                visit(child, statement, function)

    visit(tree, None, MODULE if isinstance(tree, Script) else "")
    return found


def _replaceable(node: ast.expr, parent: ast.AST, field: str) -> bool:
    if isinstance(node.__dict__.get("ctx"), (ast.Store, ast.Del)) or isinstance(parent, ast.JoinedStr):
        return False
    if isinstance(node, (ast.Starred, ast.Slice, ast.FormattedValue, ast.Yield, ast.YieldFrom, ast.Await)):
        return False
    if isinstance(node, ast.Tuple) and any(isinstance(part, ast.Slice) for part in node.elts):
        return False
    return not (isinstance(parent, ast.Call) and field == "func" and isinstance(node, ast.Attribute))


def statement_lists(tree: ast.AST) -> Iterator[tuple[ast.AST, str, list[ast.stmt], str]]:
    """Every non-empty block inside a function, as (owner, field, statements, function name)."""

    def visit(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str, list[ast.stmt], str]]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        for field in (*BLOCKS, "handlers", "cases"):
            body = node.__dict__.get(field)
            if not isinstance(body, list) or not body:
                continue
            if field in BLOCKS and function and not isinstance(node, ast.ClassDef):
                yield node, field, body, function
            for child in body:
                yield from visit(child, function)

    yield from visit(tree, MODULE if isinstance(tree, Script) else "")


# --- comparing trees --------------------------------------------------------------------------------------------


def key(node: object) -> object:
    """A hashable form of a subtree without positions, several times faster than ``ast.dump``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant):
        return (ast.Constant, type(node.value), spelled(node.value))
    if isinstance(node, ast.expr_context):
        return None
    if isinstance(node, ast.AST):
        return (type(node), *[key(node.__dict__.get(field)) for field in node._fields])
    if isinstance(node, list):
        return tuple([key(item) for item in node])
    return node


def narrow(old: ast.AST, new: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The smallest pair of subtrees in which two trees differ; the trees themselves where they differ in two places.

    Only nodes with a position are returned: a changed operator gives the expression that holds it.
    """
    if type(old) is not type(new):
        return old, new
    different: list[tuple[ast.AST, ast.AST]] = []
    for field in old._fields:
        if field == "ctx":
            continue
        x, y = old.__dict__.get(field), new.__dict__.get(field)
        xs, ys = (x, y) if isinstance(x, list) and isinstance(y, list) else ([x], [y])
        if len(xs) != len(ys):
            return old, new
        for p, q in zip(xs, ys, strict=True):
            if isinstance(p, ast.AST) and isinstance(q, ast.AST):
                if key(p) != key(q):
                    different.append((p, q))
            elif p != q or type(p) is not type(q):
                return old, new
    if len(different) != 1:
        return old, new
    inner = narrow(*different[0])
    return inner if "lineno" in inner[0].__dict__ else (old, new)


def change(edit: Edit) -> object:
    """What an edit does, apart from where: equal for two that make the same change. None where it only adds or removes.

    ``up -= 1`` made ``up += 1`` is the change of ``down -= 1`` to ``down += 1``.
    """
    if edit.old is None or isinstance(edit.new, ast.Pass):
        return None
    old, new = narrow(edit.old, edit.new)
    if type(old) is type(new):
        parts = [(name, key(old.__dict__.get(name)), key(new.__dict__.get(name))) for name in old._fields]
        different = [part for part in parts if part[1] != part[2]]
        if len(different) == 1:
            return (type(old), *different[0])
    return key(old), key(new)


def free_names(node: ast.AST) -> set[str]:
    """Names that a subtree reads and does not bind itself."""
    bound: set[str] = set()
    loaded: set[str] = set()
    for part in walk(node):
        if isinstance(part, ast.Name):
            (loaded if isinstance(part.ctx, ast.Load) else bound).add(part.id)
        elif isinstance(part, ast.arg):
            bound.add(part.arg)
    return loaded - bound


def stored_names(node: ast.AST) -> set[str]:
    """Names that a subtree binds in the scope around it; a comprehension's own targets are not among them."""
    names: set[str] = set()
    for part in walk(node):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            names.add(part.id)
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(part.name)
        elif isinstance(part, ast.ExceptHandler):
            names |= {part.name} if part.name else set()
    for part in walk(node):
        if isinstance(part, ast.comprehension):
            names -= {target.id for target in walk(part.target) if isinstance(target, ast.Name)}
    return names


def renamed(node: ast.AST, names: dict[str, str]) -> ast.AST:
    """A copy of a subtree with its variables and parameters renamed, moved to lines that no program has."""
    new = clone(node)
    if "lineno" in new.__dict__:
        new.__dict__["lineno"] += ELSEWHERE
        new.__dict__["end_lineno"] += ELSEWHERE
    if isinstance(new, ast.Name):
        new.id = names.get(new.id, new.id)
    elif isinstance(new, ast.arg):
        new.arg = names.get(new.arg, new.arg)
    else:
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                new.__dict__[field] = [renamed(x, names) if isinstance(x, ast.AST) else x for x in value]
            elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
                new.__dict__[field] = renamed(value, names)
    return new


def locate(new: Any, at: ast.AST, depth: int = 3) -> Any:
    """Give the nodes made for an edit the position of what they replace; far quicker than ``fix_missing_locations``.

    Only the top ``depth`` levels can be new under a node that has a position: what is below was parsed.
    """
    if "lineno" not in new.__dict__ and "lineno" in new._attributes:
        ast.copy_location(new, at)
    elif depth <= 0:
        return new
    for name in new._fields:
        value = new.__dict__.get(name)
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST) and child._fields:
                locate(child, at, depth - 1)
    return new
