"""The first test that failed, in words: for whoever reads a verdict, and for nothing that decides one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from reprlib import Repr
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import READ, SET
from egca_plugin.sandbox.wire.rich import Drained
from egca_plugin.sandbox.wire.standins import MODULE
from egca_plugin.types import Call, CallResult, CallStatus, FailedTest

MAX_SHOWN = 2000  # characters of each text
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # another in every process


class _Repr(Repr):
    def repr_Drained(self, drained: Drained, level: int) -> str:  # the name is reprlib's rule
        """What an iterator gave, as far as it was asked."""
        items = [self.repr1(item, level - 1) for item in drained.items[: self.maxlist]]
        return f"iter([{', '.join(items + ['...'] * (drained.more or len(items) < len(drained.items)))}])"

    def repr_instance(self, value: Any, level: int) -> str:  # as above
        """Of an object of the program's its class."""
        kind = type(value)
        return f"<{kind.__name__}>" if kind.__module__ == MODULE else super().repr_instance(value, level)


_repr = _Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 400
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = _repr.maxdeque = 40


def failed_test(test: int, calls: Sequence[tuple[Call, CallResult]], expected: str = "", said: str = "") -> FailedTest:
    """``calls``: those of the failed test; the last one is told. ``expected``: where the tests are data.

    ``said``: what the test itself raised, told unless the program has.
    """
    said = _exception(said)
    if not calls:
        return FailedTest(test, expected=_bounded(expected), exception=said)
    call, result = calls[-1]
    raised = result.status is not CallStatus.VALUE
    return FailedTest(
        test,
        call=_bounded(_call(call)),
        expected=_bounded(expected),
        got="" if raised else _bounded(_value(result.value)),
        exception=_exception(f"{result.error_type or result.status.value}: {result.error_message}") if raised else said,
    )


def _exception(said: str) -> str:
    return _bounded(_ADDRESS.sub(" at 0x...", said))


def _call(call: Call) -> str:
    name = call.function
    try:
        args, kwargs = wire.decode(call.arguments, classes={})
    except WireError:  # functions
        return f"{name}(...)"
    if name.startswith("."):  # of the first argument
        name, args = f"{type(args[0]).__name__}{name}", args[1:]
    if name.endswith(READ):
        return name[:-1]
    given = [_shown(one) for one in args] + [f"{name}={_shown(one)}" for name, one in kwargs.items()]
    return f"{name[:-1]} = {given[0]}" if name.endswith(SET) else f"{name}({', '.join(given)})"


def _value(value: bytes) -> str:
    try:
        return _shown(wire.decode(value, classes={}))
    except WireError:  # functions
        return "..."


def _shown(value: Any) -> str:
    try:
        return _repr.repr(value)
    except (Exception, wire.Refusal):  # noqa: BLE001 - the boundary to a value that is named like what it is not
        return "..."


def _bounded(text: str) -> str:
    """Its beginning, as text that any file can hold."""
    return text[:MAX_SHOWN].encode("utf-8", "replace").decode()
