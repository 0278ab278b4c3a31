"""What a child says about one load or call, read strictly: its frames are hostile bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.link import Ending
from egca_plugin.types import CallResult, CallStatus, RawTrace, TraceEvent

_STATUSES = {status.value: status for status in CallStatus}
_SAYABLE = {"value", "exception", "memory", "refused", "budget", "compile"}  # the others are seen from outside
_SHAPE: tuple[Any, ...] = (str, bytes, bytes, str, str, str, (int, type(None)), int, tuple, tuple)


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


def read(frame: bytes) -> Record:
    """Strict: whatever is not a well-formed record is a refusal, with no value."""
    try:
        return _read(frame)
    except WireError as err:
        return Record(CallResult(CallStatus.REFUSED, error_message=f"malformed record: {err}"))


def _read(frame: bytes) -> Record:
    parts = wire.decode(frame)
    if (
        type(parts) is not tuple
        or len(parts) != len(_SHAPE)
        or not all(isinstance(part, kind) for part, kind in zip(parts, _SHAPE, strict=True))
    ):
        raise WireError(f"got {type(parts).__name__}, expected the {len(_SHAPE)} parts of a record")
    status, value, after, error_type, error_base, message, line, steps, events, lines = parts
    if status not in _SAYABLE:
        raise WireError(f"got status {status[:20]!r}, expected one of {', '.join(sorted(_SAYABLE))}")
    for encoded in (value, after):
        if encoded:
            wire.decode(encoded, build=_opaque)
    if status == "value" and not value:
        raise WireError("got no value with the status 'value'")
    if len(events) % 2 or any(type(site) is not int for site in events[::2]) or any(type(n) is not int for n in lines):
        raise WireError("got events that are not pairs of site and digest, or lines that are not numbers")
    for digest in events[1::2]:
        _hashable(digest)
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
        ),
        events=events,
        lines=frozenset(lines),
        compiled=status != "compile",
    )


def _hashable(digest: Any) -> None:
    try:
        hash(digest)
    except TypeError as err:
        raise WireError(f"got a digest that is not hashable: {err}") from err


def _opaque(name: str, attributes: dict[str, Any]) -> object:
    """Objects within changed arguments are looked at by whoever sent them; here only their form counts."""
    return object()
