"""What the source of tests says about how they are to be run. Pure: nothing is executed here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from egca_plugin.judging.forms.standin import COVERED

ALL = "*"
_USUAL = frozenset({"solution", "main", "program", "submission", "candidate", "your_module", "module"})
_FOREIGN = ("numpy", "pandas")  # whose values pytest's `approx` knows, and the stand-in does not


def is_suite(tests: ast.Module) -> bool:
    """Whether it defines tests as pytest or unittest find them."""
    return any(True for _ in test_functions(tests))


def test_functions(tests: ast.Module) -> Iterator[str]:
    """Their qualified names, in order."""
    for node in tests.body:
        if isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or _is_case(node)):
            yield from (f"{node.name}.{name}" for name in map(_test, node.body) if name)
        elif name := _test(node):
            yield name


def _test(node: ast.stmt) -> str:
    """Its name if it is a test."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
        return node.name
    return ""


def _is_case(node: ast.ClassDef) -> bool:
    bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
    return any(base.endswith("TestCase") for base in bases)


def runs_itself(node: ast.stmt, names: Sequence[str]) -> bool:
    """A call of one of the tests, or of unittest's runner, behind them: whoever runs the tests does that."""
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return isinstance(called.value, ast.Name) and (called.value.id, called.attr) in (
            ("unittest", "main"),
            ("pytest", "main"),
        )
    return isinstance(called, ast.Name) and called.id in names


def redefines(node: ast.stmt, entry_point: str) -> bool:
    """``entry_point`` as a function, or the class of ``Solution.f``."""
    return isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == entry_point.partition(".")[0]


def program_modules(trees: Sequence[ast.Module], entry_point: str) -> dict[str, frozenset[str]]:
    """Modules by which the tests mean the program: ``from solution import f``. Each with the names taken from it.

    None of the standard library's, and only where the entry point is what is wanted of it.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    name = entry_point.partition(".")[0]
    taken: dict[str, set[str]] = {}
    plain: dict[str, str] = {}  # the name in the tests: the module
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_foreign(node.module):
            taken.setdefault(node.module, set()).update(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            plain |= {alias.asname or alias.name: alias.name for alias in node.names if _is_foreign(alias.name)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in plain:
            taken.setdefault(plain[node.value.id], set()).add(node.attr)
    return {module: frozenset(names) for module, names in taken.items() if name in names or module in _USUAL}


def _is_foreign(module: str) -> bool:
    return module.split(".")[0] not in sys.stdlib_module_names


def can_stand_in(trees: Sequence[ast.Module]) -> bool:
    """Whether the tests use of pytest only what :mod:`.standin` has."""
    used: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            if any(alias.name.split(".")[0] in _FOREIGN for alias in node.names):
                return False
            if any(
                alias.name.startswith("pytest.") or (alias.name == "pytest" and alias.asname) for alias in node.names
            ):
                return False
        elif isinstance(node, ast.ImportFrom) and node.module in ("pytest", *_FOREIGN):
            if node.module != "pytest":
                return False
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pytest":
            used.add(node.attr)
    return used <= COVERED
