"""An iterator or coroutine that runs on in the candidate's process, as far as the tests ask."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.types import Call, CallResult

ONE_BY_ONE = 32  # items; after them more are fetched ahead: nobody takes so many and means to stop before the next
AHEAD = 256  # at most
MAX_REMEMBERED = 10_000  # items that a settled call keeps


Draw = Callable[[int, wire.Nodes], Any]  # asks the candidate's process for so many items


class Opened:
    """The items that have come, and those that were asked for."""

    def __init__(self, draw: Draw, nodes: wire.Nodes) -> None:
        self._draw, self._nodes = draw, nodes
        self._items: deque[Any] = deque()
        self._taken: list[Any] = []
        self._received = self._asked = 0
        self._done, self._returned = False, None
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        """Raises StopIteration with what a generator returned, and whatever it raises."""
        self._asked += 1
        if not self._items and not self._done:
            self._fetch()
        if not self._items:
            raise StopIteration(self._returned)
        item = self._items.popleft()
        if len(self._taken) < MAX_REMEMBERED:
            self._taken.append(item)
        return item

    def finish(self) -> Any:
        """What a coroutine returns."""
        if not self._done:
            self._fetch()
        return self._returned

    def _fetch(self) -> None:
        ahead = 1 if self._received < ONE_BY_ONE else min(AHEAD, self._received)
        try:
            told = self._draw(ahead, self._nodes)
        except BaseException as err:  # whatever the program raises is kept for the verdict; raised again
            self._error = err
            raise
        match told:
            case (tuple() as items, bool() as done, returned):
                self._items.extend(items)
                self._received += len(items)
                self._done, self._returned = done or not items, returned
            case _:
                raise wire.Refusal("the program's answer: no items of the iterator")

    def settled(
        self, call: Call, result: CallResult, failures: Mapping[int, tuple[BaseException, CallResult]]
    ) -> tuple[Call, CallResult]:
        """The call that takes as many items, and what that gives."""
        take = min(self._asked, MAX_REMEMBERED)
        made = Call(call.function, call.arguments, take, seeds=call.seeds)
        if self._error is not None:
            failed = failures.get(id(self._error), (self._error, result))[1]
            return made, replace(failed, value=b"")
        more = len(self._taken) == take
        value = wire.Drained(self._taken, more) if self._asked or not self._done else self._returned
        try:
            return made, replace(result, value=wire.encode(value, objects=True))
        except WireError:  # the tests have put something of their own into an item
            return made, replace(result, value=wire.encode(None))


def relay(opened: Opened, kind: str) -> Any:
    """A generator, coroutine or iterator of the kind that the candidate returned."""
    if kind == "generator":
        return _generator(opened)
    if kind == "coroutine":
        return _coroutine(opened)
    if kind == "map":
        return map(_same, opened)
    if kind == "filter":
        return filter(_true, opened)
    return opened


def _generator(opened: Opened) -> Generator[Any, None, Any]:
    while True:
        try:
            item = next(opened)
        except StopIteration as end:
            return end.value
        sent = yield item
        if sent is not None:
            raise wire.Refusal("send() of a generator of the program's: only its items cross")


async def _coroutine(opened: Opened) -> Any:
    return opened.finish()


def _same(item: Any) -> Any:
    return item


def _true(item: Any) -> bool:
    return True
