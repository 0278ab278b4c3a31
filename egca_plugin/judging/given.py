"""The functions that tests have given to the program of one trial: which is which, and whether each is still the same.

The program has a copy of each, with what it closed over when it was given. What it gives back of them is the tests' own
again. Where the tests have changed since what a function uses, in a way that the copy does not know, nobody knows what
the program's next answer would be beside them, and it is refused.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.functions import CONTAINERS, EMPTY, PLAIN, contents, told
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.wire.functions import FIRST, Code


class _One:
    """One function: its number, what it uses, and what the call gave in which it was an argument last."""

    __slots__ = ("function", "holds", "lives", "number", "result")

    def __init__(self, function: Any, number: int) -> None:
        self.function, self.number = weakref.ref(function), number
        self.lives: Any = None  # the function, where the program may call it when the tests have forgotten it
        self.holds: list[tuple[Any, Any]] = []  # each name's content, and of a container what is in it
        self.result: Any = EMPTY


class Given:
    """``shared``: whether both sides know each other's lists from call to call. ``objects``: whether the program has
    objects that may hold what they were given."""

    def __init__(self, *, shared: bool, objects: bool) -> None:
        self._shared, self._objects = shared, objects
        self._known: dict[int, _One] = {}  # by the function's id
        self._numbered: list[_One] = []
        self._passed: list[_One] = []  # in the call that is being made

    def told(self, function: Any) -> Code:
        """It becomes an argument. Raises WireError where it cannot."""
        code = told(function, shared=self._shared)
        if type(function) is not FunctionType or not code.code:
            return code
        one = self._known.get(id(function))
        if one is None or one.function() is not function:
            one = self._known[id(function)] = _One(function, len(self._numbered))
            self._numbered.append(one)
        one.holds, one.result = list(_holds(function)), EMPTY
        self._passed.append(one)
        return code.numbered(one.number)

    def begin(self) -> None:
        """The next call's arguments are about to be told."""
        self._passed = []

    def check(self) -> None:
        """They have been told. Raises Refusal where another function is no longer what the program knows."""
        for one, function in self._alive():
            if one not in self._passed and not _same(one, list(_holds(function))):
                raise wire.Refusal(f"the program was given {function.__name__!r}, and what that uses has changed since")

    def end(self, value: Any) -> None:
        """The call has given ``value``, and changed what it has."""
        for one in self._passed:
            one.result = value
            if self._objects or callable(value):
                one.lives = one.function()
        self._known = {key: one for key, one in self._known.items() if one.function() is not None}
        self.refresh()

    def refresh(self) -> None:
        """What the program's copies hold is what the tests' functions hold."""
        for one in self._known.values():
            one.holds = [(content, _items(content)) for content, _ in one.holds]

    def back(self, number: int) -> Any:
        """The function that the program gives back. Raises WireError for one that it was not given."""
        at = FIRST - number
        function = self._numbered[at].function() if 0 <= at < len(self._numbered) else None
        if function is None:
            raise WireError("a function of the tests that is no more, or was not given")
        return function

    def _alive(self) -> Iterator[tuple[_One, Any]]:
        found = ((one, one.function()) for one in self._known.values())
        return ((one, function) for one, function in found if function is not None)


def _holds(function: Any) -> Iterator[tuple[Any, Any]]:
    return ((content, _items(content)) for content in contents(function))


def _items(content: Any) -> Any:
    """What is in a container of the tests', by which they are."""
    if type(content) not in CONTAINERS:
        return None
    return [id(part) for pair in content.items() for part in pair] if isinstance(content, dict) else [*map(id, content)]


def _same(one: _One, now: list[tuple[Any, Any]]) -> bool:
    for (content, items), (current, its_items) in zip(one.holds, now, strict=True):
        plain = type(content) is type(current) and type(content) in PLAIN and content == current
        bound = content is EMPTY and current is one.result
        if not (content is current or plain or bound) or items != its_items:
            return False
    return True
