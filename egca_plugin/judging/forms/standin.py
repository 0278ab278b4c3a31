"""Stands in for ``pytest`` in tests that use no more of it than this: the same verdicts whether it is installed or not.

What it covers is :data:`COVERED`; tests that use more are run with the real one.
"""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MethodType, TracebackType
from typing import Any

COVERED = frozenset({"raises", "approx", "fail", "skip", "param", "mark", "fixture"})
_REL, _ABS = 1e-6, 1e-12
_SHOWN = 240  # characters of an exception


class Outcome(BaseException):
    """As pytest's own: no ``except Exception`` of a test catches it."""


class Failed(Outcome):
    """``pytest.fail`` was called, or nothing was raised within ``pytest.raises``."""


class Skipped(Outcome):
    """``pytest.skip`` was called."""


def fail(reason: str = "", pytrace: bool = True) -> None:
    raise Failed(reason)


def skip(reason: str = "", *, allow_module_level: bool = False) -> None:
    raise Skipped(reason)


fail.Exception, skip.Exception = Failed, Skipped  # type: ignore[attr-defined]


# --- raises ---


class ExceptionInfo:
    """What ``with pytest.raises(...) as info`` gives, filled when the block ends."""

    _filled: BaseException | None = None

    def __repr__(self) -> str:
        """The exception's own repr and no more: its message is in it, as a test may look for."""
        if self._filled is None:
            return "<ExceptionInfo for raises contextmanager>"
        return f"<ExceptionInfo {_shown(self._filled)} tblen={len(self.traceback)}>"

    @property
    def value(self) -> Any:
        return self._of("value")

    @property
    def type(self) -> Any:
        return type(self._of("type"))

    @property
    def typename(self) -> str:
        return type(self._of("typename")).__name__

    @property
    def tb(self) -> Any:
        return self._of("tb").__traceback__

    @property
    def traceback(self) -> Any:
        """A list of frames with ``lineno``, ``name`` and ``line``; those of the program are far away."""
        return traceback.extract_tb(self._of("traceback").__traceback__)

    def _of(self, name: str) -> Any:
        if self._filled is None:
            raise AssertionError(f".{name} can only be used after the context manager exits")
        return self._filled

    def errisinstance(self, kinds: Any) -> bool:
        return isinstance(self.value, kinds)

    def exconly(self, tryshort: bool = False) -> str:
        """Class and message, as a traceback ends."""
        text = "".join(traceback.format_exception_only(self.value)).rstrip()
        is_rewritten = tryshort and _shown(self.value).startswith("AssertionError('assert ")
        return text.removeprefix("AssertionError: ") if is_rewritten else text

    def match(self, pattern: str) -> bool:
        if not re.search(pattern, str(self.value)):
            raise AssertionError(f"Regex pattern {pattern!r} does not match {str(self.value)!r}")
        return True


def _shown(err: BaseException) -> str:
    """Its repr with no more than its beginning and its end."""
    try:
        text = repr(err)
    except Exception:  # noqa: BLE001 - the boundary to a task's code, whose classes may do anything
        return f"<{type(err).__name__} object>"
    return text if len(text) <= _SHOWN else f"{text[: (_SHOWN - 3) // 2]}...{text[-(_SHOWN - 2) // 2 :]}"


class _Raises:
    def __init__(self, expected: Any, match: str | None, check: Callable[[Any], bool] | None) -> None:
        self._expected, self._match, self._check = expected, match, check
        self._info = ExceptionInfo()

    def __enter__(self) -> ExceptionInfo:
        return self._info

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if err is None:
            raise Failed(f"DID NOT RAISE {self._expected!r}")
        if not isinstance(err, self._expected):
            return False
        self._info._filled = err
        if self._match is not None:
            self._info.match(self._match)
        if self._check is not None and not self._check(err):
            raise AssertionError("the check of the exception gave something false")
        return True


def raises(
    expected: Any = BaseException,
    *args: Any,
    match: str | None = None,
    check: Callable[[Any], bool] | None = None,
    **kwargs: Any,
) -> Any:
    """A context, or with a function and its arguments the call itself."""
    context = _Raises(kwargs.pop("expected_exception", expected), match, check)
    if not args:
        return context
    function, *rest = args
    with context as info:
        function(*rest, **kwargs)
    return info


# --- approx ---


class approx:
    """Numbers within ``rel`` (1e-6) or ``abs`` (1e-12) of the expected; the larger tolerance holds. In lists too."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None, nan_ok: bool = False) -> None:
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    def __repr__(self) -> str:
        return f"approx({self.expected!r})"

    def __eq__(self, actual: object) -> bool:
        return self._equal(actual, self.expected)

    def _equal(self, actual: Any, expected: Any) -> bool:
        if isinstance(expected, Mapping):
            same = isinstance(actual, Mapping) and set(actual) == set(expected)
            return same and all(self._equal(actual[key], value) for key, value in expected.items())
        if isinstance(expected, (list, tuple)):
            sized = hasattr(actual, "__len__") and len(actual) == len(expected)  # text too, as pytest has it
            return sized and all(map(self._equal, actual, expected))
        return self._close(actual, expected)

    def _close(self, actual: Any, expected: Any) -> bool:
        try:
            if isinstance(expected, bool) and not isinstance(actual, bool):
                return False
            if actual == expected:
                return True
            if isinstance(expected, (bool, str)) or expected is None:
                return False
            if math.isnan(abs(expected)):
                return self.nan_ok and math.isnan(abs(actual))
            if math.isinf(abs(expected)):
                return False
            absolute = _ABS if self.abs is None else self.abs
            relative = (_REL if self.abs is None else 0.0) if self.rel is None else self.rel
            exact = type(expected) if isinstance(expected, Decimal) else float
            return bool(abs(actual - expected) <= max(exact(relative) * abs(expected), exact(absolute)))
        except TypeError:
            return False


# --- marks ---


class Mark:
    """``name`` with its arguments, as the functions of the tests carry it in ``pytestmark``."""

    def __init__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.name, self.args, self.kwargs = name, args, kwargs


class _Decorator:
    def __init__(self, name: str, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        self.mark = Mark(name, args, kwargs or {})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and callable(args[0]):
            args[0].pytestmark = [*vars(args[0]).get("pytestmark", ()), self.mark]
            return args[0]
        return _Decorator(self.mark.name, args, kwargs)


class _Marks:
    def __getattr__(self, name: str) -> _Decorator:
        return _Decorator(name)


mark = _Marks()


def marks_of(found: Any) -> list[Any]:
    """The marks of a function or a module, or of a class and those that it is made of; the real pytest's too."""
    found = getattr(found, "__mro__", (found,))
    each = [vars(one).get("pytestmark", []) for one in reversed(found) if hasattr(one, "__dict__")]
    marks = [mark for some in each for mark in (some if isinstance(some, (list, tuple)) else [some])]
    return [getattr(one, "mark", one) for one in marks]


def skips(marks: Iterable[Any]) -> bool:
    """Marked as not to be run, or as expected to fail: neither says anything about a program."""
    return any(
        one.name in ("skip", "xfail") or (one.name == "skipif" and bool(one.args and one.args[0])) for one in marks
    )


class Parameters:
    """``pytest.param``: the values of one set, and its marks."""

    def __init__(self, values: tuple[Any, ...], marks: Iterable[Any]) -> None:
        self.values, self.marks = values, tuple(marks)


def param(*values: Any, marks: Any = (), id: str | None = None) -> Parameters:
    return Parameters(values, marks if isinstance(marks, (list, tuple)) else (marks,))


# --- fixtures ---


class Fixture:
    """A function whose result tests ask for by its name."""

    def __init__(self, function: Callable[..., Any], name: str, autouse: bool, params: Any) -> None:
        self.function, self.name, self.autouse, self.params = function, name, autouse, params

    def bound(self, instance: object) -> Fixture:
        """As a method of ``instance``."""
        return Fixture(MethodType(self.function, instance), self.name, self.autouse, self.params)


def fixture(
    function: Any = None,
    *,
    scope: str = "function",
    params: Any = None,
    autouse: bool = False,
    ids: Any = None,
    name: str | None = None,
) -> Any:
    def decorate(function: Callable[..., Any]) -> Fixture:
        return Fixture(function, name or function.__name__, autouse, params)

    return decorate if function is None else decorate(function)
