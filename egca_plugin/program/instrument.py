"""Identical instrumentation of candidate and reference: the tree rewritten with probes (METHOD.md, step 5).

Every non-trivial expression, every write, the truth of every test and every returned value passes through
``__egca_value(site, value)``, which records a bounded copy and returns the value itself; before each statement stands
``__egca_step(line)``. Both are provided by the process that runs the program. Nothing else changes: the instrumented
program computes what the original computes, and each new node carries the position of the one that it probes.

What is never touched: assignment targets, decorators, defaults, annotations, patterns, docstrings, declarations.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, TypeVar

from egca_plugin.program.compiling import code_of, parse
from egca_plugin.program.hosting import Script, hosted
from egca_plugin.program.nodes import clone, walk

# A name that ends in two underscores is not mangled inside a class body; the aliases are bound on the first line.
VALUE, STEP = "__egca_value__", "__egca_step__"
_ALIASES = ((VALUE, "__egca_value"), (STEP, "__egca_step"))

WRITE, BRANCH, RETURN, EXPRESSION = "W", "B", "R", "E"

FILENAME = "<program>"  # as in the process that runs it, which reads the raising line off the traceback

MUTATORS = {
    "append", "extend", "insert", "pop", "remove", "sort", "reverse", "add", "update", "clear", "discard", "setdefault",
    "popitem", "appendleft", "popleft", "extendleft", "rotate", "subtract", "move_to_end", "difference_update",
    "intersection_update", "symmetric_difference_update",
}  # fmt: skip
_PROBED = (
    ast.BinOp, ast.BoolOp, ast.Compare, ast.Call, ast.Subscript, ast.Attribute, ast.UnaryOp, ast.IfExp, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr, ast.Await,
)  # fmt: skip
_NEVER = (ast.Starred, ast.Slice, ast.FormattedValue, ast.GeneratorExp, ast.NamedExpr, ast.Yield, ast.YieldFrom)
_DECLARATIONS = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Comprehension = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class SwitchExpr(ast.IfExp):
    """``alternative if <this patch is on> else original``: a patch slot. Its test is not part of the program."""


class SwitchStmt(ast.If):
    """A patch slot for statements, as :class:`SwitchExpr`."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One probe. ``kind`` is W (a variable after a write), B (truth of a test), R (returned value) or E (expression).

    ``node`` and ``statement`` are nodes of the tree as parsed, so their positions are exact. ``function`` is the
    innermost enclosing function, ``""`` at module level. ``variable`` is set for W; ``self.x`` for an attribute.
    """

    id: int
    kind: str
    node: ast.AST
    statement: ast.stmt
    function: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Instrumented:
    """``code`` is the probed program, compiled; ``tree`` is the original, unprobed."""

    code: CodeType
    sites: tuple[Site, ...]
    tree: ast.Module
    source: str


def instrument(source: str) -> Instrumented:
    """Probe a program. Raises SyntaxError, ValueError, RecursionError or MemoryError where Python cannot compile it."""
    return instrument_tree(parse(source), source)


def instrument_tree(tree: ast.Module, source: str, head: Sequence[ast.stmt] = ()) -> Instrumented:
    """As :func:`instrument`, for a tree that is parsed already and may carry patch slots.

    A :class:`~egca_plugin.program.hosting.Script` comes out hosted, with ``head`` in front of its host.
    """
    rewriter = _Rewriter()
    code = code_of(rewriter.module(tree), FILENAME)
    if isinstance(tree, Script):
        code = hosted(code, head)
    return Instrumented(code, tuple(rewriter.sites), tree, source)


def written_names(target: ast.expr) -> list[str]:
    """The variables that an assignment target changes: ``a, b[i]`` writes ``a`` and ``b``."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for element in target.elts for name in written_names(element)]
    name = root_name(target)
    return [name] if name else []


def root_name(node: ast.expr) -> str | None:
    """The variable under ``x[i]``, ``x[i][j]``, ``*x``; None for anything else, attributes included."""
    while isinstance(node, (ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def mutated_name(node: ast.expr) -> str | None:
    """The receiver of a mutating method call: ``stack`` in ``stack.append(x)`` and ``rows[i].pop()``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        return root_name(node.func.value)
    return None


_Node = TypeVar("_Node", bound=ast.AST)


class _Rewriter:
    """One pass over a tree; builds new nodes and leaves the old ones alone."""

    def __init__(self) -> None:
        self.sites: list[Site] = []
        self._statement: ast.stmt = ast.Pass()
        self._function = ""
        self._expressions: dict[type[ast.AST], Callable[[Any], ast.expr]] = {
            ast.Call: self._call,
            ast.Subscript: self._subscript,
            ast.Lambda: self._lambda,
            ast.IfExp: self._ifexp,
            ast.NamedExpr: self._walrus,
            ast.FormattedValue: self._formatted,
            ast.Yield: self._yield,
            SwitchExpr: self._switch,
            **dict.fromkeys(Comprehension, self._comprehension),
        }

    def module(self, tree: ast.Module) -> ast.Module:
        new = clone(tree)
        head = 0
        while head < len(tree.body) and (_is_text(tree.body[head]) or _is_future(tree.body[head])):
            head += 1
        aliases: list[ast.stmt] = [
            ast.Assign([_name(alias, ast.Store())], _name(name), lineno=1) for alias, name in _ALIASES
        ]
        new.body = [*tree.body[:head], *aliases, *self._block(tree.body[head:])]
        return ast.fix_missing_locations(new)

    # --- probes -------------------------------------------------------------------------------------------------

    def _site(self, kind: str, node: ast.AST, variable: str = "") -> ast.Constant:
        site = Site(len(self.sites), kind, node, self._statement, self._function, variable)
        self.sites.append(site)
        return ast.Constant(site.id)

    def _probe(self, kind: str, node: ast.AST, value: ast.expr, variable: str = "") -> ast.expr:
        if kind == BRANCH:  # record the truth, and ask for it once
            value = ast.copy_location(ast.IfExp(value, ast.Constant(True), ast.Constant(False)), value)
        call = ast.Call(_name(VALUE), [self._site(kind, node, variable), value], [])
        return ast.copy_location(call, value)

    def _writes(self, node: ast.stmt, names: list[str]) -> list[ast.stmt]:
        return [_at(ast.Expr(self._probe(WRITE, node, _at(_name(x), node), x)), node) for x in dict.fromkeys(names)]

    # --- expressions --------------------------------------------------------------------------------------------

    def _expr(self, node: ast.expr, kind: str = "") -> ast.expr:
        if isinstance(node, SwitchExpr):
            return self._switch(node, kind)
        if isinstance(node, ast.Constant):
            return self._probe(kind, node, node) if kind else node
        context = node.__dict__.get("ctx")
        if context is not None and not isinstance(context, ast.Load):
            return node
        new = self._expressions.get(type(node), self._children)(node)
        if isinstance(node, _NEVER):
            return new
        if not kind and isinstance(node, _PROBED):
            kind = EXPRESSION
        return self._probe(kind, node, new) if kind else new

    def _children(self, node: _Node) -> _Node:
        new = clone(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                new.__dict__[name] = self._expr(value)
            elif isinstance(value, list):
                new.__dict__[name] = [self._expr(x) if isinstance(x, ast.expr) else x for x in value]
        return new

    def _call(self, node: ast.Call) -> ast.expr:
        new = clone(node)
        kind = EXPRESSION if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS else ""
        if isinstance(node.func, ast.Attribute):
            new.func = self._children(node.func)
        elif not isinstance(node.func, ast.Name):
            new.func = self._expr(node.func)
        new.args = [self._expr(x, kind) for x in node.args]
        new.keywords = [self._children(x) for x in node.keywords]
        return new

    def _subscript(self, node: ast.Subscript) -> ast.expr:
        new = clone(node)
        new.value = self._expr(node.value)
        if isinstance(node.slice, ast.Tuple) and any(isinstance(x, (ast.Slice, ast.Starred)) for x in node.slice.elts):
            new.slice = self._children(node.slice)
        else:
            new.slice = self._expr(node.slice)
        return new

    def _lambda(self, node: ast.Lambda) -> ast.expr:
        new = clone(node)
        new.body = self._expr(node.body, EXPRESSION)
        return new

    def _ifexp(self, node: ast.IfExp) -> ast.expr:
        new = clone(node)
        new.test, new.body, new.orelse = self._expr(node.test, BRANCH), self._expr(node.body), self._expr(node.orelse)
        return new

    def _walrus(self, node: ast.NamedExpr) -> ast.expr:
        new = clone(node)
        new.value = self._probe(WRITE, node, self._expr(node.value), node.target.id)
        return new

    def _formatted(self, node: ast.FormattedValue) -> ast.expr:
        new = clone(node)
        new.value = self._expr(node.value)
        return new

    def _yield(self, node: ast.Yield) -> ast.expr:
        new = clone(node)
        if node.value is not None:
            new.value = self._expr(node.value, EXPRESSION)
        return new

    def _switch(self, node: SwitchExpr, kind: str = "") -> ast.expr:
        new = clone(node)
        new.body, new.orelse = self._expr(node.body, kind), self._expr(node.orelse, kind)
        return new

    def _comprehension(self, node: Any) -> ast.expr:
        new = clone(node)
        new.generators = []
        for part in node.generators:
            part_new = clone(part)
            part_new.iter = self._expr(part.iter)
            part_new.ifs = [self._expr(x, BRANCH) for x in part.ifs]
            new.generators.append(part_new)
        for name in ("elt", "key", "value"):
            if name in node._fields:
                setattr(new, name, self._expr(getattr(node, name), EXPRESSION))
        return new  # type: ignore[no-any-return]

    # --- statements ---------------------------------------------------------------------------------------------

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for node in body for new in self._stmt(node)]

    def _stmt(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, SwitchStmt):
            switch = clone(node)
            switch.body, switch.orelse = self._block(node.body), self._block(node.orelse)
            return [switch]
        if isinstance(node, _DECLARATIONS) or _is_text(node):
            return [node]
        outer, self._statement = self._statement, node
        step = ast.Expr(ast.Call(_name(STEP), [ast.Constant(node.lineno)], []))
        before: list[ast.stmt] = [_at(step, node)]
        try:
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                return [*before, self._definition(node)]
            if isinstance(node, ast.Return) and node.value is None:  # a value is forbidden in async generators
                none = self._probe(RETURN, node, _at(ast.Constant(None), node))
                return [*before, _at(ast.Expr(none), node), node]
            new = self._statement_expressions(node)
            self._blocks(node, new)
            return [*before, new, *self._writes(node, _written_after(node))]
        finally:
            self._statement = outer

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.stmt:
        new = clone(node)
        outer = self._function
        if not isinstance(node, ast.ClassDef):
            self._function = node.name
        new.body = self._block(node.body)
        self._function = outer
        return new

    def _statement_expressions(self, node: ast.stmt) -> ast.stmt:
        new: Any = clone(node)
        if isinstance(node, ast.With | ast.AsyncWith):
            new.items = [self._children(item) for item in node.items]
            return new  # type: ignore[no-any-return]
        kind = RETURN if isinstance(node, ast.Return) else ""
        for name in ("test", "iter", "value", "subject", "exc", "cause", "msg"):
            value = node.__dict__.get(name)
            if isinstance(value, ast.expr):
                setattr(new, name, self._expr(value, BRANCH if name == "test" else kind))
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and new.value is not None:
            attribute = _attribute_name(node.targets[0])
            if attribute:
                new.value = self._probe(WRITE, node, new.value, attribute)
        return new  # type: ignore[no-any-return]

    def _blocks(self, node: ast.stmt, new: ast.stmt) -> None:
        """Rewrite the nested blocks; what a header binds is recorded where its block begins."""
        for name in ("body", "orelse", "finalbody"):
            body = node.__dict__.get(name)
            if isinstance(body, list):
                first: list[ast.stmt] = []
                if name == "body" and isinstance(node, (ast.For, ast.AsyncFor)):
                    first = self._writes(node, written_names(node.target))
                elif name == "body" and isinstance(node, (ast.With, ast.AsyncWith)):
                    bound = [item.optional_vars for item in node.items if item.optional_vars is not None]
                    first = self._writes(node, [x for target in bound for x in written_names(target)])
                new.__dict__[name] = first + self._block(body)
        if "handlers" in node.__dict__:
            new.__dict__["handlers"] = [self._handler(node, handler) for handler in node.__dict__["handlers"]]
        if isinstance(node, ast.Match):
            new.__dict__["cases"] = [self._case(node, case) for case in node.cases]

    def _handler(self, node: ast.stmt, handler: ast.ExceptHandler) -> ast.ExceptHandler:
        new = clone(handler)
        new.body = self._writes(node, [handler.name] if handler.name else []) + self._block(handler.body)
        return new

    def _case(self, node: ast.Match, case: ast.match_case) -> ast.match_case:
        new = clone(case)
        if case.guard is not None:
            new.guard = self._expr(case.guard, BRANCH)
        new.body = self._writes(node, _captures(case.pattern)) + self._block(case.body)
        return new


def _written_after(node: ast.stmt) -> list[str]:
    """The variables to record once a simple statement is done."""
    if isinstance(node, ast.Assign):
        names = [name for target in node.targets for name in written_names(target)]
        mutated = mutated_name(node.value)
        return [*names, mutated] if mutated else names
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        return written_names(node.target)
    if isinstance(node, ast.Expr):
        name = mutated_name(node.value)
        return [name] if name else []
    return []


def _captures(pattern: ast.pattern) -> list[str]:
    names = []
    for part in walk(pattern):
        if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name:
            names.append(part.name)
        elif isinstance(part, ast.MatchMapping) and part.rest:
            names.append(part.rest)
    return names


def _attribute_name(target: ast.expr) -> str | None:
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return f"{target.value.id}.{target.attr}"
    return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _name(name: str, context: ast.expr_context | None = None) -> ast.Name:
    return ast.Name(name, context or ast.Load())


def _at(new: _Node, node: ast.AST) -> _Node:
    return ast.copy_location(new, node)
