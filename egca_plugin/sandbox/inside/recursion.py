"""The recursion limit without our own frames: how deep a program may go hangs on none of them.

The interpreter's limit is the program's and, beneath it, the frames through which it was called. The program sees and
sets its own part. Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

LIMIT = 1000  # as Python starts with
_MOST = (1 << 31) - 1
_read, _set = sys.getrecursionlimit, sys.setrecursionlimit
_beneath = 0


def install() -> None:
    """Before any candidate exists."""
    vars(sys).update(getrecursionlimit=getrecursionlimit, setrecursionlimit=setrecursionlimit)


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
