"""The process in which a task's checker runs, started anew for each verdict (see :mod:`egca_plugin.judging.checkers`).

Reads marshalled frames from descriptor 0 and answers on descriptor 1. The first holds what the search path is to be and
the checker's source; every other one a question ``(stdin, output, expected)``. An answer is why not, empty for yes.
Standard library only, and little of it: the start is paid for by every verdict.
"""

from __future__ import annotations

import builtins
import marshal
import math
import os
import resource
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

MEMORY_BYTES = 2 << 30  # of address space
CPU_S = 3  # of CPU time for the source, and for each question
_size = struct.Struct("<I")


def main() -> None:
    """Until the other side closes descriptor 0."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)  # what a checker prints is nobody's answer
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # what the module `site` would add
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    path, source = read(questions)
    sys.path[:] = path
    _limit(resource.RLIMIT_CPU, CPU_S)
    check, why = _load(source)
    write(answers, why)
    while (question := read(questions)) is not None:
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + CPU_S)
        write(answers, _refusal(check, *question))


def _limit(kind: int, most: int) -> None:
    """The soft limit; the hard one stays, so that it can be raised again."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _load(source: str) -> tuple[Callable[..., Any], str]:
    namespace: dict[str, Any] = {"__name__": "checker"}
    try:
        exec(compile(source, "<checker>", "exec", dont_inherit=True), namespace)  # noqa: S102 - the task's own
    except BaseException as err:  # noqa: BLE001 - the boundary to a task's code, which may raise anything
        return print, f"fails on its own: {type(err).__name__}: {_text(err)}"
    check = namespace.get("check")
    if not callable(check):
        return print, "got no function 'check', expected check(stdin, output, expected)"
    return check, ""


def _refusal(check: Callable[..., Any], stdin: bytes, output: bytes, expected: bytes) -> str:
    try:
        answer = check(*(text.decode("utf-8", "surrogateescape") for text in (stdin, output, expected)))
    except BaseException as err:  # noqa: BLE001 - as above; over hostile text
        return f"the checker raised {type(err).__name__}: {_text(err)}"
    if answer is True:
        return ""
    return "the checker refuses it" if answer is False else f"the checker gave {type(answer).__name__}, expected a bool"


def _text(err: BaseException) -> str:
    try:
        return str(err)[:200]
    except Exception:  # noqa: BLE001 - its own __str__
        return ""


def write(file: Any, value: Any) -> None:
    """Raises OSError where nobody reads."""
    body = marshal.dumps(value)
    file.write(_size.pack(len(body)) + body)
    file.flush()


def read(file: Any) -> Any:
    """The next frame, None at the end."""
    head = file.read(_size.size)
    if len(head) < _size.size:
        return None
    return marshal.loads(file.read(_size.unpack(head)[0]))
