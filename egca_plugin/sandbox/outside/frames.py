"""The commands to a child as bytes, and its answers as records (see :mod:`egca_plugin.sandbox.inside.child`)."""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from types import CodeType

from egca_plugin.sandbox.outside.link import Child, Ending
from egca_plugin.sandbox.outside.records import Budget, Record, read
from egca_plugin.types import Call, CallStatus


def load(program: str | CodeType, seed: int, budget: Budget | None) -> bytes:
    limits = None if budget is None else (budget.max_events, budget.max_steps, budget.max_bytes)
    return marshal.dumps(("load", _body(program), limits, seed))


def limit(cpu_s: float) -> bytes:
    """From here on; no record answers it. A program that lifts it meets the deadline on this side."""
    return marshal.dumps(("limit", cpu_s))


def script(program: str | CodeType, seed: int, budget: Budget | None) -> bytes:
    limits = None if budget is None else (budget.max_events, budget.max_steps, budget.max_bytes)
    return marshal.dumps(("script", _body(program), limits, seed))


def compile_only(program: str | CodeType) -> bytes:
    return marshal.dumps(("compile", _body(program)))


def call(one: Call) -> bytes:
    return marshal.dumps(("call", one.function, one.arguments, one.take, one.clock, one.seeds))


def answer(child: Child, deadline: float, budget: Budget | None) -> Record:
    """The next record, or how the child ended; ``deadline`` in :func:`time.monotonic` seconds. Raises ZygoteLost."""
    frame = child.receive(deadline)
    if isinstance(frame, Ending):
        return Record.ended(frame)
    return read(frame, max_events=0 if budget is None else budget.max_events)


def unless_loaded(loaded: Record, record: Record) -> Record:
    """A program that cannot be loaded gives every call that failure."""
    return record if is_loaded(loaded) else loaded


def is_loaded(loaded: Record) -> bool:
    return loaded.result.status is CallStatus.VALUE


def starts_threads(program: str | CodeType) -> bool:
    """Whether it may want to: a child that is lent threads takes a little longer."""
    return mentions(program, ("thread", "Thread", "concurrent", "executor"))


def mentions(program: str | CodeType, words: Iterable[str]) -> bool:
    """Whether any of ``words`` stands anywhere in the program."""
    if isinstance(program, str):
        return any(word in program for word in words)
    words = tuple(words)
    body = marshal.dumps(program) if words else b""
    return any(word.encode() in body for word in words)


def _body(program: str | CodeType) -> str | bytes:
    return program if isinstance(program, str) else marshal.dumps(program)
