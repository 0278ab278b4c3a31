"""Fixtures that tests define, as pytest gives them: by name, each made once for a test, with parameters or without."""

from __future__ import annotations

import dis
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.judging.forms.capture import CAPTURES, Capture
from egca_plugin.judging.forms.standin import Fixture, skips

# Of pytest's own fixtures, those that this does not make: a test may ask for one and leave it alone.
_UNMADE = frozenset({
    "request", "monkeypatch", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory", "caplog", "capsysbinary",
    "capfdbinary", "recwarn", "pytestconfig", "cache", "record_property", "subtests",
})  # fmt: skip

Arguments = dict[str, Any]  # by the name of a test's parameter; what is a fixture's own, by :func:`own`


def own(name: str) -> str:
    """The key of what ``request.param`` is in the fixture ``name``."""
    return f"{name}.param"


class Fixtures:
    """Those that a test may ask for, by their names. ``where`` begins an error's message."""

    def __init__(self, found: Iterable[Fixture], where: str) -> None:
        self.by_name = {one.name: one for one in found}
        self.everywhere = [name for name, one in self.by_name.items() if one.autouse]
        self.where = where

    def within(self, kind: type, instance: object) -> Fixtures:
        """With those of the class ``kind`` too, whose ``self`` is ``instance``."""
        methods = {name: one for each in reversed(kind.__mro__) for name, one in vars(each).items()}
        own = [one.bound(instance) for one in methods.values() if isinstance(one, Fixture)]
        return Fixtures([*self.by_name.values(), *own], self.where)

    def sets(self, function: Callable[..., Any], given: Arguments, also: Sequence[str]) -> Iterator[Arguments]:
        """``given`` with every combination of the parameters of the fixtures that a test meets, ``also`` among them."""
        met: dict[str, Fixture] = {}
        self._meet([*self.everywhere, *also, *_asked(function)], given, met)
        parametrized = [one for one in met.values() if one.params is not None and own(one.name) not in given]
        for combination in itertools.product(*(choices(one.name, one.params, indirect=True) for one in parametrized)):
            yield merged((given, *combination))

    def _meet(self, names: Sequence[str], given: Arguments, met: dict[str, Fixture]) -> None:
        for name in names:
            fixture = self.by_name.get(name)
            if fixture is not None and name not in given and name not in met:
                self._meet(_asked(fixture.function), given, met)
                met[name] = fixture


class Setting:
    """What one run of one test has been given."""

    def __init__(self, fixtures: Fixtures, given: Arguments, undo: list[Callable[[], object]]) -> None:
        """``undo``: gets what is to be called when the test is over, last first."""
        self._fixtures, self._given, self._undo = fixtures, given, undo
        self._made: Arguments = {}

    def values(self, function: Callable[..., Any], also: Sequence[str]) -> Arguments:
        """What a test asks for, once the fixtures ``also`` are made. Raises TaskError for one that is not known."""
        for name in (*self._fixtures.everywhere, *also):
            if not self._is_unmade(name):
                self._fixture(name)
        return self._values(function, self._given)

    def _values(self, function: Callable[..., Any], given: Arguments) -> Arguments:
        return {name: given[name] if name in given else self._for(function, name) for name in _asked(function)}

    def _for(self, function: Callable[..., Any], name: str) -> Any:
        return None if self._is_unmade(name) and not _uses(function, name) else self._fixture(name)

    def _is_unmade(self, name: str) -> bool:
        return name in _UNMADE and name not in self._fixtures.by_name

    def _fixture(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Any:
        fixture = self._fixtures.by_name.get(name)
        if fixture is None and name in CAPTURES:
            capture = Capture()
            self._undo.append(capture.end)
            return capture
        if fixture is None:
            raise TaskError(f"{self._fixtures.where}: got the fixture {name!r}, expected those that the tests define")
        request = _Request(self._undo, self._given.get(own(name)))
        value = fixture.function(**self._values(fixture.function, {**self._given, "request": request}))
        if inspect.isgenerator(value):
            self._undo.append(lambda: next(value, None))
            return next(value)
        return value


class _Request:
    """What fixtures ask for as ``request``: their parameter."""

    def __init__(self, undo: list[Callable[[], object]], param: Any) -> None:
        self.param, self.addfinalizer = param, undo.append


def choices(argnames: Any, argvalues: Any, indirect: Any = False, **_: Any) -> Iterator[Arguments]:
    """pytest's ``parametrize``: the sets of arguments, without those that are not to be run."""
    names = [name.strip() for name in argnames.split(",")] if isinstance(argnames, str) else list(argnames)
    keys = [own(name) if indirect is True or (indirect and name in indirect) else name for name in names]
    for one in argvalues:
        if type(one).__name__ in ("ParameterSet", "Parameters"):  # of pytest.param, the real one's and the stand-in's
            values = one.values
            if skips([getattr(each, "mark", each) for each in one.marks]):
                continue
        else:
            values = (one,) if len(names) == 1 and isinstance(argnames, str) else one
        yield dict(zip(keys, values, strict=True))


def merged(parts: tuple[Arguments, ...]) -> Arguments:
    return {name: value for arguments in parts for name, value in arguments.items()}


def _asked(function: Callable[..., Any]) -> list[str]:
    """The parameters without which a function cannot be called; a test's parametrized ones have no default."""
    found = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [one.name for one in found if one.default is inspect.Parameter.empty and one.kind not in variable]


def _uses(function: Callable[..., Any], name: str) -> bool:
    """Whether it ever looks at its parameter of that name."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or name in code.co_cellvars:
        return True
    return any(one.opname.startswith("LOAD_FAST") and one.argval == name for one in dis.get_instructions(code))
