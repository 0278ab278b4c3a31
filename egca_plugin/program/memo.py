"""Caches that are bounded by what they hold, not by how often they were asked.

Completions are as long as a hostile policy makes them: a thousand entries of the longest would be gigabytes. Keys are
digests, so that a cache does not keep the texts that it was asked about.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
_ENTRY = 500  # what any entry weighs at least


class Memo(Generic[_Value]):
    """Values by texts, least recently used out once all together weigh more than ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._known: OrderedDict[bytes, tuple[int, _Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, texts: tuple[str, ...], make: Callable[[], _Value], weight: int | None = None) -> _Value:
        """The value of these texts, made if need be; it weighs as much as they have characters, or ``weight``."""
        key = digest(*texts)
        found = self._known.get(key)
        if found is None:
            value = make()
            own = _ENTRY + (sum(map(len, texts)) if weight is None else weight)
            found = self._known[key] = (own, value)
            self._weight += own
            while self._weight > self._most and len(self._known) > 1:
                self._weight -= self._known.popitem(last=False)[1][0]
        self._known.move_to_end(key)
        return found[1]


def digest(*texts: str) -> bytes:
    """One for all of them, whatever characters they hold."""
    whole = sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.digest()


def remembered(most: int) -> Callable[[Callable[[str, str], _Value]], Callable[[str, str], _Value]]:
    """For a function of a source and a name: ``most`` characters of sources are remembered."""

    def decorate(function: Callable[[str, str], _Value]) -> Callable[[str, str], _Value]:
        memo: Memo[_Value] = Memo(most)

        @wraps(function)
        def remembering(source: str, name: str) -> _Value:
            return memo.get((source, name), lambda: function(source, name))

        return remembering

    return decorate
