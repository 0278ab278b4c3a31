"""What instrumented programs call: ``__egca_value(site, value)`` and ``__egca_step(line)``.

``freeze`` turns a value into a bounded, hashable digest without running any code of the candidate: only exact builtin
types are looked into, the rest is known by its type's name. Numbers keep Python's equality (``1 == 1.0 == True``), a
list and a tuple with equal items share a digest, and so do sets and frozensets.

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, NamedTuple

VALUE = "__egca_value"
STEP = "__egca_step"

MAX_DEPTH = 6
MAX_ITEMS = 200  # a longer container keeps its length and ENDS items at each end
ENDS = 20
MAX_TEXT = 200  # a longer string keeps its length and hash
MAX_BITS = 4096  # a longer integer keeps its length and hash

# `kind.__name__` would ask a hostile metaclass.
_type_name: Callable[[Any], str] = type.__dict__["__name__"].__get__


class BudgetSpent(BaseException):
    """A probe's budget is spent; not an Exception, so that ``except Exception`` in the candidate lets it through."""


def freeze(value: Any) -> Any:
    """The digest of ``value``."""
    return _freeze(value, MAX_DEPTH, [0])


def _freeze(value: Any, depth: int, nodes: list[int]) -> Any:
    nodes[0] += 1
    handler = _FREEZERS.get(id(type(value)))
    if handler is None:
        return ("?", _type_name(type(value))[:100])
    return handler(value, depth, nodes)


def _itself(value: Any, depth: int, nodes: list[int]) -> Any:
    return value


def _int(value: int, depth: int, nodes: list[int]) -> Any:
    return value if value.bit_length() <= MAX_BITS else ("int", value.bit_length(), hash(value))


def _float(value: float, depth: int, nodes: list[int]) -> Any:
    return value if value == value else ("nan",)


def _complex(value: complex, depth: int, nodes: list[int]) -> Any:
    return value if value == value else ("nan",)


def _text(value: str | bytes, depth: int, nodes: list[int]) -> Any:
    nodes[0] += min(len(value), MAX_TEXT) >> 2
    return value if len(value) <= MAX_TEXT else ("text", len(value), hash(value))


def _bytearray(value: bytearray, depth: int, nodes: list[int]) -> Any:
    return _text(bytes(value), depth, nodes)


def _sequence(value: Any, depth: int, nodes: list[int]) -> Any:
    if depth == 0:
        return ("[", len(value), "...")
    if len(value) <= MAX_ITEMS:
        return ("[", *[_freeze(item, depth - 1, nodes) for item in value])
    first = [_freeze(value[i], depth - 1, nodes) for i in range(ENDS)]
    last = [_freeze(value[i], depth - 1, nodes) for i in range(-ENDS, 0)]
    return ("[", *first, ("...", len(value)), *last)


def _set(value: Any, depth: int, nodes: list[int]) -> Any:
    if depth == 0 or len(value) > MAX_ITEMS:
        return ("{", len(value), "...")
    return ("{", frozenset([_freeze(item, depth - 1, nodes) for item in value]))


def _mapping(value: Any, depth: int, nodes: list[int]) -> Any:
    if depth == 0:
        return ("{:", len(value), "...")
    pairs = [
        (_freeze(key, depth - 1, nodes), _freeze(item, depth - 1, nodes))
        for key, item in islice(value.items(), MAX_ITEMS)
    ]
    return ("{:", frozenset(pairs), len(value))


def _range(value: range, depth: int, nodes: list[int]) -> Any:
    return ("range", value.start, value.stop, value.step)


_BY_TYPE: Mapping[type, Callable[[Any, int, list[int]], Any]] = {
    type(None): _itself, bool: _itself, int: _int, float: _float, complex: _complex, str: _text, bytes: _text,
    bytearray: _bytearray, list: _sequence, tuple: _sequence, deque: _sequence, set: _set, frozenset: _set,
    dict: _mapping, Counter: _mapping, OrderedDict: _mapping, defaultdict: _mapping, range: _range,
}  # fmt: skip
# By identity: looking a type up by equality would run a hostile metaclass's __eq__ and __hash__.
_FREEZERS = {id(kind): handler for kind, handler in _BY_TYPE.items()}


class Budget(NamedTuple):
    """What one call may spend: probe events, steps, and bytes of digests (counted as 16 a node)."""

    max_events: int
    max_steps: int
    max_bytes: int


class Probes:
    """The two functions that instrumented code calls, and what they saw.

    Once a budget is spent every further probe raises, so that code which swallows the exception gets nowhere.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._nodes = [0]
        self.events: list[Any] = []  # site, digest, site, digest ...
        self.lines: set[int] = set()
        self.steps = 0
        self.spent = False

    def reset(self) -> None:
        """Forget everything, before the next call."""
        self._nodes[0] = 0
        self.events.clear()
        self.lines.clear()
        self.steps = 0
        self.spent = False

    def functions(self) -> dict[str, Callable[..., Any]]:
        """By the names under which the instrumented program knows them."""
        events, lines, nodes = self.events, self.lines, self._nodes
        event_slots, max_steps = 2 * self._budget.max_events, self._budget.max_steps
        max_nodes = self._budget.max_bytes >> 4

        def value(site: int, value: Any) -> Any:
            if len(events) >= event_slots or nodes[0] >= max_nodes or self.spent:
                self.spent = True
                raise BudgetSpent
            events.extend((site, _freeze(value, MAX_DEPTH, nodes)))  # at once: freezing may hit the recursion limit
            return value

        def step(line: int) -> None:
            self.steps += 1
            if self.steps > max_steps or self.spent:
                self.spent = True
                raise BudgetSpent
            lines.add(line)

        return {VALUE: value, STEP: step}
