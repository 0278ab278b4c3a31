"""The quick way to try patches: one call of the driver tries a whole chunk of them on one input."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.localize.driver import RAISED, SWEEP, UNKNOWN, VALUE
from egca_plugin.localize.evidence import Expectation, close
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.records import Budget
from egca_plugin.sandbox.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus

_NOTHING = Budget(max_events=0, max_steps=1 << 30, max_bytes=0)  # the driver counts the steps
_FEWEST = 4  # expectations on which an agreement rests
_PLAIN = (int, str, float, bool, type(None))


def sweep(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    expectations: Sequence[Expectation],
    steps: int,
) -> list[bool | None] | None:
    """Which patches meet all expectations: True, False, or None where the driver cannot tell.

    None for the whole when the sweep cannot be made: arguments or expected values that are not plain data, or a trial
    that took the process along.
    """
    questions = [_question(expectation, switches, steps) for expectation in expectations]
    if any(question is None for question in questions):
        return None
    asked = [question for question in questions if question is not None]
    calls = [call for call, _ in asked]
    records = workshop.records(code, calls, budget=_NOTHING, timeout_s=allowance(steps, len(switches)))
    met: list[bool | None] = [True] * len(switches)
    for record, (_, accepted) in zip(records, asked, strict=True):
        answers = _verdicts(record.result, len(switches), accepted)
        if answers is None:
            return None
        for index, verdict in enumerate(answers):
            if met[index] is not False and verdict is not True:
                met[index] = verdict
    return met


def agreement(
    workshop: Workshop,
    code: CodeType,
    switches: Sequence[tuple[int, ...]],
    expectations: Sequence[Expectation],
    steps: int,
) -> list[float] | None:
    """Each patch's share of the expectations that it meets; None where hardly any could be asked."""
    questions = [_question(expectation, switches, steps) for expectation in expectations]
    asked = [question for question in questions if question is not None]
    calls = [call for call, _ in asked]
    records = workshop.records(code, calls, budget=_NOTHING, timeout_s=allowance(steps, len(switches)))
    met = [0] * len(switches)
    told = 0
    for record, (_, accepted) in zip(records, asked, strict=True):
        answers = _verdicts(record.result, len(switches), accepted)
        if answers is not None:
            told += 1
            for index, verdict in enumerate(answers):
                met[index] += verdict is True
    return [count / told for count in met] if told >= _FEWEST else None


def _verdicts(result: CallResult, count: int, accepted: _Accepted) -> list[bool | None] | None:
    """Whether each trial met the expectation; None for all where the driver did not come to its end."""
    if result.status is not CallStatus.VALUE:
        return None
    told = wire.decode(result.value)
    if type(told) is not tuple or len(told) != 2:
        return None
    ended, which = told
    if type(ended) is not list or type(which) is not bytes or len(which) != count or max(which) >= len(ended):
        return None
    verdicts = [_meets(end, accepted) for end in ended]
    return [verdicts[index] for index in which]


def allowance(steps: int, trials: int) -> float:
    """Seconds for so many trials: ample for their steps; what takes longer hangs in a single operation."""
    return 0.25 + min(0.5, 4e-7 * steps * trials)


_Accepted = tuple[list[Any], list[str]]


def _question(
    expectation: Expectation, switches: Sequence[tuple[int, ...]], steps: int
) -> tuple[Call, _Accepted] | None:
    """The driver's call, with the accepted values and exception types."""
    values: list[Any] = []
    errors: list[str] = []
    try:
        args, kwargs = wire.decode(expectation.call.arguments)
        for result in expectation.accepted:
            if result.status is CallStatus.VALUE:
                values.append(wire.decode(result.value))
            elif result.status is CallStatus.EXCEPTION:
                errors.append(result.error_type)
    except WireError:
        return None
    if not _is_plain(args) or not _is_plain(kwargs) or any(x is None or not _is_plain(x) for x in values):
        return None  # what a function that returns None did to its arguments is not for the driver to say
    question = wire.encode(((expectation.call.function, list(switches), args, kwargs, steps), {}))
    return Call(SWEEP, question), (values, errors)


def _meets(answer: Any, accepted: _Accepted) -> bool | None:
    if not isinstance(answer, tuple) or len(answer) != 2 or answer[0] == UNKNOWN:
        return None
    kind, value = answer
    if kind == VALUE:
        return any(close(value, expected) for expected in accepted[0])
    return kind == RAISED and value in accepted[1]


def _is_plain(value: Any) -> bool:
    if type(value) in _PLAIN:
        return True
    if type(value) in (list, tuple, set):
        return all(_is_plain(item) for item in value)
    return type(value) is dict and all(_is_plain(x) for pair in value.items() for x in pair)
