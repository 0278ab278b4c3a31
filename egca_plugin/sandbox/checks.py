"""A task's tests, compiled so that every assertion is evaluated and counted, whatever became of the ones before.

Each ``assert`` becomes ``with test(i): assert ...``; the context manager notes how it went and carries on. An assertion
whose failure the test code itself catches (``try: ... except AssertionError``) is counted with its whole ``try``, so
that HumanEval's ``check`` functions mean what they meant. Pure: nothing is executed here.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from egca_plugin.errors import TaskError

TEST = "__egca_test"  # the name under which compiled checks find the context manager
_BUILTINS = frozenset(vars(builtins))


@dataclass(frozen=True, slots=True)
class Checks:
    """``code`` defines ``check(candidate)`` or, where ``function`` is False, is the tests themselves.

    ``names``: what setup and tests use and do not define, so what the reference must provide.
    """

    setup: CodeType
    code: CodeType
    total: int
    function: bool
    names: frozenset[str]


@lru_cache(maxsize=512)
def compile_checks(tests: str | tuple[str, ...], setup: str, task_id: str) -> Checks:
    """Raises TaskError for tests that do not compile or define no ``check``."""
    if isinstance(tests, str):
        tree = _parse(tests, f"{task_id}: tests")
        if not any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body):
            raise TaskError(f"{task_id}: tests: got no function 'check', expected def check(candidate): ...")
        counter = _Wrapper()
        tree = counter.visit(tree)
        total = counter.total
    else:
        bodies = [_parse(one, f"{task_id}: tests[{index}]").body for index, one in enumerate(tests)]
        tree = ast.Module([_test(index, body) for index, body in enumerate(bodies)], [])
        total = len(tests)
    ast.fix_missing_locations(tree)
    setup_tree = _parse(setup, f"{task_id}: setup")
    return Checks(
        setup=compile(setup_tree, f"<setup of {task_id}>", "exec"),
        code=compile(tree, f"<tests of {task_id}>", "exec"),
        total=total,
        function=isinstance(tests, str),
        names=_free_names([*setup_tree.body, *tree.body]),
    )


def _parse(source: str, where: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence", in data that is not ours to mend
            return ast.parse(source)
    except (SyntaxError, ValueError) as err:
        raise TaskError(f"{where}: got source that does not compile ({err}), expected Python") from err


def _test(index: int, body: list[ast.stmt]) -> ast.stmt:
    context = ast.Call(ast.Name(TEST, ast.Load()), [ast.Constant(index)], [])
    return ast.With([ast.withitem(context, None)], body or [ast.Pass()])


class _Wrapper(ast.NodeTransformer):
    """Wraps each assertion, outermost catching ``try`` first."""

    def __init__(self) -> None:
        self.total = 0

    def _wrap(self, node: ast.stmt) -> ast.stmt:
        self.total += 1
        return ast.copy_location(_test(self.total - 1, [node]), node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        return self._wrap(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        holds_assert = any(isinstance(inner, ast.Assert) for inner in ast.walk(node))
        leaves = any(isinstance(inner, (ast.Return, ast.Break, ast.Continue)) for inner in ast.walk(node))
        if node.handlers and holds_assert and not leaves:
            return self._wrap(node)
        return node if node.handlers else self.generic_visit(node)


def _free_names(body: list[ast.stmt]) -> frozenset[str]:
    used: set[str] = set()
    bound: set[str] = {TEST, "__name__"}
    for node in ast.walk(ast.Module(body, [])):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)):
            bound.add(node.name or "")
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return frozenset(used - bound - _BUILTINS)
