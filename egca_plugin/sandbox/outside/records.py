"""What a child says about one load or call, read strictly: its frames are hostile bytes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.link import Ending
from egca_plugin.sandbox.wire.rich import MAX_COLLIDING
from egca_plugin.types import CallResult, CallStatus, RawTrace, TraceEvent

_STATUSES = {status.value: status for status in CallStatus}
_SAYABLE = {"value", "exception", "memory", "refused", "budget", "compile"}  # the others are seen from outside
_SHAPE: tuple[Any, ...] = (
    *(str, bytes, bytes, str, str, str, (int, type(None)), int, tuple, tuple),
    *(str, str, tuple, int),  # what was heard: standard output and error, notes, the time
)
_UNHEARD = ("", "", (), 0)
_NOTE = (str, str, str, str, int)
_EMPTY: tuple[Any, ...] = ("", "", "", None, 0, (), ())  # the end of nearly every record: no error, and no probes
_HEADER = len(wire.encode(()))
_LONG, _SHORT = (wire.encode(("",) * count)[:_HEADER] for count in (10, 3))
_TAIL = wire.encode(_EMPTY)[_HEADER:]
MAX_LINE = 1 << 24  # more than any source has, and small enough that no two hash alike
MAX_STEPS = 1 << 62
MAX_LEVEL = 1 << 20  # of a log record
MAX_NAME = 200  # characters of a logger's name, each part of which is a logger on the trusted side
MAX_CLOCK = 253_000_000_000 * 1_000_000_000  # nanoseconds: the year 9987
MAX_VALUE = wire.MAX_BYTES + (64 << 10)  # bytes, with what is told of its classes


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of what one call's probes may record and count."""

    max_events: int
    max_steps: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Record:
    """``compiled`` is False only for the load of a program that does not compile."""

    result: CallResult
    events: tuple[Any, ...] = ()  # site, digest, site, digest ...
    lines: frozenset[int] = frozenset()
    compiled: bool = True

    @classmethod
    def failed_to_compile(cls, error_type: str, message: str) -> Record:
        return cls(CallResult(CallStatus.EXCEPTION, error_type=error_type, error_message=message), compiled=False)

    @classmethod
    def ended(cls, ending: Ending) -> Record:
        return cls(CallResult(ending.status, error_message=ending.message))

    def trace(self) -> RawTrace:
        pairs = zip(self.events[::2], self.events[1::2], strict=True)
        events = tuple(TraceEvent(site, value, index) for index, (site, value) in enumerate(pairs))
        return RawTrace(events, self.result, self.lines)


def read(frame: bytes, *, max_events: int | None = None) -> Record:
    """Strict: whatever is not a well-formed record is a refusal, with no value. ``max_events``: the probes' budget."""
    try:
        record = _read(frame)
        if max_events is not None and len(record.events) > 2 * max_events:
            raise WireError(f"got {len(record.events) // 2:,} events, expected at most {max_events:,}")
        return record
    except WireError as err:
        return Record(CallResult(CallStatus.REFUSED, error_message=f"malformed record: {err}"))


def _read(frame: bytes) -> Record:
    parts = _parts(frame)
    if type(parts) is tuple and len(parts) == len(_SHAPE) - len(_UNHEARD):
        parts = (*parts, *_UNHEARD)
    if (
        type(parts) is not tuple
        or len(parts) != len(_SHAPE)
        or not all(isinstance(part, kind) for part, kind in zip(parts, _SHAPE, strict=True))
    ):
        raise WireError(f"got {type(parts).__name__}, expected the {len(_SHAPE) - len(_UNHEARD)} parts of a record")
    status, value, after, error_type, error_base, message, line, steps, events, lines, *heard = parts
    printed, complaints, notes, clock = heard
    if status not in _SAYABLE:
        raise WireError(f"got status {status[:20]!r}, expected one of {', '.join(sorted(_SAYABLE))}")
    if max(len(value), len(after)) > MAX_VALUE:  # what they spell is for those to find out who look at them, once
        raise WireError(f"got a value of {max(len(value), len(after)):,} bytes, expected at most {MAX_VALUE:,}")
    _check_heard(printed, complaints, notes)
    if not 0 <= clock <= MAX_CLOCK:
        raise WireError("got a time that no calendar has")
    if status == "value" and not value:
        raise WireError("got no value with the status 'value'")
    numbers = (*events[::2], *lines, *(() if line is None else (line,)))
    if len(events) % 2 or not all(type(number) is int and 0 <= number <= MAX_LINE for number in numbers):
        raise WireError("got events that are not pairs of site and digest, or lines that no program has")
    if not 0 <= steps <= MAX_STEPS:
        raise WireError("got a number of steps that no program takes")
    _check_digests(events[1::2])
    return Record(
        CallResult(
            status=_STATUSES.get(status, CallStatus.EXCEPTION),
            value=value,
            arguments_after=after,
            error_type=error_type[:100],
            error_base=error_base[:100],
            error_message=message[:300],
            line=line,
            steps=steps,
            printed=printed,
            complaints=complaints,
            notes=notes,
            clock=clock,
        ),
        events=events,
        lines=frozenset(lines),
        compiled=status != "compile",
    )


def _check_heard(printed: str, complaints: str, notes: tuple[Any, ...]) -> None:
    if len(notes) > wire.MAX_NOTES:
        raise WireError(f"got {len(notes):,} notes, expected at most {wire.MAX_NOTES:,}")
    for note in notes:
        if type(note) is not tuple or list(map(type, note)) != list(_NOTE) or not 0 <= note[4] <= MAX_LEVEL:
            raise WireError("got a note that is neither a warning nor a log record")
        if len(note[1]) > MAX_NAME:
            raise WireError(f"got the name of a logger of {len(note[1]):,} characters, expected at most {MAX_NAME}")
    said = len(printed) + len(complaints) + sum(len(part) for note in notes for part in note[:4])
    if said > wire.MAX_PRINTED:
        raise WireError(f"got {said:,} printed characters, expected at most {wire.MAX_PRINTED:,}")


def _parts(frame: bytes) -> Any:
    """What the frame spells. Seven of a record's ten parts are mostly empty, and known by how they are spelled."""
    if frame.startswith(_LONG) and frame.endswith(_TAIL):
        try:
            return (*wire.decode(_SHORT + frame[_HEADER : -len(_TAIL)]), *_EMPTY)
        except WireError:
            pass  # it only ends like that
    return wire.decode(frame)


def _check_digests(digests: tuple[Any, ...]) -> None:
    """They will be keys on the trusted side: hashable, and not made to collide there."""
    by_hash: defaultdict[int, list[Any]] = defaultdict(list)
    for digest in digests:
        try:
            alike = by_hash[hash(digest)]
        except TypeError as err:
            raise WireError(f"got a digest that is not hashable: {err}") from err
        if digest not in alike:
            alike.append(digest)
        if len(alike) > MAX_COLLIDING:
            raise WireError(f"more than {MAX_COLLIDING} digests with the same hash")
