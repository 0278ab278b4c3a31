"""The candidate's function as the tests see it: every call goes to the candidate's process and comes back as values."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable
from typing import Any

from egca_plugin.sandbox import wire
from egca_plugin.types import Call, CallResult, CallStatus


class CandidateError(Exception):
    """The candidate raised something for which there is no builtin Exception."""


class CallFailed(BaseException):
    """A call gave neither a value nor an exception: out of time, dead, refused. No test means to catch that."""


def exception(result: CallResult) -> BaseException:
    """What a test sees raised: the candidate's exception as its nearest builtin class, which tests may catch.

    But for StopIteration, which would end a test's ``all(map(candidate, inputs))`` as if there were no more inputs.
    """
    if result.status not in (CallStatus.EXCEPTION, CallStatus.MEMORY):
        return CallFailed(f"{result.status.value}: {result.error_message}")
    kind = vars(builtins).get(result.error_base)
    if isinstance(kind, type) and issubclass(kind, Exception) and kind is not StopIteration:
        try:
            return kind(result.error_message)
        except TypeError:  # UnicodeDecodeError and its like want more arguments
            pass
    return CandidateError(f"{result.error_type}: {result.error_message}")


class Remote:
    """Callable like the candidate's function. ``send`` makes the call; the tests' own arguments change in place."""

    __slots__ = ("_function", "_send")

    def __init__(self, function: str, send: Callable[[Call], CallResult]) -> None:
        self._function, self._send = function, send

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Raises WireError for arguments that cannot cross, and whatever ``send`` raises for a call without a value."""
        result = self._send(Call(self._function, wire.encode((args, kwargs), objects=True)))
        if result.arguments_after:
            _carry_back((args, kwargs), wire.decode(result.arguments_after, build=_Attributes))
        return wire.decode(result.value)


class _Attributes:
    """An object of the tests' own class, as the candidate left it."""

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self.attributes = attributes


def _carry_back(old: Any, new: Any) -> None:
    """Make ``old`` equal to ``new`` by changing it in place, as deep as both have the same shape."""
    if isinstance(new, _Attributes):
        _carry_back(vars(old), new.attributes)
    elif type(old) is not type(new):
        return
    elif isinstance(new, (list, deque)):
        merged = [_merged(before, after) for before, after in zip(old, new, strict=False)]
        merged += list(new)[len(merged) :]
        old.clear()
        old.extend(merged)
    elif isinstance(new, dict):
        merged_items = {key: _merged(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        dict.update(old, merged_items)
    elif isinstance(new, set):
        old.clear()
        old.update(new)
    elif isinstance(new, bytearray):
        old[:] = new
    elif isinstance(new, tuple):
        for before, after in zip(old, new, strict=False):
            _carry_back(before, after)


def _merged(before: Any, after: Any) -> Any:
    """``before`` itself where it can become ``after`` in place, since the tests may hold on to it."""
    if isinstance(after, _Attributes):
        _carry_back(before, after)
        return before
    if type(before) is type(after) and isinstance(after, (list, deque, dict, set, bytearray)):
        _carry_back(before, after)
        return before
    return after
