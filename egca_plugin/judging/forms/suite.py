"""Runs the test functions and classes of pytest or unittest source, one by one, each told to the tally."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.judging.forms.fixtures import Arguments, Fixtures, Setting, choices, merged
from egca_plugin.judging.forms.standin import Fixture, skips
from egca_plugin.judging.tally import Halt, Tally


def run(namespace: Mapping[str, Any], tally: Tally, functions: Mapping[str, int], task_id: str) -> None:
    """``functions``: the index of each test by its qualified name. Raises TaskError for what cannot be run."""
    module = SimpleNamespace(**namespace)
    suite = _Suite(module, tally, functions, task_id)
    with _around(module, "module"):
        for name, found in list(namespace.items()):
            if getattr(found, "__module__", None) != namespace["__name__"] or name.startswith("_"):
                continue
            if inspect.isclass(found):
                if _is_case(found):
                    from egca_plugin.judging.forms import unit  # which not every test pays for

                    unit.run(found, tally, functions)
                elif name.startswith("Test"):
                    suite.run_class(found)
            elif name.startswith("test") and inspect.isfunction(found):
                suite.run_function(found, name)


class _Suite:
    def __init__(self, module: SimpleNamespace, tally: Tally, functions: Mapping[str, int], task_id: str) -> None:
        self._module, self._tally, self._functions, self._task_id = module, tally, functions, task_id
        found = [one for one in vars(module).values() if isinstance(one, Fixture)]
        self._fixtures = Fixtures(found, f"{task_id}: tests")

    def run_class(self, kind: type) -> None:
        """pytest's: an instance for each test."""
        members = {name: one for each in reversed(kind.__mro__) for name, one in vars(each).items()}
        with _around(kind, "class"):
            for name, member in members.items():
                if name.startswith("test") and isinstance(member, (FunctionType, classmethod, staticmethod)):
                    marks = [*_marks(kind), *_marks(getattr(member, "__func__", member))]
                    self._run(member, f"{kind.__name__}.{name}", marks, kind)

    def run_function(self, function: FunctionType, name: str) -> None:
        self._run(staticmethod(function), name, _marks(function), object)

    def _run(self, member: Any, name: str, marks: list[Any], kind: type) -> None:
        """``member``: a test of the class ``kind``, or a static method of ``object`` for one of no class."""
        function = member.__get__(kind, kind)
        if inspect.iscoroutinefunction(function):
            raise TaskError(f"{self._task_id}: tests: {name} is asynchronous, expected functions that can be called")
        if skips(marks):
            return
        used = [str(fixture) for one in marks if one.name == "usefixtures" for fixture in one.args]
        fixtures = self._fixtures.within(kind, kind)
        for parameters in _sets(marks):
            for arguments in fixtures.sets(function, parameters, used):
                self._run_once(member, name, arguments, used, kind)

    def _run_once(self, member: Any, name: str, arguments: Arguments, used: list[str], kind: type) -> None:
        undo: list[Callable[[], object]] = []
        try:
            instance = kind()
            function = member.__get__(instance, kind)
            holder, what = (self._module, "function") if kind is object else (instance, "method")
            _call(holder, f"setup_{what}", function)
            undo.append(partial(_call, holder, f"teardown_{what}", function))
            setting = Setting(self._fixtures.within(kind, instance), arguments, undo)
            function(**setting.values(function, used))
        except (TaskError, Halt):
            raise
        except BaseException as err:  # noqa: BLE001 - the boundary to a task's code, which may raise anything
            if not self._tally.leaves_in_peace(err) or isinstance(err, SystemExit):
                self._tally.escaped(self._functions.get(name), err)
        for one in reversed(undo):
            one()


@contextmanager
def _around(holder: object, what: str) -> Iterator[None]:
    """Set up before all, tear down behind: of a class or a module."""
    _call(holder, f"setup_{what}", holder)
    yield
    _call(holder, f"teardown_{what}", holder)


def _call(holder: object, name: str, about: object) -> None:
    """The set-up or tear-down of that name, if there is one; it may ask for what it is about."""
    function = getattr(holder, name, None)
    if function is not None:
        function(*([about] if inspect.signature(function).parameters else []))


def _is_case(kind: type) -> bool:
    return any(one.__module__ == "unittest.case" and one.__name__ == "TestCase" for one in kind.__mro__[1:])


def _marks(found: Any) -> list[Any]:
    marks = vars(found).get("pytestmark", [])
    return [getattr(one, "mark", one) for one in (marks if isinstance(marks, list) else [marks])]


def _sets(marks: list[Any]) -> Iterator[Arguments]:
    """Every combination of the parameters; one without any where there are none."""
    sets = [list(choices(*one.args, **one.kwargs)) for one in marks if one.name == "parametrize"]
    return map(merged, itertools.product(*sets))
