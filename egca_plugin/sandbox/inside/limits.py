"""The limits that a program sets for itself, and how they lie within ours.

The interpreter's limit of recursion is the program's and, beneath it, the frames through which it was called: how deep
a program may go hangs on none of ours. The kernel's limits are for the sandbox alone to set.

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

import operator
import resource
import sys
from collections.abc import Sequence
from typing import Any

LIMIT = 1000  # as Python starts with
_MOST = (1 << 31) - 1
_INFINITY = (1 << 64) - 1
_FORBIDDEN = "not allowed to raise maximum limit"  # as it says where the kernel says EPERM
_read, _set, _set_of_kernel = sys.getrecursionlimit, sys.setrecursionlimit, resource.setrlimit
_beneath = 0


def install() -> None:
    """Before any candidate exists."""
    vars(sys).update(getrecursionlimit=getrecursionlimit, setrecursionlimit=setrecursionlimit)
    resource.setrlimit = setrlimit


def restore() -> None:
    """The limit with which a program starts."""
    _set(LIMIT + _beneath)


def begin(*, own: int = 0) -> None:
    """What is called from here is the program, but for ``own`` frames of the caller's."""
    global _beneath
    depth, frame = -own, sys._getframe().f_back
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    if depth != _beneath:
        limit, _beneath = getrecursionlimit(), depth
        setrecursionlimit(limit)


def getrecursionlimit() -> int:
    """As that of ``sys``."""
    limit = _read()
    return limit if limit == _MOST else limit - _beneath


def setrecursionlimit(limit: Any, /) -> None:
    """As that of ``sys``."""
    limit = operator.index(limit)
    _set(min(limit + _beneath, _MOST) if 0 < limit <= _MOST else limit)


def setrlimit(kind: int, limits: Sequence[int], /) -> None:
    """As that of ``resource``, and nothing changes: the sandbox's filter forbids any change, and the limits stay ours.

    Programs ask for more stack; they have all that there is.
    """
    try:
        _set_of_kernel(kind, tuple(limits))  # type: ignore[arg-type]  # raises for what are no limits
    except ValueError as err:
        if str(err) != _FORBIDDEN:
            raise
        soft, hard = (operator.index(limit) & _INFINITY for limit in limits)
        if soft > hard:
            raise ValueError("current limit exceeds maximum limit") from None
