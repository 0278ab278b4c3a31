"""The quick way to try patches: one call of the driver tries a whole chunk of them on all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Any, Literal

from egca_plugin.errors import WireError
from egca_plugin.localize.driver import RAISED, STOPPED, SWEEP, UNKNOWN, VALUE
from egca_plugin.localize.evidence import Expectation, close
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.records import Budget
from egca_plugin.sandbox.workshop import Workshop
from egca_plugin.types import Call, CallStatus

_NOTHING = Budget(max_events=0, max_steps=1 << 30, max_bytes=0)  # the driver counts the steps
_FEWEST = 4  # expectations on which an agreement rests
CUT: Literal["cut"] = "cut"  # out of steps, or of work
Met = bool | Literal["cut"] | None  # None: the driver cannot tell
_PLAIN = (int, str, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Effort:
    """Steps that one trial may take, and that all trials of a sweep may take together."""

    steps: int
    work: int


def sweep(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    expectations: Sequence[Expectation],
    effort: Effort,
) -> tuple[list[Met] | None, int]:
    """Which patches meet all expectations, and the work left.

    None for the whole when the sweep cannot be made: arguments or expected values that are not plain data, or a trial
    that took the process along. At most 256 patches.
    """
    cases = [case for expectation in expectations if (case := _case(expectation)) is not None]
    if len(cases) < len(expectations):
        return None, effort.work
    table, left = _ask(workshop, code, switches, cases, effort)
    return None if table is None else [_all(column) for column in zip(*table, strict=True)], left


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
    table, _ = _ask(workshop, code, switches, cases, effort)
    asked = [row for row in table or () if CUT not in row]
    if len(asked) < _FEWEST:
        return None
    return [sum(met is True for met in column) / len(asked) for column in zip(*asked, strict=True)]


def _all(column: Sequence[Met]) -> Met:
    return False if False in column else next((met for met in column if met is not True), True)


def _ask(
    workshop: Workshop, code: CodeType, switches: Sequence[tuple[int, ...]], cases: Sequence[_Case], effort: Effort
) -> tuple[list[list[Met]] | None, int]:
    """Whether each case (row) is met by each patch (column); None where the driver did not come to its end."""
    asked = [(case.function, *case.arguments) for case in cases]
    question = Call(SWEEP, wire.encode(((asked, list(switches), effort.steps, effort.work), {})))
    timeout_s = allowance(min(effort.steps * len(switches) * len(cases), effort.work))
    (record,) = workshop.records(code, [question], budget=_NOTHING, timeout_s=timeout_s)
    told = wire.decode(record.result.value) if record.result.status is CallStatus.VALUE else None
    if type(told) is not tuple or len(told) != 2:
        return None, effort.work // 2
    ends, left = told
    if type(ends) is not list or len(ends) != len(cases) or type(left) is not int:
        return None, effort.work // 2
    table = [_row(one, len(switches), case) for one, case in zip(ends, cases, strict=True)]
    whole = [row for row in table if row is not None]
    return whole if len(whole) == len(table) else None, max(0, min(left, effort.work))


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
    """Seconds for so many steps: ample, since what takes longer hangs in a single operation."""
    return 0.25 + 8e-7 * steps


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """An expectation, decoded: the arguments, and the accepted values and exception types."""

    function: str
    arguments: tuple[Any, Any]
    values: tuple[Any, ...]
    errors: tuple[str, ...]

    def met_by(self, end: Any) -> Met:
        """None where the driver cannot tell."""
        if type(end) is not tuple or len(end) != 2 or end[0] == UNKNOWN:
            return None
        kind, value = end
        if kind == STOPPED:
            return CUT
        if kind == VALUE:
            return any(close(value, expected) for expected in self.values)
        return kind == RAISED and value in self.errors


@lru_cache(maxsize=1024)
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
