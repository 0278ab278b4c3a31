"""Python source -> a small normal form in which equal algorithms look alike.

The form has four kinds of node: an *operation* (a string such as ``add`` or ``call:max``), :class:`Loop`,
:class:`Branch` and :class:`Jump`. Lowering forgets what writing style decides and keeps what the algorithm decides:

* names, literals, formatting, docstrings, annotations, temporaries and plain assignments leave no node;
* ``for``, counting ``while`` and comprehensions become the same loop, without its bookkeeping (``range``, ``len`` in a
  bound, the counter's comparison and step, reading the element at the counter);
* ``x += e`` is ``x = x + e``; a comparison and its flip or negation are one operation, as are ``-`` and ``+``;
* ``if``/``else`` in expressions and statements become the same branch; ``return c`` and ``if c: return True`` agree;
* code that cannot be reached, unused pure assignments and uncalled functions vanish;
* helper functions are read where they are first called; calling a function from within itself is ``recurse``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from egca_plugin.program.compiling import parse
from egca_plugin.program.idioms import BINARY, answers, called, compares, copied, operations, stepped, without_unused
from egca_plugin.program.nodes import walk


@dataclass(frozen=True, slots=True)
class Loop:
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    then: tuple[Node, ...]
    other: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Jump:
    """``return``, ``raise``, ``break`` or ``continue``."""

    kind: str


Node = str | Loop | Branch | Jump
_Function = ast.FunctionDef | ast.AsyncFunctionDef

_SAME = {"call:sorted": "sort", "method:sort": "sort", "call:reversed": "reverse", "method:reverse": "reverse"}
_COLLECT = {
    ast.ListComp: ("new:list", "method:append"), ast.GeneratorExp: ("new:list", "method:append"),
    ast.SetComp: ("new:set", "method:add"),
}  # fmt: skip
_EMPTY = {"list": "new:list", "set": "new:set", "dict": "new:dict"}
_BOOKKEEPING = frozenset({"range", "enumerate", "list", "iter"})


def lower(source: str, entry_point: str) -> tuple[Node, ...]:
    """The normal form of the function ``entry_point`` and of what it calls; empty where it is not defined.

    ``Solution.f`` is the method; an empty one stands for the whole program.

    Raises SyntaxError where ``source`` does not parse: callers pass programs that compile.
    """
    tree = parse(source)
    functions = {node.name: node for node in walk(tree) if isinstance(node, _Function)}
    lowering = _Lowering(functions, _lambdas(tree))
    if not entry_point:
        return tuple(lowering.block([node for node in tree.body if not isinstance(node, _Function | ast.ClassDef)]))
    return tuple(lowering.function(entry_point.rpartition(".")[2]))


def _lambdas(tree: ast.Module) -> dict[str, ast.Lambda]:
    """Functions that are written as ``name = lambda ...``."""
    assigns = (node for node in walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))
    return {
        target.id: node.value
        for node in assigns
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Lambda)
    }


class _Lowering:
    def __init__(self, functions: dict[str, _Function], lambdas: dict[str, ast.Lambda]) -> None:
        self._functions = functions
        self._lambdas = lambdas
        self._active: list[str] = []
        self._read: set[str] = set()
        self._counters: set[str] = set()

    # --- functions ----------------------------------------------------------------------------------------------

    def function(self, name: str) -> Iterator[Node]:
        """The body of one of the program's functions, once; ``recurse`` inside itself."""
        if name in self._active:
            yield "recurse"
        if name in self._read:
            return
        self._read.add(name)
        self._active.append(name)
        if name in self._functions:
            body = self._functions[name].body
            yield from self.block(without_unused(body))
        elif name in self._lambdas:
            yield from self.expression(self._lambdas[name].body)
            yield Jump("return")
        self._active.pop()

    # --- statements ---------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt]) -> Iterator[Node]:
        """A block up to its first jump: what follows cannot be reached."""
        for number, statement in enumerate(statements):
            if isinstance(statement, ast.If) and answers(statement, statements[number + 1 :]):
                yield from self.expression(statement.test)
                yield Jump("return")
                return
            yield from self.statement(statement)
            if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
                return

    def statement(self, node: ast.stmt) -> Iterator[Node]:
        if isinstance(node, ast.Return):
            yield from self.expression(node.value)
            yield Jump("return")
        elif isinstance(node, ast.Raise):
            yield Jump("raise")
        elif isinstance(node, ast.Break | ast.Continue):
            yield Jump(type(node).__name__.lower())
        elif isinstance(node, ast.If):
            yield from self._if(node)
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield from self._for(node.target, node.iter, node.body)
            yield from self.block(node.orelse)
        elif isinstance(node, ast.While):
            yield from self._while(node)
            yield from self.block(node.orelse)
        elif isinstance(node, ast.Try):
            yield from self.block(node.body)
            yield "try"
            yield from (Branch(tuple(self.block(handler.body))) for handler in node.handlers)
            yield from self.block([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                yield from self.expression(item.context_expr)
            yield from self.block(node.body)
        elif isinstance(node, ast.Match):
            yield from self.expression(node.subject)
            yield from (Branch(("equal", *self.block(case.body))) for case in node.cases)
        else:
            yield from self._simple(node)

    def _simple(self, node: ast.stmt) -> Iterator[Node]:
        if isinstance(node, ast.Assign):
            yield from self.expression(node.value)
            for target in node.targets:
                yield from self._store(target)
        elif isinstance(node, ast.AugAssign):
            yield from self.expression(node.value)
            if isinstance(node.target, ast.Subscript):
                yield from self._index(node.target)
            yield BINARY[type(node.op)]
            yield from self._store(node.target)
        elif isinstance(node, ast.AnnAssign):
            yield from self.expression(node.value)
            yield from self._store(node.target)
        elif isinstance(node, ast.Expr):
            yield from self.expression(node.value)
        elif isinstance(node, ast.Assert):
            yield from self.expression(node.test)
            yield Branch((Jump("raise"),))
        elif isinstance(node, ast.Delete):
            yield "delete"

    def _store(self, target: ast.expr) -> Iterator[Node]:
        if isinstance(target, ast.Subscript | ast.Attribute):
            yield "store"
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                yield from self._store(element)

    def _if(self, node: ast.If) -> Iterator[Node]:
        if isinstance(node.test, ast.Constant):
            yield from self.block(node.body if node.test.value else node.orelse)
            return
        yield from self.expression(node.test)
        yield Branch(tuple(self.block(node.body)), tuple(self.block(node.orelse)))

    def _for(self, target: ast.expr, over: ast.expr, body: Sequence[ast.stmt]) -> Iterator[Node]:
        yield from self._iterated(over)
        with_counter = called(over) in ("range", "enumerate")
        names = {node.id for node in walk(target) if isinstance(node, ast.Name)} if with_counter else set()
        yield Loop(tuple(self._inside(names, self.block(body))))

    def _while(self, node: ast.While) -> Iterator[Node]:
        if isinstance(node.test, ast.Constant) and not node.test.value:
            return
        steps = {name: statement for statement in node.body if (name := stepped(statement))}
        counters = {name for name in steps if compares(node.test, name)}
        body = [s for s in node.body if not any(s is steps[name] for name in counters)]
        test = node.test
        inside: list[Node] = []
        if counters and isinstance(test, ast.Compare):
            for part in (test.left, *test.comparators):
                yield from self._bound(part)
        else:
            inside += self.expression(test)
        if counters:
            # the counter is copied to the loop's own variable first, so that the body may change it
            counters |= {name for s in body if (name := copied(s, counters))}
        yield Loop((*inside, *self._inside(counters, self.block(body))))

    def _inside(self, counters: set[str], nodes: Iterator[Node]) -> list[Node]:
        added = counters - self._counters
        self._counters |= added
        lowered = list(nodes)
        self._counters -= added
        return lowered

    def _iterated(self, node: ast.expr) -> Iterator[Node]:
        """What a loop runs over, without ``range``, ``enumerate``, ``list`` around it and ``len`` in a bound."""
        if isinstance(node, ast.Call) and called(node) in _BOOKKEEPING:
            for argument in node.args:
                yield from self._bound(argument)
        else:
            yield from self.expression(node)

    def _bound(self, node: ast.expr) -> Iterator[Node]:
        if isinstance(node, ast.Call) and called(node) == "len":
            yield from (child for argument in node.args for child in self.expression(argument))
        elif isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
            yield from self._bound(node.left)  # len(x) - 1, n + 1
        else:
            yield from self.expression(node)

    # --- expressions --------------------------------------------------------------------------------------------

    def expression(self, node: ast.expr | None) -> Iterator[Node]:
        if node is None or isinstance(node, ast.Name | ast.Constant):
            return
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            new, collect = _COLLECT[type(node)]
            yield new
            yield from self._comprehension(node.generators, [*self.expression(node.elt), collect])
        elif isinstance(node, ast.DictComp):
            yield "new:dict"
            inner = [*self.expression(node.key), *self.expression(node.value), "store"]
            yield from self._comprehension(node.generators, inner)
        elif isinstance(node, ast.IfExp):
            yield from self.expression(node.test)
            yield Branch(tuple(self.expression(node.body)), tuple(self.expression(node.orelse)))
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        elif isinstance(node, ast.Subscript):
            yield from self.expression(node.value)
            yield from self._index(node)
        elif isinstance(node, ast.Lambda):
            yield from self.expression(node.body)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from self.expression(child)
            yield from operations(node)

    def _comprehension(self, generators: Sequence[ast.comprehension], inner: list[Node]) -> Iterator[Node]:
        first, *rest = generators
        body = list(self._comprehension(rest, inner)) if rest else inner
        for condition in reversed(first.ifs):
            body = [*self.expression(condition), Branch(tuple(body))]
        yield from self._iterated(first.iter)
        yield Loop(tuple(body))

    def _call(self, node: ast.Call) -> Iterator[Node]:
        function = node.func
        if isinstance(function, ast.Attribute):
            yield from self.expression(function.value)
        elif not isinstance(function, ast.Name):
            yield from self.expression(function)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield from self.expression(argument)
            if isinstance(argument, ast.Name) and argument.id in self._functions:
                yield from self._inlined(argument.id)  # a function that is handed on: key=, map()
        if isinstance(function, ast.Attribute):
            yield _SAME.get(f"method:{function.attr}", f"method:{function.attr}")
        elif isinstance(function, ast.Name):
            if function.id in self._functions or function.id in self._lambdas:
                yield from self._inlined(function.id)
            elif function.id in _EMPTY and not node.args:
                yield _EMPTY[function.id]
            elif function.id not in _BOOKKEEPING:
                yield _SAME.get(f"call:{function.id}", f"call:{function.id}")

    def _inlined(self, name: str) -> Iterator[Node]:
        """A helper's body; its returns only end the helper."""
        yield from _without_returns(self.function(name))

    def _index(self, node: ast.Subscript) -> Iterator[Node]:
        index = node.slice
        if isinstance(index, ast.Name) and index.id in self._counters:
            return  # the element at the loop's counter: the element
        if isinstance(index, ast.Slice):
            step = index.step
            backwards = isinstance(step, ast.UnaryOp) and not index.lower and not index.upper
            yield "reverse" if backwards else "slice"
        else:
            yield from self.expression(index)
            yield "index"


def _without_returns(nodes: Iterator[Node] | Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, Loop):
            yield Loop(tuple(_without_returns(node.body)))
        elif isinstance(node, Branch):
            yield Branch(tuple(_without_returns(node.then)), tuple(_without_returns(node.other)))
        elif node != Jump("return"):
            yield node
