"""Marks the assertions of a task's tests, so that each is evaluated and counted, whatever became of the ones before.

An assertion becomes ``with test(i) as t: t.at(); assert ...``: the context notes how it went and carries on. Each pass
of a loop is a test of its own. What leads to an assertion belongs to it: a program that crashes in ``got = f(x)`` fails
the ``assert got == y`` behind it, and the loop goes on. ``t.at()`` says that the assertion itself was reached.

An assertion is whatever can fail on purpose: ``assert``, a call of ``assert*`` or ``fail``, ``with raises(...)`` or
``raises(ValueError, f, -1)``, and in the tests' own flow ``if ...: raise`` or ``sys.exit``. One whose failure the tests
themselves catch (``try: ... except AssertionError``) is counted with its whole ``try``, so that HumanEval's ``check``
functions mean what they meant. Functions that the tests call may mean to raise: there only the assertion itself is
marked, and within ``raises`` it is not one: ``t.at(True)`` says that a failure is expected.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

TEST = "__egca_test__"  # the name under which marked tests find the contexts; no class mangles it
_RAISES = frozenset(
    {"raises", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex", "assertLogs", "warns"}
)
_EXITS = frozenset({"exit", "_exit", "quit", "fail"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_APART = (*_SCOPES, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)  # never part of a test
_BLOCKS = ("body", "orelse", "finalbody")


class Marker:
    """Gives every assertion an index, from ``first`` on. ``asserting``: those that were given out."""

    def __init__(self, trees: Sequence[ast.AST], first: int = 0) -> None:
        nodes = [node for tree in trees for node in ast.walk(tree)]
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        self._named = _keeps_a_context(nodes)
        self._counted = {f.name for f in functions if any(self._is_assert(node) for node in ast.walk(f))}
        self._failing = {f.name for f in functions if _fails(f.body)} - self._counted
        self._next = first
        self.asserting: set[int] = set()

    @property
    def count(self) -> int:
        """One more than the greatest index."""
        return self._next

    def reserve(self) -> int:
        """An index for what is no assertion, and can fail all the same."""
        self._next += 1
        return self._next - 1

    def element(self, index: int, body: list[ast.stmt]) -> list[ast.stmt]:
        """One of a list of tests: one test, ``index``, unless its assertions stand in loops or functions."""
        if any(self._holds(node) and not self._asserts(node, main=True) for node in body):
            return self.block(body, main=True)
        first = next((at for at, node in enumerate(body) if self._asserts(node, main=True)), None)
        if first is None:
            return [self._context(index, body)]
        self.asserting.add(index)
        at = _at(index, expecting=self._expects(body[first]))
        return [self._context(index, [*body[:first], at, *body[first:]])]

    def block(self, body: Sequence[ast.stmt], *, main: bool, leads: bool = True) -> list[ast.stmt]:
        """Statements in order. ``main``: the tests' own flow; ``leads``: what leads to an assertion may go with it."""
        marked: list[ast.stmt] = []
        lead: list[ast.stmt] = []
        for node in body:
            if self._asserts(node, main):
                index = self._new_index()
                marked.append(self._context(index, [*lead, _at(index, expecting=self._expects(node)), node]))
                lead = []
            elif isinstance(node, _APART) or self._holds(node):
                marked += [*lead, self._inside(node, main)]
                lead = []
            elif main and leads and (lead or _calls(node)):
                lead.append(node)
            else:
                marked.append(node)
        return marked + lead

    def _inside(self, node: ast.stmt, main: bool) -> ast.stmt:
        """The blocks of a compound statement, marked."""
        if isinstance(node, _SCOPES):
            main = isinstance(node, ast.FunctionDef) and _is_main(node.name)
        # A loop that counts by itself would not end without its other statements; a context may mean to catch.
        leads = not isinstance(node, (ast.While, ast.With, ast.AsyncWith))
        for parent in [node, *_parts(node)]:
            for name in _BLOCKS:
                block = parent.__dict__.get(name)
                if isinstance(block, list) and block:
                    setattr(parent, name, self.block(block, main=main, leads=leads))
        return node

    def _asserts(self, node: ast.stmt, main: bool) -> bool:
        if self._is_assert(node):
            return _called(node) not in self._counted  # those of a function of the tests are counted in it
        if self._may_fail(node):
            return True
        if isinstance(node, ast.Try) and node.handlers:
            holds = any(self._is_assert(one) for one in ast.walk(node))
            leaves = any(isinstance(one, (ast.Return, ast.Break, ast.Continue)) for one in ast.walk(node))
            return (holds or _fails(node.body) or _fails(node.orelse)) if main else holds and not leaves
        return main and isinstance(node, ast.If) and not self._holds(node) and _fails([*node.body, *node.orelse])

    def _holds(self, node: ast.stmt) -> bool:
        """Whether there are assertions within."""
        inner = [one for one in ast.walk(node) if one is not node and isinstance(one, ast.stmt)]
        return any(self._is_assert(one) or self._may_fail(one) for one in inner)

    def _is_assert(self, node: ast.AST) -> bool:
        return _is_assert(node) or self._expects(node)

    def _expects(self, node: ast.AST) -> bool:
        return _expects(node) or (self._named and _is_in_named_context(node))

    def _may_fail(self, node: ast.stmt) -> bool:
        """``must(x == 1)``, where ``must`` is the tests' own and raises or leaves."""
        function = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
        return isinstance(function, ast.Name) and function.id in self._failing

    def _new_index(self) -> int:
        index = self.reserve()
        self.asserting.add(index)
        return index

    def _context(self, index: int, body: list[ast.stmt]) -> ast.stmt:
        call = ast.Call(ast.Name(TEST, ast.Load()), [ast.Constant(index)], [])
        context = ast.With([ast.withitem(call, ast.Name(_variable(index), ast.Store()))], body or [ast.Pass()])
        return ast.copy_location(context, body[0]) if body else context


def _is_main(name: str) -> bool:
    return name == "check" or name.startswith("test")


def _variable(index: int) -> str:
    return f"__egca_{index}__"


def _at(index: int, *, expecting: bool) -> ast.stmt:
    given: list[ast.expr] = [ast.Constant(True)] if expecting else []
    return ast.Expr(ast.Call(ast.Attribute(ast.Name(_variable(index), ast.Load()), "at", ast.Load()), given, []))


def _is_assert(node: ast.AST) -> bool:
    """A statement made to fail where something is wrong; not one that holds whatever it is given."""
    if isinstance(node, ast.Assert):
        constant = isinstance(node.test, ast.Constant) and bool(node.test.value)
        return not constant and not (isinstance(node.test, ast.Tuple) and node.test.elts)
    called = _called(node)
    return called.startswith("assert") or called == "fail"


def _expects(node: ast.AST) -> bool:
    """``with raises(ValueError): ...``, or ``raises(ValueError, f, -1)``, which makes the call itself."""
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return any(_name(item.context_expr) in _RAISES for item in node.items)
    return isinstance(node, (ast.Expr, ast.Assign)) and _name(node.value) in _RAISES and not _is_context(node.value)


def _is_context(node: ast.AST) -> bool:
    """``raises(ValueError)``, without what is to raise it."""
    return isinstance(node, ast.Call) and _name(node) in _RAISES and len(node.args) < 2


def _keeps_a_context(nodes: Sequence[ast.AST]) -> bool:
    """Whether some ``raises(ValueError)`` is kept or handed on, as a parameter of a test, to be entered by a name."""
    entered = {
        id(item.context_expr) for node in nodes if isinstance(node, (ast.With, ast.AsyncWith)) for item in node.items
    }
    entered |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return any(_is_context(node) and id(node) not in entered for node in nodes)


def _is_in_named_context(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(isinstance(item.context_expr, ast.Name) for item in node.items)


def _called(node: ast.AST) -> str:
    """The last name of what an expression statement calls, or ``""``."""
    return _name(node.value) if isinstance(node, ast.Expr) else ""


def _name(node: ast.expr) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _fails(body: Sequence[ast.stmt]) -> bool:
    """Whether the statements, not counting functions within, may raise or leave on purpose."""
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and _called(node) in _EXITS)
        for statement in body
        for node in _same_scope(statement)
    )


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, _SCOPES):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _same_scope(child)


def _calls(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Call) for one in ast.walk(node))


def _parts(node: ast.stmt) -> list[ast.AST]:
    """What of a statement has blocks of its own: handlers of ``try``, cases of ``match``."""
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.ExceptHandler, ast.match_case))]
