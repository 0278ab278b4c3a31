"""Further inputs: small changes of the tests' own, on which the reference says what is right.

Tests are few, and a wrong patch may pass them by luck. On inputs near theirs it seldom agrees with the reference. Some
of these inputs break what the task presupposes, so that disagreement is evidence, never a veto.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from egca_plugin.sandbox.inside.entry import SESSION, VALUE
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
    inputs = [found for call in calls if (found := _input(call)) is not None]
    near: list[Call] = []
    for attempt in range(count * _TRIES if inputs else 0):
        given = inputs[attempt % len(inputs)]
        made = dict(given.places)
        if not made:
            continue
        if given.function == MAIN:
            made[0] = changed_input(made[0], rng)
        else:
            _change(made, [one.places for one in inputs], rng)
        call = Call(given.function, wire.encode(given.build(made)))
        if call not in known:
            known.add(call)
            near.append(call)
            if len(near) == count:
                break
    return near


Places = dict[Any, Any]  # what may be changed, by where it stands


@dataclass(frozen=True, slots=True)
class _Input:
    """A call's arguments: by their positions or names; of a session, by step too. ``build`` puts them together."""

    function: str
    places: Places
    build: Callable[[Places], tuple[Any, Any]]


def _input(call: Call) -> _Input | None:
    try:
        args, kwargs = wire.decode(call.arguments)
    except WireError:
        return None  # objects
    if call.function == SESSION:
        return _Input(SESSION, *_of_session(*args))
    places: Places = {**dict(enumerate(args)), **kwargs}
    return _Input(call.function, places, lambda made: (tuple(map(made.pop, range(len(args)))), made))


def _of_session(steps: list[Any]) -> tuple[Places, Callable[[Places], tuple[Any, Any]]]:
    places = {
        (number, key): symbol[1]
        for number, (_, args, kwargs) in enumerate(steps)
        for key, symbol in (*enumerate(args), *kwargs.items())
        if symbol[0] == VALUE
    }

    def build(made: Places) -> tuple[Any, Any]:
        def given(number: int, key: Any, symbol: Any) -> Any:
            return (VALUE, made[number, key]) if symbol[0] == VALUE else symbol

        told = [
            (name, tuple(given(n, *one) for one in enumerate(args)), {k: given(n, k, v) for k, v in kwargs.items()})
            for n, (name, args, kwargs) in enumerate(steps)
        ]
        return (told,), {}

    return places, build


def _change(made: Places, inputs: Sequence[Places], rng: Random) -> None:
    """One argument or two, near what they are."""
    places = list(made)
    for _ in range(1 + (rng.random() < _TWICE)):
        place = places[rng.randrange(len(places))]
        pool = [other[place] for other in inputs if place in other]
        made[place] = changed(made[place], pool, rng, NEAR)


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
