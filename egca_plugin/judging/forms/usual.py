"""What tests use of the library and do not import, since programs do: in one namespace with them that is enough."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

_MODULES = {
    **{name: name for name in (
        "bisect", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "itertools", "json",
        "math", "numpy", "operator", "os", "pandas", "random", "re", "statistics", "string", "sys", "time", "typing",
    )},
    "np": "numpy",
    "pd": "pandas",
}  # fmt: skip
# Nothing that a task may well ask for: `product` and `permutations` are programs of their own.
CONTENTS = {
    name: module
    for module, names in {
        "collections": "Counter OrderedDict defaultdict deque namedtuple",
        "copy": "deepcopy",
        "datetime": "date datetime timedelta timezone",
        "decimal": "Decimal",
        "fractions": "Fraction",
        "math": "ceil floor inf isclose nan pi sqrt",
        "typing": "Any Callable Dict Iterable Iterator List Optional Sequence Set Tuple Union",
    }.items()
    for name in names.split()
}


def imports(trees: Sequence[ast.Module], unbound: frozenset[str]) -> dict[str, ast.stmt]:
    """The statement that gives each of the ``unbound`` names that is one of these, by the name."""
    return {name: found for name in sorted(unbound) for found in _import(name, trees)}


def asked_about(called: Iterable[str]) -> list[str]:
    """What tests that call these names may be about: no builtins, and what comes of the library only if it is all."""
    names = [name for name in called if not hasattr(builtins, name)]
    return [name for name in names if name not in CONTENTS] or names


def put_in_front(module: ast.Module, statements: Sequence[ast.stmt]) -> None:
    """Behind its docstring and what it imports from the future."""
    first = next((at for at, node in enumerate(module.body) if not _stands_first(node)), len(module.body))
    module.body[first:first] = statements


def _stands_first(node: ast.stmt) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _import(name: str, trees: Sequence[ast.Module]) -> Iterator[ast.stmt]:
    module, content = _MODULES.get(name, ""), CONTENTS.get(name, "")
    if module and _is_module(name, trees) and find_spec(module):
        yield ast.Import([ast.alias(module, name if name != module else None)])
    elif content:
        yield ast.ImportFrom(content, [ast.alias(name)], 0)


def _is_module(name: str, trees: Sequence[ast.Module]) -> bool:
    """Whether all that they do with it is to take what is in it; of ``datetime`` the module has other things in it."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    uses = sum(isinstance(node, ast.Name) and node.id == name for node in nodes)
    taken = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    ]
    return len(taken) == uses and (name not in CONTENTS or any(CONTENTS.get(attr) == name for attr in taken))
