"""A task's tests, compiled once for all programs that are judged by them. Pure: nothing is executed here."""

from __future__ import annotations

import ast
import marshal
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from textwrap import dedent

from egca_plugin.errors import TaskError
from egca_plugin.judging.assertions import Marker
from egca_plugin.judging.clock import reads_clock
from egca_plugin.judging.forms.classes import exceptions_in, keeps_state, named_by
from egca_plugin.judging.forms.names import asked, free_names, functions
from egca_plugin.judging.forms.nodes import Signature, signature
from egca_plugin.judging.forms.source import (
    ALL,
    can_stand_in,
    is_suite,
    program_modules,
    redefines,
    runs_itself,
    test_functions,
)
from egca_plugin.judging.forms.usual import imports, put_in_front
from egca_plugin.judging.functions import takes_notes
from egca_plugin.judging.heard import hears_notes, listens
from egca_plugin.judging.purity import is_pure
from egca_plugin.judging.seeds import sets_seed
from egca_plugin.types import CallCase, Compare, Task

_WORD = re.compile(r"\w+")
_FUNCTION = re.compile(r"^[ \t]*def[ \t]+(\w+)", re.M)


class VacuousTests(TaskError):
    """Tests that no program can fail: they assert nothing."""


class Form(str, Enum):
    """What the code of the tests is."""

    ASSERTS = "asserts"  # the tests themselves
    FUNCTION = "function"  # it defines check(candidate)
    SUITE = "suite"  # it defines test functions and classes, as pytest and unittest find them
    CASES = "cases"  # nothing: the tests are data
    SETUP = "setup"  # nothing: only the setup is of interest


_NAMING = (Form.ASSERTS, Form.SUITE)  # tests that know the program's classes by name; a candidate is a function


@dataclass(frozen=True, slots=True)
class Checks:
    """``setup``, ``code`` and ``reference`` are marshalled code objects; no reference where the tests need none of it.

    ``names``: what setup and tests use and do not define, so what the reference must provide. ``others``: functions of
    the program beside the entry point: no reference provides them. ``classes``: those of the program, where the task
    is about classes; ``stateful``: whether the reference keeps anything in them. ``exceptions``: classes that the tests
    expect to be raised, and nobody defines for them. ``asserting``: the
    indices of the assertions, below ``count``. ``pure``: running them changes nothing in their process.
    ``functions``: the index of each test function of a suite. ``modules``: what the tests import the program as, with
    the names that they take. ``standin``: whether ``pytest`` is :mod:`egca_plugin.judging.forms.standin`.
    ``signature``: what ``cases`` mean by lists. ``listens``: whether they may look at what the program prints.
    ``timed``: whether they read the clock. ``seeded``: whether they seed random numbers. ``notes``:
    whether functions of theirs change what they hold.
    """

    task_id: str
    entry_point: str
    form: Form
    setup: bytes
    code: bytes
    reference: bytes
    names: frozenset[str]
    others: frozenset[str]
    classes: frozenset[str]
    exceptions: frozenset[str]
    stateful: bool
    asserting: frozenset[int]
    count: int
    imports: tuple[str, ...]  # modules of the standard library that setup and tests import
    packages: tuple[str, ...]  # what else they import: values of it may be arguments
    pure: bool
    listens: bool
    timed: bool
    seeded: bool
    notes: bool
    functions: Mapping[str, int]
    modules: Mapping[str, frozenset[str]]
    standin: bool
    cases: tuple[CallCase, ...]
    signature: Signature
    compare: Compare

    @property
    def total(self) -> int:
        """Assertions in the source; one in a loop is counted with each pass when it runs."""
        return len(self.asserting)


_Modules = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Sources:
    """Who gives a name: as in :class:`Checks`, and the reference if it is needed."""

    names: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    exceptions: frozenset[str] = frozenset()
    reference: Sequence[ast.Module] = ()


@lru_cache(maxsize=512)
def compile_checks(task: Task) -> Checks:
    """Raises TaskError for tests that do not compile, or have no form that is known."""
    where = f"{task.task_id}: tests"
    if isinstance(task.tests, str) and task.tests:
        tests = _parse(task.tests, where)
        if any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tests.body):
            return _checks(task, Form.FUNCTION, [tests])
        if is_suite(tests):
            return _checks(task, Form.SUITE, [tests])
        raise TaskError(
            f"{where}: got no function 'check' and no test, expected def check(candidate): ..., def test_...(): ... or "
            "a TestCase"
        )
    if task.cases:
        return _cases(task, where)
    parts = [_parse(_at_margin(one), f"{where}[{index}]") for index, one in enumerate(task.tests)]
    return _checks(task, Form.ASSERTS, parts[: task.limits.tests])


@lru_cache(maxsize=512)
def compile_setup(task: Task) -> Checks:
    """The setup alone, to see whether it runs without the reference. Raises TaskError where it does not compile."""
    return _checks(replace(task, reference=""), Form.SETUP, [])


def _cases(task: Task, where: str) -> Checks:
    cases = [case for case in task.cases[: task.limits.tests] if isinstance(case, CallCase)]
    if len(cases) < len(task.cases[: task.limits.tests]):
        raise TaskError(f"{where}: got a run of a whole program, expected calls of {task.entry_point!r}")
    if task.compare.mode not in ("", "value"):
        raise TaskError(f"{where}: got compare mode {task.compare.mode!r}, expected 'value' for calls")
    indices = frozenset(range(len(cases)))
    checks = _checks(task, Form.CASES, [])
    meant = signature(task.entry_point, (task.reference, task.prompt))
    return replace(checks, cases=tuple(cases), signature=meant, asserting=indices, count=len(cases))


def _checks(task: Task, form: Form, parts: list[ast.Module]) -> Checks:
    setup = _parse(task.setup, f"{task.task_id}: setup")
    trees = [setup, *parts]
    modules = program_modules(trees, task.entry_point)
    sources = _sources(task, trees, parts, modules, form)
    standin = can_stand_in(trees)
    library, packages = _imports(trees)
    timed, written = reads_clock(trees, library), _written(task)
    draws = not task.reference or "random" in task.reference or "lambda" in written
    seeded = draws and sets_seed(trees)
    pure = is_pure([*trees, *sources.reference], {*modules, *(["pytest"] if standin else [])})
    marker = Marker(trees, first=len(parts) if form is Form.ASSERTS else 0)
    body = _marked(task, form, parts, marker)
    setup.body = marker.block(setup.body, main=False)
    tests = test_functions(parts[0]) if form is Form.SUITE else ()
    return Checks(
        task_id=task.task_id,
        entry_point=task.entry_point,
        form=form,
        setup=_compiled(setup, f"setup of {task.task_id}"),
        code=_compiled(ast.Module(body, []), f"tests of {task.task_id}"),
        reference=_compiled(sources.reference[0], f"reference of {task.task_id}") if sources.reference else b"",
        names=sources.names,
        others=sources.others,
        classes=sources.classes,
        exceptions=sources.exceptions,
        stateful=bool(sources.classes) and keeps_state(task.reference),
        functions={name: marker.reserve() for name in tests},
        asserting=frozenset(marker.asserting),
        count=marker.count,
        imports=library,
        packages=packages,
        pure=pure and not timed and not seeded and not hears_notes(written),
        listens=timed or seeded or listens(written),
        timed=timed,
        seeded=seeded,
        notes=takes_notes(parts),
        modules=modules,
        standin=standin,
        cases=(),
        signature=Signature(),
        compare=task.compare,
    )


def _sources(task: Task, trees: list[ast.Module], parts: list[ast.Module], modules: _Modules, form: Form) -> _Sources:
    """Who gives what ``trees``, the setup and the ``parts`` of the tests, use and do not define. ``modules``: those of
    the program. Without a reference the setup gets what the library provides."""
    own = {*task.entry_point.split("."), "candidate"}
    imported, unbound = frozenset[str]().union(*modules.values()) - own, free_names(trees) - own
    if not task.reference:
        usual = imports(trees, unbound)
        put_in_front(trees[0], list(usual.values()))
        unbound -= usual.keys()
    wanted = imported | unbound
    exceptions = frozenset[str]() if task.reference else exceptions_in(parts, wanted)
    classes = frozenset[str]()
    if form in _NAMING:
        shown = f"{task.prompt}\n{task.preamble}"
        classes = named_by(parts, task.entry_point, task.reference, wanted - exceptions, shown)
    if not task.reference:
        constants = sorted(name for name in wanted - classes - exceptions if name.isupper())
        if constants:
            raise TaskError(
                f"{task.task_id}: tests: got {', '.join(constants)}, which they do not define, expected a "
                "reference or a setup that does: of the program only functions and classes are known by name"
            )
        return _Sources(others=asked(parts, imported, unbound) - exceptions, classes=classes, exceptions=exceptions)
    reference = _parse(task.reference, f"{task.task_id}: reference")
    others = functions(reference) - functions(_parse(task.preamble, f"{task.task_id}: preamble")) - own
    if modules and ALL not in imported:
        others &= imported
    elif not modules:  # tests in one namespace with the program: what the prompt asks for by name, and does not show
        asked_for = frozenset(_WORD.findall(task.prompt)) - frozenset(_FUNCTION.findall(task.prompt))
        others &= unbound & asked_for if form in _NAMING else frozenset()
    names = wanted - others - classes
    return _Sources(names, others, classes, exceptions, [reference] if names else [])


def _written(task: Task) -> str:
    """Setup and tests as they stand."""
    return "\n".join((task.setup, *([task.tests] if isinstance(task.tests, str) else task.tests)))


def _marked(task: Task, form: Form, parts: list[ast.Module], marker: Marker) -> list[ast.stmt]:
    """The tests' statements with their assertions marked, without what would run the tests or hide the candidate."""
    if form is Form.ASSERTS:
        kept = [[node for node in part.body if not redefines(node, task.entry_point)] for part in parts]
        return [node for index, part in enumerate(kept) for node in marker.element(index, part)]
    body = [node for part in parts for node in part.body]
    if form is Form.FUNCTION:
        return marker.block([node for node in body if not runs_itself(node, ["check"])], main=False)
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    own = [node for node in body if not redefines(node, task.entry_point) and not runs_itself(node, names)]
    return marker.block(own, main=False)


def _at_margin(source: str) -> str:
    """A list's element that was cut out of a function brings its indentation."""
    return dedent(source) if source[:1] in (" ", "\t") else source


def _parse(source: str, where: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence", in data that is not ours to mend
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
        raise TaskError(f"{where}: got source that does not compile ({err}), expected Python") from err


def _compiled(tree: ast.Module, name: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            return marshal.dumps(compile(ast.fix_missing_locations(tree), f"<{name}>", "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
        raise TaskError(f"{name}: got source that does not compile ({err}), expected Python") from err


def _imports(trees: list[ast.Module]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Modules of the standard library, and packages of others, that are imported anywhere."""
    named: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                named.add(node.module)
    library = {name for name in named if name.split(".")[0] in sys.stdlib_module_names}
    return tuple(sorted(library)), tuple(sorted({name.split(".")[0] for name in named - library}))
