"""Restructured twins: the same behaviour, and the same fault in a known place, in a program built otherwise.

Everything is renamed, ``for`` becomes ``while``, comprehensions become loops, augmented assignments plain ones,
comparisons are flipped, and results go through a temporary before ``return``. Marks travel with their nodes.
"""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.localization.execution import Bench, alike
from benchmarks.localization.marks import FAULT, Rendered, clone, mark, marks_of, move_marks, render

_WORDS = (
    "data", "item", "acc", "idx", "left", "right", "buf", "flag", "cur", "nxt", "low", "high", "part", "rest", "node",
    "score", "table", "limit", "width", "depth", "first", "second", "third", "piece", "block", "state", "value",
)  # fmt: skip
Rewrite = Callable[[ast.Module, str], None]


def twin(mutant: ast.Module, entry_point: str, bench: Bench, reference: ast.Module) -> Rendered | None:
    """The most restructured form of ``mutant`` that behaves like it on every recorded input, or None.

    The same rewrites, applied to the reference, must leave it correct.
    """
    plain = ast.unparse(ast.fix_missing_locations(clone(mutant)))
    behaviour = bench.behaviour(plain)
    for rewrites in _CHOICES:
        rewritten = _apply(rewrites, mutant, entry_point)
        rendered = render(rewritten)
        if rendered is None or not rendered.lines or rendered.source.strip() == plain.strip():
            continue
        right = ast.unparse(ast.fix_missing_locations(_apply(rewrites, reference, entry_point))) + "\n"
        if not bench.passes(right):
            continue
        if alike(behaviour, bench.behaviour(rendered.source)) and not bench.passes(rendered.source):
            return replace(rendered, fixed=right if _same_form(rendered.source, right) else "")
    return None


def _same_form(twin: str, right: str) -> bool:
    """Do the two differ in one stretch of lines? A fault may change the names that a rewrite draws, all over."""
    codes = difflib.SequenceMatcher(None, twin.splitlines(), right.splitlines(), autojunk=False).get_opcodes()
    return sum(kind != "equal" for kind, *_ in codes) == 1


def forms(tree: ast.Module, entry_point: str) -> Iterator[str]:
    """A program rewritten, from the most restructured form to the least; not all of them need behave like it."""
    for rewrites in _CHOICES:
        yield ast.unparse(ast.fix_missing_locations(_apply(rewrites, tree, entry_point)))


def _apply(rewrites: tuple[Rewrite, ...], tree: ast.Module, entry_point: str) -> ast.Module:
    tree = clone(tree)
    for rewrite in rewrites:
        rewrite(tree, entry_point)
    return tree


# --- one rewrite each -------------------------------------------------------------------------------------------


def flip_comparisons(tree: ast.Module, entry_point: str) -> None:
    """``a < b`` to ``b > a``."""
    flipped: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in flipped:
            node.left, node.comparators = node.comparators[0], [node.left]
            node.ops = [flipped[type(node.ops[0])]()]


def plain_assignments(tree: ast.Module, entry_point: str) -> None:
    """``x += e`` to ``x = x + e``."""

    def rewrite(statement: ast.stmt) -> list[ast.stmt]:
        if not isinstance(statement, ast.AugAssign):
            return [statement]
        read = clone(statement.target)
        read.ctx = ast.Load()
        return [ast.Assign([statement.target], ast.BinOp(read, statement.op, statement.value), lineno=1)]

    _each_statement(tree, rewrite)


def loops_for_comprehensions(tree: ast.Module, entry_point: str) -> None:
    """A comprehension that is evaluated unconditionally to a loop before its statement."""
    fresh = _fresh_names(tree, "built")

    def rewrite(statement: ast.stmt) -> list[ast.stmt]:
        before: list[ast.stmt] = []
        if isinstance(statement, ast.Return | ast.Assign | ast.Expr | ast.AugAssign) and statement.value is not None:
            statement.value = _hoist(statement.value, before, fresh)
        return [*before, statement]

    _each_statement(tree, rewrite)


def temporaries(tree: ast.Module, entry_point: str) -> None:
    """``return expression`` to ``result = expression`` and ``return result``."""
    fresh = _fresh_names(tree, "result")

    def rewrite(statement: ast.stmt) -> list[ast.stmt]:
        if not isinstance(statement, ast.Return) or isinstance(statement.value, ast.Name | ast.Constant | None):
            return [statement]
        name = next(fresh)
        assign = ast.Assign([ast.Name(name, ast.Store())], statement.value, lineno=1)
        return [assign, ast.Return(ast.Name(name, ast.Load()))]

    _each_statement(tree, rewrite)


def while_loops(tree: ast.Module, entry_point: str) -> None:
    """``for`` to ``while``: over a counter for ``range``, else over positions in a list."""
    fresh = _fresh_names(tree, "at")
    sequences = _fresh_names(tree, "seq")

    def rewrite(statement: ast.stmt) -> list[ast.stmt]:
        if not isinstance(statement, ast.For) or statement.orelse:
            return [statement]
        bounds = _range_bounds(statement.iter)
        return (
            _counting(statement, bounds, next(fresh)) if bounds else _indexing(statement, next(fresh), next(sequences))
        )

    _each_statement(tree, rewrite)


def rename(tree: ast.Module, entry_point: str) -> None:
    """Every parameter, variable and helper gets another name; the entry point, imports and classes keep theirs.

    So do a method's parameters, since tests give them by name.
    """
    bound: dict[str, None] = {}
    owner, _, entry = entry_point.rpartition(".")
    kept = {entry}
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name):
                bound[name] = None
            case ast.ExceptHandler(name=str(name)):
                bound[name] = None
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                kept |= {(alias.asname or alias.name).split(".")[0] for alias in aliases}
            case ast.ClassDef(name=name, body=body):
                methods = [method for method in body if isinstance(method, ast.FunctionDef)]
                kept |= {name} | {method.name for method in methods}
                called = [method for method in methods if (name, method.name) == (owner, entry)]
                kept |= {arg.arg for method in called for arg in method.args.args}
    words = _words(set(bound) | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    names = {name: next(words) for name in bound if name not in kept}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            node.arg = names.get(node.arg, node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler) and node.name:
            node.name = names.get(node.name, node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [names.get(name, name) for name in node.names]


_ALL: tuple[Rewrite, ...] = (
    flip_comparisons, plain_assignments, loops_for_comprehensions, temporaries, while_loops, rename,
)  # fmt: skip
# Tried in this order: give up as little as possible.
_CHOICES = (
    _ALL,
    tuple(rewrite for rewrite in _ALL if rewrite is not loops_for_comprehensions),
    tuple(rewrite for rewrite in _ALL if rewrite is not while_loops),
    (flip_comparisons, temporaries, rename),
)


# --- comprehensions ---------------------------------------------------------------------------------------------


def _hoist(node: ast.expr, before: list[ast.stmt], fresh: Iterator[str]) -> ast.expr:
    """Replace comprehensions in ``node`` by names built in ``before``; only where evaluation is unconditional."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        if any(generator.is_async for generator in node.generators):
            return node
        name = next(fresh)
        before += _as_loop(node, name)
        return ast.Name(name, ast.Load())
    if isinstance(node, ast.Call):
        node.args = [_hoist(argument, before, fresh) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            node.func.value = _hoist(node.func.value, before, fresh)
    elif isinstance(node, ast.BinOp):
        node.left = _hoist(node.left, before, fresh)
        node.right = _hoist(node.right, before, fresh)
    elif isinstance(node, ast.Tuple | ast.List):
        node.elts = [_hoist(element, before, fresh) for element in node.elts]
    elif isinstance(node, ast.UnaryOp):
        node.operand = _hoist(node.operand, before, fresh)
    elif isinstance(node, ast.Subscript):
        node.value = _hoist(node.value, before, fresh)
    return node


def _as_loop(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, name: str) -> list[ast.stmt]:
    target = ast.Name(name, ast.Load())
    start: ast.expr = ast.List([], ast.Load())
    if isinstance(node, ast.DictComp):
        start = ast.Dict([], [])
        slot = ast.Subscript(target, node.key, ast.Store())
        body: ast.stmt = ast.Assign([slot], node.value, lineno=1)
    else:
        method = "append"
        if isinstance(node, ast.SetComp):
            start, method = ast.Call(ast.Name("set", ast.Load()), [], []), "add"
        body = ast.Expr(ast.Call(ast.Attribute(target, method, ast.Load()), [node.elt], []))
    for generator in reversed(node.generators):
        for condition in reversed(generator.ifs):
            body = ast.If(condition, [body], [])
        body = ast.For(generator.target, generator.iter, [body], [], lineno=1)
    first: ast.stmt = ast.Assign([ast.Name(name, ast.Store())], start, lineno=1)
    return [_shift_fault(node, first), _shift_fault(node, body)]


def _shift_fault(old: ast.AST, new: ast.stmt) -> ast.stmt:
    return mark(new, FAULT) if FAULT in marks_of(old) else new


# --- loops ------------------------------------------------------------------------------------------------------


def _range_bounds(node: ast.expr) -> tuple[ast.expr, ast.expr, int] | None:
    """``(start, stop, step)`` of a plain ``range`` with a literal step."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
        return None
    if marks_of(node) or node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    if len(node.args) == 1:
        return ast.Constant(0), node.args[0], 1
    if len(node.args) == 2:
        return node.args[0], node.args[1], 1
    if len(node.args) == 3 and not marks_of(node.args[2]):
        try:
            step = ast.literal_eval(node.args[2])
        except ValueError:
            return None
        return (node.args[0], node.args[1], step) if isinstance(step, int) and step else None
    return None


def _counting(loop: ast.For, bounds: tuple[ast.expr, ast.expr, int], counter: str) -> list[ast.stmt]:
    start, stop, step = bounds
    read, write = ast.Name(counter, ast.Load()), ast.Name(counter, ast.Store())
    test = ast.Compare(ast.Name(counter, ast.Load()), [ast.Lt() if step > 0 else ast.Gt()], [stop])
    advance = ast.BinOp(read, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))
    body: list[ast.stmt] = [
        ast.Assign([loop.target], ast.Name(counter, ast.Load()), lineno=1),
        ast.Assign([write], advance, lineno=1),
        *loop.body,
    ]
    return [ast.Assign([ast.Name(counter, ast.Store())], start, lineno=1), ast.While(test, body, [])]


def _indexing(loop: ast.For, position: str, sequence: str) -> list[ast.stmt]:
    def read(name: str) -> ast.expr:
        return ast.Name(name, ast.Load())

    length = ast.Call(read("len"), [read(sequence)], [])
    body: list[ast.stmt] = [
        ast.Assign([loop.target], ast.Subscript(read(sequence), read(position), ast.Load()), lineno=1),
        ast.Assign([ast.Name(position, ast.Store())], ast.BinOp(read(position), ast.Add(), ast.Constant(1)), lineno=1),
        *loop.body,
    ]
    return [
        ast.Assign([ast.Name(sequence, ast.Store())], ast.Call(read("list"), [loop.iter], []), lineno=1),
        ast.Assign([ast.Name(position, ast.Store())], ast.Constant(0), lineno=1),
        ast.While(ast.Compare(read(position), [ast.Lt()], [length]), body, []),
    ]


# --- small tools ------------------------------------------------------------------------------------------------


def _each_statement(tree: ast.AST, rewrite: Callable[[ast.stmt], list[ast.stmt]]) -> None:
    """Apply ``rewrite`` to every statement, innermost first, passing marks on to what takes its place."""
    for node in ast.iter_child_nodes(tree):
        _each_statement(node, rewrite)
    for field in ("body", "orelse", "finalbody"):
        block = tree.__dict__.get(field)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            rewritten: list[ast.stmt] = []
            for statement in block:
                new = rewrite(statement)
                rewritten += new if new == [statement] else move_marks_once(statement, new)
            setattr(tree, field, rewritten)


def move_marks_once(old: ast.stmt, new: list[ast.stmt]) -> list[ast.stmt]:
    """Pass marks on; a statement that merely got others in front of it keeps its fault to itself."""
    if old not in new:
        return move_marks(old, new)
    inherited = [name for name in marks_of(old) if name == "gap_before"]
    for name in inherited:
        old.__dict__["marks"].discard(name)
        mark(new[0], name)
    return new


def _fresh_names(tree: ast.AST, stem: str) -> Iterator[str]:
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    number = 0
    while True:
        name = f"{stem}{number or ''}"
        number += 1
        if name not in taken:
            yield name


def _words(taken: set[str]) -> Iterator[str]:
    turn = 0
    while True:
        for word in _WORDS:
            name = f"{word}{turn or ''}"
            if name not in taken and name not in vars(builtins):
                yield name
        turn += 1
