"""Further inputs: small changes of the tests' own, on which the reference says what is right.

Tests are few, and a wrong patch may pass them by luck. On inputs near theirs it seldom agrees with the reference. Some
of these inputs break what the task presupposes, so that disagreement is evidence, never a veto.
"""

from __future__ import annotations

import ast
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Generic, TypeVar

from egca_plugin.errors import WireError
from egca_plugin.localize.evidence import Expectation
from egca_plugin.localize.slots import slotted
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.records import Budget
from egca_plugin.types import Call, CallResult, CallStatus

STEPS = 20_000  # that one of them may take
MOST_STEPS = 300_000  # that are counted
_COUNT = 32
_TIMEOUT_S = 1.0  # for the reference, with all of them
_TRIES = 6  # for each input that is wanted
_LONGEST = 64  # items of a container, characters of a text, that are changed
_TWICE = 0.3  # share of the inputs that are changed in two places

_Value = TypeVar("_Value")


def neighbours(calls: Sequence[Call], count: int) -> list[Call]:
    """At most ``count`` calls that differ from ``calls`` and from each other; the same for the same calls."""
    rng = Random(zlib.crc32(b"".join(call.arguments for call in calls)))
    known = set(calls)
    decoded = [(call.function, *parts) for call in calls if (parts := _plain_arguments(call)) is not None]
    found: list[Call] = []
    for attempt in range(count * _TRIES if decoded else 0):
        function, args, kwargs = decoded[attempt % len(decoded)]
        if not args:
            continue
        changed = list(args)
        for _ in range(1 + (rng.random() < _TWICE)):
            place = rng.randrange(len(changed))
            pool = [other[place] for _, other, _ in decoded if len(other) > place]
            changed[place] = _changed(changed[place], pool, rng)
        one = Call(function, wire.encode((tuple(changed), kwargs)))
        if one not in known:
            known.add(one)
            found.append(one)
            if len(found) == count:
                break
    return found


def _plain_arguments(call: Call) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    try:
        args, kwargs = wire.decode(call.arguments)
    except WireError:
        return None  # objects
    return args, kwargs


def _changed(value: Any, pool: Sequence[Any], rng: Random) -> Any:
    """Another value of the same type, near ``value``; ``pool`` holds the values that stood in this place."""
    kind = type(value)
    alike = [other for other in pool if type(other) is kind]
    if len(alike) > 1 and rng.random() < 0.15:
        return rng.choice(alike)
    if kind is bool:
        return not value
    if kind is int:
        return rng.choice([value + 1, value - 1, value + 2, value // 2, value + rng.randint(-9, 9)])
    if kind is float:
        return rng.choice([value + 1, value - 1, value / 2, value + 0.5, -value])
    if kind is str:
        return "".join(_items_changed(list(value), _characters(alike), rng)) if len(value) <= _LONGEST else value
    if kind in (list, tuple) and len(value) <= _LONGEST:
        return kind(_items_changed(list(value), [item for other in alike for item in other], rng))
    if kind in (set, frozenset) and len(value) <= _LONGEST:
        return kind(_items_changed(sorted(value, key=repr), [item for other in alike for item in other], rng))
    if kind is dict and value and len(value) <= _LONGEST:
        return dict(_pairs_changed(value, alike, rng))
    return value


def _characters(texts: Sequence[str]) -> list[str]:
    return [character for text in texts for character in text[:_LONGEST]]


def _items_changed(items: list[Any], pool: Sequence[Any], rng: Random) -> list[Any]:
    """One item dropped, doubled, exchanged, replaced or changed, or one more."""
    if not items:
        return [rng.choice(pool)] if pool else items
    place, other = rng.randrange(len(items)), rng.randrange(len(items))
    action = rng.randrange(7)
    if action == 0:
        del items[place]
    elif action == 1:
        items.insert(other, items[place])
    elif action == 2:
        items[place], items[other] = items[other], items[place]
    elif action == 3 and pool:
        items[place] = rng.choice(pool)
    elif action == 4 and pool:
        items.insert(place, rng.choice(pool))
    elif action == 5:
        items.reverse()
    elif isinstance(items[place], str) and len(items[place]) == 1:
        items[place] = items[place].swapcase()
    else:
        items[place] = _changed(items[place], list(pool), rng)
    return items


def _pairs_changed(value: dict[Any, Any], pool: Sequence[dict[Any, Any]], rng: Random) -> Iterator[tuple[Any, Any]]:
    """One pair dropped, or its value changed."""
    chosen = rng.randrange(len(value))
    drop = rng.random() < 0.3
    values = [item for other in pool for item in other.values()]
    for index, (name, item) in enumerate(value.items()):
        if index != chosen:
            yield name, item
        elif not drop:
            yield name, _changed(item, values, rng)


class FurtherInputs:
    """What a reference answers to inputs near the tests', and how long it takes over the tests' own.

    Asked once for each set of calls; least recently used out.
    """

    def __init__(self, kept: int = 512) -> None:
        self._near: _Recent[tuple[Expectation, ...]] = _Recent(kept)
        self._steps: _Recent[int] = _Recent(kept)

    def of(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> tuple[Expectation, ...]:
        """Inputs near these calls, where the reference answers with a value. Raises SyntaxError for a bad reference."""

        def ask(asked: tuple[Call, ...]) -> tuple[Expectation, ...]:
            inputs = neighbours(asked, _COUNT)
            answers = zip(inputs, _counted(source, inputs, sandbox, STEPS), strict=True)
            return tuple(Expectation(one, (x,)) for one, x in answers if x.status is CallStatus.VALUE)

        return self._near.get(source, calls, ask)

    def steps(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> int:
        """The most that the reference takes on one of these calls, up to MOST_STEPS. Raises SyntaxError, as above."""

        def ask(asked: tuple[Call, ...]) -> int:
            return max(result.steps for result in _counted(source, asked, sandbox, MOST_STEPS))

        return self._steps.get(source, calls, ask)


class _Recent(Generic[_Value]):
    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[str, tuple[Call, ...]], _Value] = OrderedDict()

    def get(self, source: str, calls: Sequence[Call], ask: Callable[[tuple[Call, ...]], _Value]) -> _Value:
        asked = tuple(sorted(calls, key=lambda call: (call.function, call.arguments)))
        if (source, asked) not in self._known:
            self._known[source, asked] = ask(asked)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        self._known.move_to_end((source, asked))
        return self._known[source, asked]


def _counted(source: str, calls: Sequence[Call], sandbox: Sandbox, steps: int) -> list[CallResult]:
    """The calls' results, with their steps."""
    code = slotted(ast.parse(source), ()).compile()
    budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
    with sandbox.session(code, timeout_s=_TIMEOUT_S, budget=budget) as session:
        return [record.result for record in session.records(calls)]
