"""What can be seen of a program without running it: the facts that constraints are made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from egca_plugin.program.compiling import parse
from egca_plugin.program.instrument import MUTATORS
from egca_plugin.program.lowering import Branch, Loop, Node, lower
from egca_plugin.program.memo import remembered
from egca_plugin.program.nodes import unparse, walk

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CONTAINERS = {
    "new:dict": "dict", "new:set": "set", "call:dict": "dict", "call:set": "set", "call:frozenset": "set",
    "call:Counter": "Counter", "method:Counter": "Counter", "call:defaultdict": "dict", "method:defaultdict": "dict",
    "call:OrderedDict": "dict", "method:OrderedDict": "dict", "call:deque": "deque", "method:deque": "deque",
    "call:heappush": "heap", "method:heappush": "heap", "call:heapify": "heap", "method:heapify": "heap",
    "method:nlargest": "heap", "call:nlargest": "heap", "method:nsmallest": "heap", "call:nsmallest": "heap",
    "method:setdefault": "dict", "method:fromkeys": "dict",
}  # fmt: skip
_HARMLESS = frozenset({"typing", "__future__", "collections.abc"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a function may be called: positional counts from ``least`` to ``most`` (None: any), by these names."""

    least: int
    most: int | None
    names: tuple[str, ...]
    keyword_only: frozenset[str] = frozenset()  # those without a default
    any_keyword: bool = False

    def accepts(self, positional: int, keywords: frozenset[str] = frozenset()) -> bool:
        """Whether a call with so many positional arguments and these keywords binds."""
        if self.most is not None and positional > self.most:
            return False
        unknown = keywords - set(self.names) - self.keyword_only
        given_twice = keywords & set(self.names[:positional])
        missing = set(self.names[positional : self.least]) - keywords
        return not (given_twice or missing or self.keyword_only - keywords or (unknown and not self.any_keyword))


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about the function ``entry_point`` of a program and the functions that it calls.

    ``parameters`` is None where a decorator or an assignment hides them. ``result`` is ``value``, ``nothing``,
    ``generator`` or ``coroutine``. ``form`` is ``recursion``, ``loop`` (comprehensions too) or ``straight``;
    ``nesting`` is how deep loops nest.
    """

    defined: bool
    parameters: Parameters | None = None
    result: str = ""
    modules: frozenset[str] = frozenset()
    form: str = ""
    nesting: int = 0
    sorts: bool = False
    containers: frozenset[str] = frozenset()
    mutates: bool = False


@remembered(8_000_000)
def observe(source: str, entry_point: str) -> Facts:
    """The facts; ``defined`` is False where there is no such function or the source does not parse."""
    try:
        tree = parse(source)
        nodes = lower(source, entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Facts(defined=False)
    modules = frozenset(_modules(tree))
    function = definition(tree, entry_point)
    if function is None:
        return Facts(defined=_is_bound(tree, entry_point), modules=modules)
    operations = frozenset(_operations(nodes))
    return Facts(
        defined=True,
        parameters=_parameters(function),
        result=_result(function),
        modules=modules,
        form="recursion" if "recurse" in operations else "loop" if _nesting(nodes) else "straight",
        nesting=_nesting(nodes),
        sorts="sort" in operations,
        containers=frozenset(_CONTAINERS[name] for name in operations & _CONTAINERS.keys()),
        mutates=_mutates(function),
    )


def calls_of(tests: str, names: frozenset[str]) -> frozenset[tuple[int, frozenset[str]]]:
    """``(positional arguments, keywords)`` of every plain call of one of ``names`` in the source ``tests``."""
    try:
        tree = parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(
        (len(node.args), frozenset(keyword.arg for keyword in node.keywords if keyword.arg))
        for node in walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in names
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
        and all(keyword.arg for keyword in node.keywords)
    )


# --- the function itself ----------------------------------------------------------------------------------------


def definition(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
    """What the module's last top-level binding of ``name`` binds, where that is a function."""
    found: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None = None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            found = node
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            found = node.value if isinstance(node.value, ast.Lambda) else None
    return found


def _is_bound(tree: ast.Module, name: str) -> bool:
    """Whether anything in the module binds ``name``: a class, an import, an assignment, a branch."""
    return any(
        (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name)
        or (isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name)
        or (isinstance(node, ast.alias) and (node.asname or node.name) == name)
        for statement in tree.body
        for node in ([statement] if isinstance(statement, ast.ClassDef | ast.FunctionDef) else walk(statement))
    )


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Parameters | None:
    if not isinstance(node, ast.Lambda) and any(not _keeps_signature(d) for d in node.decorator_list):
        return None
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = [
        a.arg for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None
    ]
    return Parameters(
        least=len(positional) - len(arguments.defaults),
        most=None if arguments.vararg else len(positional),
        names=tuple(argument.arg for argument in positional),
        keyword_only=frozenset(required),
        any_keyword=bool(arguments.kwarg or len(required) < len(arguments.kwonlyargs)),
    )


def _keeps_signature(decorator: ast.expr) -> bool:
    name = unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
    return name.split(".")[-1] in ("lru_cache", "cache")


def _result(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> str:
    if isinstance(node, ast.Lambda):
        return "value"
    own = list(_own(node.body))
    if any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own):
        return "generator"
    if isinstance(node, ast.AsyncFunctionDef):
        return "coroutine"
    returns = (inner.value for inner in own if isinstance(inner, ast.Return))
    gives = any(
        value is not None and not (isinstance(value, ast.Constant) and value.value is None) for value in returns
    )
    return "value" if gives else "nothing"


def _own(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes below, without those of nested functions and classes."""
    for node in nodes:
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield from _own(list(ast.iter_child_nodes(node)))


def _mutates(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether a parameter that keeps its meaning (it is never assigned) is changed in place."""
    names = {argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    inner = list(walk(node))
    names -= {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return any(_changed(n) in names for n in inner)


def _changed(node: ast.AST) -> str:
    """The name whose value the node changes in place, or ``""``."""
    place: ast.AST | None = None
    if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        place = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        place = node.func.value
    while isinstance(place, ast.Subscript | ast.Attribute):
        place = place.value
    return place.id if isinstance(place, ast.Name) else ""


# --- the whole program ------------------------------------------------------------------------------------------


def _modules(tree: ast.Module) -> Iterator[str]:
    """Top-level names of the imported modules, those that only serve annotations aside."""
    for node in walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            argument = node.args[0] if node.args else None
            value = argument.value if isinstance(argument, ast.Constant) else None
            names = [value if isinstance(value, str) else "__import__"]
        yield from (name.split(".")[0] for name in names if name and name not in _HARMLESS)


def _operations(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, Loop):
            yield from _operations(node.body)
        elif isinstance(node, Branch):
            yield from _operations(node.then)
            yield from _operations(node.other)


def _nesting(nodes: Sequence[Node]) -> int:
    depths = [0]
    for node in nodes:
        if isinstance(node, Loop):
            depths.append(1 + _nesting(node.body))
        elif isinstance(node, Branch):
            depths.append(max(_nesting(node.then), _nesting(node.other)))
    return max(depths)
