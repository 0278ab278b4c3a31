"""Further inputs: small changes of the tests' own, on which the reference says what is right.

Tests are few, and a wrong patch may pass them by luck. On inputs near theirs it seldom agrees with the reference. Some
of these inputs break what the task presupposes, so that disagreement is evidence, never a veto.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from random import Random
from types import CodeType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.localize.compare.evidence import Expectation
from egca_plugin.localize.trial.changes import NEAR, changed, changed_input
from egca_plugin.localize.trial.slots import slotted
from egca_plugin.localize.whole import kind_of, parsed
from egca_plugin.program.hosting import MAIN
from egca_plugin.program.memo import Memo
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import SESSION
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus

STEPS = 20_000  # that one of them may take
ASKED_STEPS = 100_000  # that the reference takes on all calls on which a patch is tried; the referee tries the others
_COUNT = 32
_CPU_S, _MOST_CPU_S = 1.0, 4.0  # for the reference, with all of them; with _AT_ONCE of the tests' own calls
_AT_ONCE = 8  # calls, until their steps are counted
_PATIENCE = 5  # times ASKED_STEPS, with the calls that are not affordable
_ENDED = (CallStatus.VALUE, CallStatus.EXCEPTION)
_TRIES = 6  # for each input that is wanted
_TWICE = 0.3  # share of the inputs that are changed in two places


def neighbours(calls: Sequence[Call], count: int) -> list[Call]:
    """At most ``count`` calls that differ from ``calls`` and from each other; the same for the same calls."""
    rng = Random(zlib.crc32(b"".join(call.arguments for call in calls)))
    known = set(calls)
    decoded = [
        (call.function, *parts)
        for call in calls
        if call.function != SESSION and (parts := _plain_arguments(call)) is not None
    ]
    inputs = [_by_place(args, kwargs) for _, args, kwargs in decoded]
    found: list[Call] = []
    for attempt in range(count * _TRIES if decoded else 0):
        function, args, _ = decoded[attempt % len(decoded)]
        made = dict(inputs[attempt % len(decoded)])
        if not made:
            continue
        if function == MAIN:
            made[0] = changed_input(made[0], rng)
        else:
            _change(made, inputs, rng)
        positional = tuple(made.pop(place) for place in range(len(args)))
        one = Call(function, wire.encode((positional, made)))
        if one not in known:
            known.add(one)
            found.append(one)
            if len(found) == count:
                break
    return found


def _by_place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[int | str, Any]:
    """Arguments by their position or their name."""
    by_place: dict[int | str, Any] = dict(enumerate(args))
    by_place.update(kwargs)
    return by_place


def _change(made: dict[int | str, Any], inputs: Sequence[dict[int | str, Any]], rng: Random) -> None:
    """One argument or two, near what they are."""
    places = list(made)
    for _ in range(1 + (rng.random() < _TWICE)):
        place = places[rng.randrange(len(places))]
        pool = [other[place] for other in inputs if place in other]
        made[place] = changed(made[place], pool, rng, NEAR)


def _plain_arguments(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    try:
        args, kwargs = wire.decode(call.arguments)
    except WireError:
        return None  # objects
    return args, kwargs


class FurtherInputs:
    """What a reference answers to inputs near the tests', and how long it takes over the tests' own.

    Asked once for each set of calls; ``kept`` bytes of both are remembered.
    """

    def __init__(self, kept: int = 32 << 20) -> None:
        self._near: Memo[tuple[Expectation, ...]] = Memo(kept)
        self._steps: Memo[dict[Call, int]] = Memo(kept)

    def of(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> tuple[Expectation, ...]:
        """Inputs near these calls, where the reference answers with a value. Raises SyntaxError for a bad reference."""
        asked, known_by = _asked(source, calls)

        def ask() -> tuple[Expectation, ...]:
            inputs = neighbours(asked, _COUNT)
            answers = zip(inputs, counted(source, inputs, sandbox, STEPS), strict=True)
            return tuple(Expectation(one, (x,)) for one, x in answers if x.status is CallStatus.VALUE)

        return self._near.get(known_by, ask)

    def affordable(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> dict[Call, int]:
        """How many steps the reference takes on each call, of those that take ASKED_STEPS together, small inputs first.

        Raises SyntaxError, as above.
        """
        asked, known_by = _asked(source, calls)
        return self._steps.get(known_by, lambda: _affordable(source, asked, sandbox), weight=0)


def _affordable(source: str, calls: Sequence[Call], sandbox: Sandbox) -> dict[Call, int]:
    small_first = sorted(calls, key=lambda call: len(call.arguments))
    code = _counting(source, calls)
    kept: dict[Call, int] = {}
    left, patience = ASKED_STEPS, _PATIENCE * ASKED_STEPS
    with Workshop(sandbox) as workshop:
        while small_first and left > 0 and patience > 0:
            some, small_first = small_first[:_AT_ONCE], small_first[_AT_ONCE:]
            for call, result in zip(some, _counted(code, some, workshop, left, _MOST_CPU_S), strict=True):
                patience -= result.steps
                if result.status in _ENDED and result.steps <= left:
                    kept[call] = result.steps
                    left -= result.steps
    return kept


def _asked(source: str, calls: Sequence[Call]) -> tuple[tuple[Call, ...], tuple[str, ...]]:
    """The calls in an order of their own, and what they and the source are known by."""
    asked = tuple(sorted(calls, key=lambda call: (call.function, call.arguments)))
    return asked, (source, *(f"{call.function}\0{call.arguments.hex()}" for call in asked))


def counted(source: str, calls: Sequence[Call], sandbox: Sandbox, steps: int) -> list[CallResult]:
    """The calls' results, with their steps; ``steps`` is each call's own bound. Raises SyntaxError."""
    code = _counting(source, calls)
    with Workshop(sandbox) as workshop:
        return _counted(code, calls, workshop, steps)


def _counting(source: str, calls: Sequence[Call]) -> CodeType:
    return slotted(parsed(source, kind_of(calls)), ()).compile()


def _counted(
    code: CodeType, calls: Sequence[Call], workshop: Workshop, steps: int, cpu_s: float = _CPU_S
) -> list[CallResult]:
    budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
    return [record.result for record in workshop.records(code, calls, budget=budget, cpu_s=cpu_s)]
