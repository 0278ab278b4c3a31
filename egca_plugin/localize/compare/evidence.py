"""What is known about a failing program: the calls that the tests made, and what each of them should have given.

The expected outcome of a call is what a reference did on it. A call of a test that passed may also keep the outcome
that the candidate had, since some tasks accept several answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.types import Call, CallResult, CallStatus, Verdict

MAX_CALLS = 48  # distinct calls that a trial has to satisfy before the referee is asked
MOST_STEPS, _FIRST_STEPS = 400_000, 4_000  # of a trial
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Expectation:
    """A call and the results that count as right."""

    call: Call
    accepted: tuple[CallResult, ...]

    def met_by(self, result: CallResult) -> bool:
        return any(same_outcome(result, accepted) for accepted in self.accepted)


@dataclass(frozen=True, slots=True)
class Evidence:
    """``failing`` differ from the reference, in the order of the tests; ``holding`` are right already."""

    failing: tuple[Expectation, ...]
    holding: tuple[Expectation, ...]
    observed: Mapping[Call, CallResult]

    @property
    def everything(self) -> tuple[Expectation, ...]:
        return (*self.failing, *self.holding)


def distinct_calls(verdict: Verdict) -> dict[Call, CallResult]:
    """The recorded calls without repetitions, those of failing tests first, and what the candidate answered."""
    ordered = sorted(verdict.calls, key=lambda tested: tested.passed)
    calls: dict[Call, CallResult] = {}
    for tested in ordered:
        calls.setdefault(tested.call, tested.result)
    return dict(list(calls.items())[:MAX_CALLS])


def gather(verdict: Verdict, expected: Mapping[Call, CallResult]) -> Evidence:
    """Sort the recorded calls into failing and holding ones by what the reference answered."""
    observed = distinct_calls(verdict)
    passed = {tested.call for tested in verdict.calls if tested.passed}
    failing, holding = [], []
    for call, result in observed.items():
        reference = expected.get(call)
        if reference is None or reference.status not in (CallStatus.VALUE, CallStatus.EXCEPTION):
            continue
        if call in passed:
            holding.append(Expectation(call, (reference, result)))
        elif same_outcome(result, reference):
            holding.append(Expectation(call, (reference,)))
        else:
            failing.append(Expectation(call, (reference,)))
    return Evidence(tuple(failing), tuple(holding), observed)


def same_outcome(result: CallResult, expected: CallResult) -> bool:
    """Equal values (floats within 1e-6), or exceptions of the same type.

    Where the function returns None, what counts is what it did to its arguments.
    """
    if result.status is not expected.status:
        return False
    if result.status is not CallStatus.VALUE:
        return result.status is CallStatus.EXCEPTION and result.error_type == expected.error_type
    if not same_value(result.value, expected.value):
        return False
    return result.value != _NONE or same_value(result.arguments_after, expected.arguments_after)


def same_value(a: bytes, b: bytes) -> bool:
    """Whether two encoded values are equal up to the tolerance."""
    if a == b:
        return True
    if not a or not b:
        return False
    try:
        return close(wire.decode(a), wire.decode(b))
    except WireError:
        return False


def close(a: Any, b: Any, depth: int = 0) -> bool:
    """Equality of decoded values: exact types, but int and bool mix and floats have a tolerance."""
    if depth > 50:
        return False
    if isinstance(a, float) or isinstance(b, float):
        if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
            return False
        try:
            return math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        except OverflowError:
            return False
    if type(a) is not type(b):
        return isinstance(a, int) and isinstance(b, int) and a == b
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(close(x, y, depth + 1) for x, y in zip(a, b, strict=True))
    if type(a) is dict:
        return a.keys() == b.keys() and all(close(a[name], b[name], depth + 1) for name in a)
    if type(a) is wire.Drained:
        return a.more == b.more and close(a.items, b.items, depth + 1)
    return bool(a == b)


def step_budget(reference: int, candidate: Iterable[CallResult]) -> tuple[int, int]:
    """Steps that a trial may spend on the failing call: at first, and where nothing was found so.

    What the ``reference`` takes itself sets the second. Its algorithm may be far worse than the candidate's: what that
    spent on the calls that it ended sets the first, lest every trial that hangs costs the second.
    """
    most = min(MOST_STEPS, 500 + 4 * reference)
    ended = [result.steps for result in candidate if not cut_short(result)]
    return min(most, _FIRST_STEPS + 20 * max(ended, default=0)), most


def cut_short(result: CallResult) -> bool:
    """Whether a bound ended the call."""
    return result.status in (CallStatus.BUDGET, CallStatus.TIMEOUT)


_NONE = wire.encode(None)
