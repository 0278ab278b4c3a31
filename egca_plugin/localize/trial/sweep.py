"""The quick way to try patches: one call of the driver tries a whole chunk of them on all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import CodeType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.localize.compare.evidence import Expectation, close
from egca_plugin.localize.trial.driver import RAISED, STOPPED, SWEEP, UNTRIED, VALUE
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallStatus

_NOTHING = Budget(max_events=0, max_steps=1 << 30, max_bytes=0)  # the driver counts the steps
_FEWEST = 4  # expectations on which an agreement rests
_STOPS = 3  # further inputs on which a patch may run out of steps before it is taken to do so on all
_PLAIN = (int, str, float, bool, type(None))


class Met(Enum):
    """What a trial says of an expectation, the most telling first."""

    NO = 0
    UNKNOWN = 1  # for the driver to say: a value that is not plain data
    STOPPED = 2  # out of its own steps
    UNTRIED = 3  # the work was done before its turn
    YES = 4


@dataclass(slots=True, eq=False)
class Effort:
    """Steps that one trial may take, and those that are left for all trials together: sweeps use them up."""

    steps: int
    work: int


def sweep(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    expectations: Sequence[Expectation],
    effort: Effort,
) -> list[Met] | None:
    """Whether each patch meets all expectations: UNKNOWN where arguments or expected values are not plain data.

    None when the driver did not come to its end, as after a trial that took the process along. At most 256 patches.
    """
    cases = [case for expectation in expectations if (case := _case(expectation)) is not None]
    if len(cases) < len(expectations):
        return [Met.UNKNOWN] * len(switches)
    table = _ask(workshop, code, switches, cases, effort, stops=1)
    return None if table is None else [min(column, key=lambda met: met.value) for column in zip(*table, strict=True)]


def agreement(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    expectations: Sequence[Expectation],
    effort: Effort,
) -> list[float] | None:
    """Each patch's share of the expectations that it meets; None where hardly any could be asked."""
    cases = [case for expectation in expectations if (case := _case(expectation)) is not None]
    if len(cases) < _FEWEST:
        return None
    table = _ask(workshop, code, switches, cases, effort, _STOPS)
    asked = [row for row in table or () if Met.UNTRIED not in row]
    if len(asked) < _FEWEST:
        return None
    return [column.count(Met.YES) / len(asked) for column in zip(*asked, strict=True)]


def _ask(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    cases: Sequence[_Case],
    effort: Effort,
    stops: int,
) -> list[list[Met]] | None:
    """Whether each case (row) is met by each patch (column); None where the driver did not come to its end.

    A patch that ran out of steps ``stops`` times is not run again.
    """
    asked = [(case.function, *case.arguments) for case in cases]
    question = Call(SWEEP, wire.encode(((asked, list(switches), effort.steps, effort.work, stops), {})))
    cpu_s = allowance(min(effort.steps * len(switches) * len(cases), effort.work))
    (record,) = workshop.records(code, [question], budget=_NOTHING, cpu_s=cpu_s)
    effort.work //= 2  # unless the driver tells
    try:
        told = wire.decode(record.result.value) if record.result.status is CallStatus.VALUE else None
    except WireError:
        return None
    if type(told) is not tuple or len(told) != 2:
        return None
    ends, left = told
    if type(ends) is not list or len(ends) != len(cases) or type(left) is not int:
        return None
    effort.work = max(0, min(left, 2 * effort.work))
    table = [_row(one, len(switches), case) for one, case in zip(ends, cases, strict=True)]
    whole = [row for row in table if row is not None]
    return whole if len(whole) == len(table) else None


def _row(told: Any, count: int, case: _Case) -> list[Met] | None:
    """The driver runs beside the candidate: what it tells is looked at closely."""
    if type(told) is not tuple or len(told) != 2:
        return None
    ends, which = told
    if type(ends) is not list or type(which) is not bytes or len(which) != count or max(which) >= len(ends):
        return None
    verdicts = [case.met_by(end) for end in ends]
    return [verdicts[index] for index in which]


def allowance(steps: int) -> float:
    """CPU seconds for so many steps: ample, since what takes longer hangs in a single operation."""
    return 0.25 + 8e-7 * steps


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """An expectation, decoded: the arguments, and the accepted values and exception types."""

    function: str
    arguments: tuple[Any, Any]
    values: tuple[Any, ...]
    errors: tuple[str, ...]

    def met_by(self, end: Any) -> Met:
        if type(end) is not tuple or len(end) != 2:
            return Met.UNKNOWN
        kind, value = end
        if kind == VALUE:
            return Met.YES if any(close(value, expected) for expected in self.values) else Met.NO
        if kind == RAISED:
            return Met.YES if value in self.errors else Met.NO
        return {STOPPED: Met.STOPPED, UNTRIED: Met.UNTRIED}.get(kind, Met.UNKNOWN) if type(kind) is int else Met.UNKNOWN


@lru_cache(maxsize=128)  # those of one candidate
def _case(expectation: Expectation) -> _Case | None:
    """None where something in it is not plain data."""
    try:
        arguments = wire.decode(expectation.call.arguments)
        values = tuple(wire.decode(x.value) for x in expectation.accepted if x.status is CallStatus.VALUE)
    except WireError:
        return None
    if not all(map(_is_plain, arguments)) or any(x is None or not _is_plain(x) for x in values):
        return None  # what a function that returns None did to its arguments is not for the driver to say
    errors = tuple(x.error_type for x in expectation.accepted if x.status is CallStatus.EXCEPTION)
    return _Case(expectation.call.function, arguments, values, errors)


def _is_plain(value: Any) -> bool:
    if type(value) in _PLAIN:
        return True
    if type(value) in (list, tuple, set):
        return all(_is_plain(item) for item in value)
    return type(value) is dict and all(_is_plain(x) for pair in value.items() for x in pair)
