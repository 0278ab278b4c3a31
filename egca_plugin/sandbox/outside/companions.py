"""What lives and ends with a sandbox without being part of it, such as the process in which its programs are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, cast


class Closable(Protocol):
    def close(self) -> None: ...


_Companion = TypeVar("_Companion", bound=Closable)


class Companions:
    """At most one of each kind."""

    def __init__(self) -> None:
        self._found: dict[Callable[[], Closable], Closable] = {}

    def get(self, kind: Callable[[], _Companion]) -> _Companion:
        """The companion that ``kind()`` makes, made at the first request."""
        if kind not in self._found:
            self._found[kind] = kind()
        return cast(_Companion, self._found[kind])

    def close(self) -> None:
        while self._found:
            self._found.popitem()[1].close()
