"""What the source of tests says about how they are to be run. Pure: nothing is executed here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence

from egca_plugin.judging.forms.standin import COVERED

ALL = "*"
_USUAL = frozenset({"solution", "main", "program", "submission", "candidate", "your_module", "module"})
_FOREIGN = ("numpy", "pandas")  # whose values pytest's `approx` knows, and the stand-in does not


def is_suite(tests: ast.Module) -> bool:
    """Whether it defines tests as pytest or unittest find them."""
    return any(True for _ in test_functions(tests))


def test_functions(tests: ast.Module) -> Iterator[str]:
    """Their qualified names, in order."""
    return _tests_in(tests.body, "", _classes(tests))


def _tests_in(body: Sequence[ast.stmt], within: str, classes: Mapping[str, ast.ClassDef]) -> Iterator[str]:
    """``within``: the name of the class whose ``body`` it is, with a dot behind. What a class inherits is its own."""
    for node in body:
        if isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or _is_case(node, classes)):
            lineage = _lineage(node, classes)
            others = {name: one for name, one in classes.items() if one not in lineage}  # it cannot hold itself
            bodies = [one for each in lineage for one in each.body]
            yield from dict.fromkeys(_tests_in(bodies, f"{within}{node.name}.", others))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            yield within + node.name


def _classes(tests: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.walk(tests) if isinstance(node, ast.ClassDef)}


def _lineage(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> list[ast.ClassDef]:
    """The class and those of the tests' own that it inherits from."""
    found = [node]
    for one in found:  # which grows meanwhile
        found += [classes[base] for base in _bases(one) if base in classes and classes[base] not in found]
    return found


def _is_case(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    return any(base.endswith("TestCase") for one in _lineage(node, classes) for base in _bases(one))


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]


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
        elif module := _imported_by_call(node):
            taken.setdefault(module, set())
        elif isinstance(node, ast.Assign) and (module := _imported_by_call(node.value)):
            plain |= {target.id: module for target in node.targets if isinstance(target, ast.Name)}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            named = plain.get(node.value.id) if isinstance(node.value, ast.Name) else _imported_by_call(node.value)
            if named:
                taken.setdefault(named, set()).add(node.attr)
    return {module: frozenset(names) for module, names in taken.items() if name in names or module in _USUAL}


def _imported_by_call(node: ast.AST) -> str:
    """The module of ``importlib.import_module("solution")`` or ``__import__("solution")``, or ``""``."""
    if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
        return ""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    module = node.args[0].value
    if called not in ("import_module", "__import__") or not isinstance(module, str):
        return ""
    return module if module and _is_foreign(module) else ""


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
