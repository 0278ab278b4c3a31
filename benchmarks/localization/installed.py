"""Tasks from functions that other people wrote and documented: doctests of packages that are installed here.

    python -m benchmarks.localization.installed --out outputs/installed/tasks.jsonl
    python -m benchmarks.localization.mutants --tasks outputs/installed/tasks.jsonl --out outputs/installed
    python -m benchmarks.localization --tasks outputs/installed/tasks.jsonl --corpus outputs/installed --half all \
        --forms plain restructured --localizers trace --results benchmarks/results/localization/installed

Nobody wrote these for a benchmark, and nothing here was tuned on them. A task is one function with all that it needs of
its module, and its examples as assertions. Read from where the packages are installed; nothing of them is copied into
the project. Only the standard library and packages with permissive licences (MIT, BSD) are read.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import doctest
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.localization.corpus import normalise
from egca_plugin.errors import TaskError
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.types import Task

PACKAGES = (
    "toolz", "more_itertools", "boltons", "humanize", "inflection", "pydash", "sympy", "networkx", "mpmath",
    "sortedcontainers", "statistics", "textwrap", "heapq", "difflib", "bisect", "colorsys", "fractions",
)  # fmt: skip
FEWEST = 3  # examples that a task needs, as many as MBPP has
SMALLEST = 3  # statements of the function, so that there is something to get wrong
LARGEST = 150  # lines of a task's reference
_PARSER = doctest.DocTestParser()


@dataclass(frozen=True, slots=True)
class Module:
    """A source file: its dotted name, and what each of its top-level names is bound by."""

    name: str
    bound: dict[str, ast.stmt]

    @classmethod
    def of(cls, name: str, source: str) -> Module:
        """Raises SyntaxError."""
        return cls(name, {one: node for node in ast.parse(source).body for one in _names(node)})


class Package:
    """The modules of one package, which import from each other."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {module.name: module for module in modules}

    def closure(self, module: Module, name: str) -> ast.Module | None:
        """The statements that ``name`` needs, each behind what it needs; None where they cannot stand by themselves."""
        order: list[ast.stmt] = []
        whole = self._collect(module, name, {}, order)
        return ast.Module(list(dict.fromkeys(order)), []) if whole else None

    def _collect(self, module: Module, name: str, found: dict[str, ast.stmt], order: list[ast.stmt]) -> bool:
        node = module.bound.get(name)
        if node is None:
            return hasattr(builtins, name)
        if name in found:
            return found[name] is node  # else two modules mean different things by it
        if isinstance(node, ast.ImportFrom) and (other := self._imported(module, node)) is not None:
            plain = any(alias.name == name and alias.asname is None for alias in node.names)
            return plain and self._collect(other, name, found, order)
        if not _is_own(node):
            return False
        found[name] = node
        whole = all(self._collect(module, one, found, order) for one in sorted(_free(node)))
        order.append(node)
        return whole

    def _imported(self, module: Module, node: ast.ImportFrom) -> Module | None:
        """The module of this package that is imported from."""
        base = module.name.split(".")[: -node.level] if node.level else []
        return self.modules.get(".".join([*base, *(node.module or "").split(".")]).strip("."))


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_own(node: ast.stmt) -> bool:
    """Whether it can stand in a program of its own: no decorator, and no import but of the standard library."""
    if isinstance(node, ast.ImportFrom):
        return node.level == 0 and (node.module or "").partition(".")[0] in sys.stdlib_module_names
    if isinstance(node, ast.Import):
        return all(alias.name.partition(".")[0] in sys.stdlib_module_names for alias in node.names)
    return not isinstance(node, ast.ClassDef) and not getattr(node, "decorator_list", ())


def _free(node: ast.stmt) -> set[str]:
    """Names that it reads and does not bind itself; annotations and defaults that are read with the function count."""
    read = {x.id for x in ast.walk(node) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Load)}
    bound = {x.id for x in ast.walk(node) if isinstance(x, ast.Name) and not isinstance(x.ctx, ast.Load)}
    bound |= {x.arg for x in ast.walk(node) if isinstance(x, ast.arg)}
    bound |= {x.name for x in ast.walk(node) if isinstance(x, ast.FunctionDef | ast.ExceptHandler) and x.name}
    return read - bound if isinstance(node, ast.FunctionDef) else read


def task(package: Package, module: Module, name: str) -> Task | None:
    """The function as a task, or None where it is none."""
    node = module.bound[name]
    if not isinstance(node, ast.FunctionDef) or name.startswith("_") or sum(map(_is_step, ast.walk(node))) < SMALLEST:
        return None
    tests = assertions(ast.get_docstring(node) or "", name)
    program = package.closure(module, name) if len(tests) >= FEWEST else None
    if program is None:
        return None
    reference = normalise(ast.unparse(program))
    if reference.count("\n") > LARGEST:
        return None
    return Task(f"{module.name}/{name}", f"Write a function {name}.", name, reference, tests)


def _is_step(node: ast.AST) -> bool:
    documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef) and not documents


def assertions(documentation: str, name: str) -> tuple[str, ...]:
    """The examples that call ``name`` and print a literal."""
    try:
        examples = _PARSER.get_examples(documentation)
    except ValueError:
        return ()
    found = []
    for example in examples:
        try:
            expected = ast.literal_eval(example.want.strip())
            call = ast.parse(example.source.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            continue
        names = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
        if name in names and all(one == name or hasattr(builtins, one) for one in names - _bound_in(call)):
            found.append(f"assert {ast.unparse(call)} == {expected!r}")
    return tuple(dict.fromkeys(found))


def _bound_in(call: ast.expr) -> set[str]:
    stored = {node.id for node in ast.walk(call) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return stored | {node.arg for node in ast.walk(call) if isinstance(node, ast.arg)}


def installed(names: Sequence[str]) -> Iterator[Package]:
    """The packages that are installed; the others are named on standard error."""
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            print(f"{name}: left out, it is not installed", file=sys.stderr)
            continue
        origin = Path(spec.origin)
        paths = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        ours = [path for path in paths if not {"tests", "test", "testing"} & set(path.parts)]
        yield Package(Module.of(_dotted(name, path, origin), path.read_text(encoding="utf-8")) for path in ours)


def _dotted(package: str, path: Path, origin: Path) -> str:
    if origin.name != "__init__.py":
        return package
    parts = path.relative_to(origin.parent).with_suffix("").parts
    return ".".join([package, *(part for part in parts if part != "__init__")])


def tasks(names: Sequence[str]) -> Iterator[Task]:
    """Those whose reference passes its own examples."""
    with Sandbox() as sandbox:
        for package in installed(names):
            for module in package.modules.values():
                for name in module.bound:
                    found = task(package, module, name)
                    if found is not None and _passes(found, sandbox):
                        yield found


def _passes(found: Task, sandbox: Sandbox) -> bool:
    try:
        return judge(sandbox, found.reference, found).passed
    except TaskError:  # an example that hands over a function
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file of tasks to write")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, metavar="NAME")
    options = parser.parse_args()
    found = list(tasks(options.packages))
    dump_tasks(found, options.out)
    print(f"{options.out}: {len(found)} tasks", file=sys.stderr)


if __name__ == "__main__":
    main()
