"""Is what a program wrote what was expected? Trusted code over hostile bytes: linear time, no surprises.

    tokens   the same words between blanks and line ends, in order (the default for standard input)
    lines    the same lines, without blanks at their ends and without empty lines at the end of all
    exact    the same characters

Values that calls return are compared in :mod:`egca_plugin.judging.forms.cases`.

``1`` and ``1.0`` are two tokens. With a tolerance, two tokens that both spell a finite decimal number may differ by it;
two integers by ``abs`` alone, in exact arithmetic, since nothing rounds them. NaN is close to nothing.
"""

from __future__ import annotations

import math
import re

from egca_plugin.errors import TaskError
from egca_plugin.types import Compare

TOKENS, LINES, EXACT, VALUE = "tokens", "lines", "exact", "value"
FOR_TEXT, FOR_VALUES = (TOKENS, LINES, EXACT), (VALUE,)
MAX_SHOWN = 60  # characters of a token or line in a message
_MAX_NUMBER = 400  # characters: a longer number is compared as text, so that nobody pays for reading it
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?")
_INTEGER = re.compile(rb"[+-]?\d+")


def check(how: Compare, modes: tuple[str, ...], where: str) -> None:
    """Raises TaskError for a mode that is none of ``modes``, and for tolerances that are no distances."""
    if how.mode not in ("", *modes):
        raise TaskError(f"{where}, field compare.mode: got {how.mode!r}, expected {' or '.join(modes)}")
    for name, tolerance in (("abs", how.abs), ("rel", how.rel)):
        if not (math.isfinite(tolerance) and tolerance >= 0):
            raise TaskError(f"{where}, field compare.{name}: got {tolerance!r}, expected a number of at least 0")


def difference(got: bytes, expected: str, how: Compare) -> str:
    """The first difference in words, empty where ``got`` is accepted; ``how`` has passed :func:`check`."""
    wanted = expected.encode("utf-8", "surrogateescape")
    if got == wanted:
        return ""
    if not how.case:
        got, wanted = _lower(got), _lower(wanted)
    mode = how.mode or TOKENS
    if mode == TOKENS:
        return _first("token", got.split(), wanted.split(), how)
    if mode == LINES:
        return _first("line", _lines(got), _lines(wanted), how)
    return _characters(got, wanted)


def _lower(text: bytes) -> bytes:
    return text.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")


def _lines(text: bytes) -> list[bytes]:
    """Without carriage returns and blanks at their ends, and without empty lines at the end of all."""
    lines = [line.rstrip() for line in text.split(b"\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _first(what: str, got: list[bytes], wanted: list[bytes], how: Compare) -> str:
    if got == wanted:
        return ""
    tolerant = bool(how.abs or how.rel)
    for number, (one, other) in enumerate(zip(got, wanted, strict=False), start=1):
        if one != other and not (
            tolerant and (_close(one, other, how) if what == "token" else _alike(one, other, how))
        ):
            return f"{what} {number}: got {_shown(one)}, expected {_shown(other)}"
    if len(got) == len(wanted):
        return ""
    return f"got {len(got):,} {what}{'s' * (len(got) != 1)}, expected {len(wanted):,}"


def _alike(one: bytes, other: bytes, how: Compare) -> bool:
    """Two lines whose words are equal or close."""
    return not _first("token", one.split(), other.split(), how)


def _close(one: bytes, other: bytes, how: Compare) -> bool:
    if len(one) > _MAX_NUMBER or len(other) > _MAX_NUMBER:
        return False
    if not _NUMBER.fullmatch(one) or not _NUMBER.fullmatch(other):
        return False
    if _INTEGER.fullmatch(one) and _INTEGER.fullmatch(other):
        return abs(int(one) - int(other)) <= how.abs
    return _near(float(one), float(other), how)


def _near(one: float, other: float, how: Compare) -> bool:
    if not math.isfinite(one) or not math.isfinite(other):
        return False
    return math.isclose(one, other, rel_tol=how.rel, abs_tol=how.abs)


def _characters(got: bytes, wanted: bytes) -> str:
    if got == wanted:
        return ""
    limit = min(len(got), len(wanted))
    low, high = 0, limit  # the length of the common beginning, by halves
    while low < high:
        middle = (low + high + 1) // 2
        if got[low:middle] == wanted[low:middle]:
            low = middle
        else:
            high = middle - 1
    line = got.count(b"\n", 0, low) + 1
    return f"line {line}: got {_shown(got[low:])}, expected {_shown(wanted[low:])}"


def _shown(text: bytes) -> str:
    words = text[: MAX_SHOWN * 4].decode("utf-8", "replace")
    return repr(words[:MAX_SHOWN]) + ("..." if len(words) > MAX_SHOWN or len(text) > MAX_SHOWN * 4 else "")
