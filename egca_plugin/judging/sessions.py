"""What tests did with objects of the program's classes, as calls that can be made again of any other program.

A method's call means nothing without its object, and objects of two programs hold different things. So the calls of
one test become one call of a session (:func:`egca_plugin.sandbox.inside.entry.session`): its steps in their order, with
the results of earlier steps where those are arguments. A call that cannot be told so is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.functions import told
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import (
    LIST,
    MEMBER,
    PLAIN,
    RAISED,
    SESSION,
    SKIP,
    STEP,
    TUPLE,
    VALUE,
    numbered,
    shown,
    within,
)
from egca_plugin.sandbox.wire.standins import MODULE
from egca_plugin.types import Call, CallResult, CallStatus, TestedCall

MAX_STEPS = 300  # of one session
MAX_BYTES, MAX_BYTES_IN_ALL = 1 << 16, 1 << 20  # of one, encoded, and of a verdict's

Symbol = tuple[Any, ...]


class _Untold(Exception):
    """An argument that another program cannot be given."""


@dataclass(slots=True)
class _Step:
    """``earliest``: the first step that it needs; itself where it needs none. ``told``: what it gave.

    Its name is SKIP where it cannot be told.
    """

    name: str
    args: tuple[Symbol, ...]
    kwargs: dict[str, Symbol]
    earliest: int
    told: Any = None
    line: int | None = None  # of the program, that raised
    ended: CallResult | None = None  # where it gave neither a value nor an exception


@dataclass(slots=True)
class Sessions:
    """The steps of one trial so far. ``lasting``: a test may hang on all that went before it."""

    lasting: bool = False
    _steps: list[_Step] = field(default_factory=list)
    _given: dict[int, tuple[Any, Symbol]] = field(default_factory=dict)  # by id: an object, and what it is told as
    _held: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._steps)

    def asked(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
        """A call begins: its number."""
        number = len(self._steps)
        needs = [number]
        try:
            told = tuple(self._symbol(one, needs) for one in args)
            named = {key: self._symbol(one, needs) for key, one in kwargs.items()}
            self._steps.append(_Step(name, told, named, min(needs)))
        except _Untold:
            self._steps.append(_Step(SKIP, (), {}, number))
        return number

    def answered(self, number: int, value: Any) -> None:
        if self._steps[number].name == SKIP:
            return
        self._steps[number].told = shown(value, self._held)
        for path, thing in within(value):
            if type(thing) not in PLAIN:
                self._given.setdefault(id(thing), (thing, (STEP, number, *path)))

    def failed(self, number: int, result: CallResult | None) -> None:
        """``result``: what the program answered, if that is why."""
        step = self._steps[number]
        if result is None:  # it was not made
            self._steps[number] = _Step(SKIP, (), {}, number)
        elif result.status is not CallStatus.EXCEPTION:
            step.ended = result
        elif step.name != SKIP:
            step.told, step.line = (RAISED, result.error_type), result.line

    def read(self, instance: Any, name: str, value: Any) -> None:
        """The tests have looked at an object's data, which is here."""
        self.answered(self.asked(f".{name}?", (instance,), {}), value)

    def tested(self, tests: Sequence[tuple[int, int, bool]]) -> Iterator[TestedCall]:
        """One for each test ``(its number, how many steps there were at its end, whether it passed)``, in order.

        Where all lasts only the first that failed, with all that went before it: one would hang on another.
        """
        start = size = 0
        if self.lasting:
            tests = [one for one in tests if not one[2]][:1] or tests[-1:]
        for test, end, passed in tests:
            first = 0 if self.lasting else self._first(start, end)
            steps = self._steps[first:end] if end - first <= MAX_STEPS else []
            call = _session(steps, first) if start < end and steps else None
            start = end
            if call is None:
                continue
            result = _result(steps)
            size += len(call.arguments) + (len(result.value) or MAX_BYTES)
            if size > MAX_BYTES_IN_ALL:
                return
            yield TestedCall(call, test, passed, result)

    def _first(self, start: int, end: int) -> int:
        """The first step that any from ``start`` on needs, or one of those; any that is too far away, where it is."""
        first, at = start, end
        while at > first and end - first <= MAX_STEPS:
            at -= 1
            first = min(first, self._steps[at].earliest)
        return first

    def _symbol(self, value: Any, needs: list[int]) -> Symbol:
        """Raises _Untold."""
        kind = type(value)
        if kind in PLAIN:
            return VALUE, value
        known = self._given.get(id(value))
        if known is not None:
            needs.append(known[1][1])
            return known[1]
        if hasattr(kind, "__members__"):
            return MEMBER, kind.__name__, value._name_
        if isinstance(value, type) and value.__module__ in (MODULE, "reference"):
            return MEMBER, value.__name__
        if isinstance(value, BaseException):
            return VALUE, value
        try:
            if kind is FunctionType:
                return VALUE, told(value)
            return VALUE, wire.decode(wire.encode(value))  # as it is now
        except WireError as err:
            if kind not in (list, tuple):
                raise _Untold from err
            return LIST if kind is list else TUPLE, tuple(self._symbol(one, needs) for one in value)


def _session(steps: Sequence[_Step], first: int) -> Call | None:
    """The steps as one call, numbered from ``first``; None where that cannot be told."""
    if all(step.name == SKIP for step in steps):
        return None
    told = [
        (
            step.name,
            tuple(_moved(one, first) for one in step.args),
            {k: _moved(v, first) for k, v in step.kwargs.items()},
        )
        for step in steps
    ]
    try:
        arguments = wire.encode(((told,), {}), max_bytes=MAX_BYTES, objects=True)
    except WireError:
        return None
    return Call(SESSION, arguments)


def _moved(symbol: Symbol, by: int) -> Symbol:
    kind, what, *rest = symbol
    if kind == STEP:
        return kind, what - by, *rest
    return (kind, tuple(_moved(one, by) for one in what)) if kind in (LIST, TUPLE) else (kind, what, *rest)


def _result(steps: Sequence[_Step]) -> CallResult:
    """What the judged program gave."""
    ended = next((step.ended for step in steps if step.ended is not None), None)
    if ended is not None:
        return CallResult(ended.status, error_type=ended.error_type, error_message=ended.error_message, line=ended.line)
    try:
        return CallResult(
            CallStatus.VALUE,
            wire.encode(numbered([step.told for step in steps], {}), max_bytes=MAX_BYTES_IN_ALL),
            line=steps[-1].line,
        )
    except WireError as err:
        return CallResult(CallStatus.REFUSED, error_message=str(err))
