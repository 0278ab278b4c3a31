"""Runs the test functions and classes of pytest or unittest source, one by one, each told to the tally."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.judging.forms.fixtures import Arguments, Fixtures, Setting, choices, merged
from egca_plugin.judging.forms.standin import Fixture, marks_of, skips
from egca_plugin.judging.tally import Halt, Tally

_METHODS = (FunctionType, classmethod, staticmethod)


def run(namespace: dict[str, Any], tally: Tally, functions: Mapping[str, int], task_id: str) -> None:
    """``functions``: the index of each test by its qualified name. Raises TaskError for what cannot be run."""
    module = _Module()
    module.__dict__ = namespace  # what a set-up changes there, the tests see
    own = {name: one for name, one in namespace.items() if getattr(one, "__module__", None) == namespace["__name__"]}
    tests = [(name, found) for name, found in own.items() if _is_test(name, found)]
    if all(_is_case(found) for _, found in tests):  # unittest goes by the names, pytest by the source
        tests.sort(key=lambda test: test[0])
    fixtures = Fixtures([one for one in namespace.values() if isinstance(one, Fixture)], f"{task_id}: tests")
    suite = _Suite(module, tally, functions, task_id)
    with _around(module, "setUpModule", "tearDownModule"), _around(module, "setup_module", "teardown_module"):
        suite.run(tests, _Place("", object, marks_of(module), fixtures))


class _Module:
    """The module of the tests, as their set-up finds it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where tests stand: in the module, whose ``kind`` is ``object``, or in a class. ``name``: it, with a dot behind.

    ``marks`` and ``fixtures``: those of all around the tests; the class's own fixtures are not among them.
    """

    name: str
    kind: type
    marks: Sequence[Any]
    fixtures: Fixtures

    def within(self, kind: type) -> _Place:
        """In the class ``kind`` here, whose tests see the fixtures of those around it, of an instance of their own."""
        around = self.fixtures if self.kind is object else self.fixtures.within(self.kind, self.kind())
        return _Place(f"{self.name}{kind.__name__}.", kind, [*self.marks, *marks_of(kind)], around)


class _Suite:
    def __init__(self, module: _Module, tally: Tally, functions: Mapping[str, int], task_id: str) -> None:
        self._module, self._tally, self._functions, self._task_id = module, tally, functions, task_id

    def run(self, tests: Sequence[tuple[str, Any]], place: _Place) -> None:
        for name, found in tests:
            if not inspect.isclass(found):
                self._run(found, name, place)
            elif not _is_case(found):
                self._run_class(place.within(found))
            elif not skips([*place.marks, *marks_of(found)]):
                from egca_plugin.judging.forms import unit  # which not every test pays for

                unit.run(found, self._tally, self._functions)

    def _run_class(self, place: _Place) -> None:
        """pytest's: an instance for each test; a class within may be another of them, and a heir has its parent's."""
        members = {name: one for each in reversed(place.kind.__mro__) for name, one in vars(each).items()}
        with _around(place.kind, "setup_class", "teardown_class"):
            self.run([(name, one) for name, one in members.items() if _is_test(name, one)], place)

    def _run(self, member: Any, name: str, place: _Place) -> None:
        """``member``: a function of the module, or what the class has under that ``name``."""
        member = staticmethod(member) if place.kind is object else member
        function = member.__get__(place.kind, place.kind)
        name = place.name + name
        if inspect.iscoroutinefunction(function):
            raise TaskError(f"{self._task_id}: tests: {name} is asynchronous, expected functions that can be called")
        marks = [*place.marks, *marks_of(getattr(member, "__func__", member))]
        if skips(marks):
            return
        used = [str(fixture) for one in marks if one.name == "usefixtures" for fixture in one.args]
        fixtures = place.fixtures.within(place.kind, place.kind)
        for parameters in _sets(marks):
            for arguments in fixtures.sets(function, parameters, used):
                self._run_once(member, name, arguments, used, place)

    def _run_once(self, member: Any, name: str, arguments: Arguments, used: list[str], place: _Place) -> None:
        undo: list[Callable[[], object]] = []
        try:
            instance = place.kind()
            function = member.__get__(instance, place.kind)
            holder, what = (self._module, "function") if place.kind is object else (instance, "method")
            _call(holder, f"setup_{what}", function)
            undo.append(partial(_call, holder, f"teardown_{what}", function))
            setting = Setting(place.fixtures.within(place.kind, instance), arguments, undo)
            function(**setting.values(function, used))
        except (TaskError, Halt):
            raise
        except BaseException as err:  # noqa: BLE001 - the boundary to a task's code, which may raise anything
            if not self._tally.leaves_in_peace(err) or isinstance(err, SystemExit):
                self._tally.escaped(self._functions.get(name), err)
        for one in reversed(undo):
            one()


@contextmanager
def _around(holder: object, before: str, behind: str) -> Iterator[None]:
    """Set up before all, tear down behind: of a class or a module."""
    _call(holder, before, holder)
    yield
    _call(holder, behind, holder)


def _call(holder: object, name: str, about: object) -> None:
    """The set-up or tear-down of that name, if there is one; it may ask for what it is about."""
    function = getattr(holder, name, None)
    if function is not None:
        function(*([about] if inspect.signature(function).parameters else []))


def _is_test(name: str, found: Any) -> bool:
    if inspect.isclass(found):
        return _is_case(found) or name.startswith("Test")
    return name.startswith("test") and isinstance(found, _METHODS)


def _is_case(found: Any) -> bool:
    kinds = found.__mro__[1:] if inspect.isclass(found) else ()
    return any(one.__module__ == "unittest.case" and one.__name__ == "TestCase" for one in kinds)


def _sets(marks: list[Any]) -> Iterator[Arguments]:
    """Every combination of the parameters; one without any where there are none."""
    sets = [list(choices(*one.args, **one.kwargs)) for one in marks if one.name == "parametrize"]
    return map(merged, itertools.product(*sets))
