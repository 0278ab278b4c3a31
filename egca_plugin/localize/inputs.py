"""Further inputs: small changes of the tests' own, on which the reference says what is right.

Tests are few, and a wrong patch may pass them by luck. On inputs near theirs it seldom agrees with the reference. Some
of these inputs break what the task presupposes, so that disagreement is evidence, never a veto.
"""

from __future__ import annotations

import ast
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.localize.evidence import Expectation
from egca_plugin.localize.slots import slotted
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.records import Budget
from egca_plugin.types import Call, CallStatus

STEPS = 20_000  # that one of them may take
_COUNT = 32
_TIMEOUT_S = 1.0  # for the reference, with all of them
_TRIES = 6  # for each input that is wanted
_LONGEST = 64  # items of a container, characters of a text, that are changed
_TWICE = 0.3  # share of the inputs that are changed in two places


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
    """What a reference answers to inputs near the tests', asked once for each set of calls; least recently used out."""

    def __init__(self, kept: int = 512) -> None:
        self._kept = kept
        self._known: OrderedDict[tuple[str, tuple[Call, ...]], tuple[Expectation, ...]] = OrderedDict()

    def of(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> tuple[Expectation, ...]:
        """Inputs near these calls, where the reference answers with a value. Raises SyntaxError for a bad reference."""
        asked = tuple(sorted(calls, key=lambda call: (call.function, call.arguments)))
        found = self._known.get((source, asked))
        if found is None:
            found = self._known[source, asked] = _answered(source, neighbours(asked, _COUNT), sandbox)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        self._known.move_to_end((source, asked))
        return found


def _answered(source: str, inputs: Sequence[Call], sandbox: Sandbox) -> tuple[Expectation, ...]:
    code = slotted(ast.parse(source), ()).compile()
    budget = Budget(max_events=0, max_steps=STEPS, max_bytes=0)
    with sandbox.session(code, timeout_s=_TIMEOUT_S, budget=budget) as session:
        results = [record.result for record in session.records(inputs)]
    return tuple(
        Expectation(one, (result,))
        for one, result in zip(inputs, results, strict=True)
        if result.status is CallStatus.VALUE
    )
