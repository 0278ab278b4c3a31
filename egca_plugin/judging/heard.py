"""What a program said beside an answer, said again where its tests can hear it.

Printed text goes to the tests' own streams, a warning to their filters, a log record to the logger of its name.
"""

from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from typing import Any

from egca_plugin.types import CallResult

# Words of tests that look at what is printed, and of those that hear of warnings and log records too.
_PRINTED = ("stdout", "stderr", "capsys", "capfd")
_NOTED = ("warns", "assertWarns", "catch_warnings", "assertLogs", "assertNoLogs")
_PROGRAM = "program"  # the module that a program is in its own process
_print, _where = print, "<program>"  # what tests patch is not this one


def listens(written: str) -> bool:
    """May tests that are ``written`` so hear what a program says?"""
    return any(word in written for word in _PRINTED) or hears_notes(written)


def hears_notes(written: str) -> bool:
    """May they hear of warnings and log records?"""
    return any(word in written for word in _NOTED)


def say_again(result: CallResult, known: Mapping[str, Any], module: str, *, noted: bool) -> None:
    """``known``: the tests' names, in which a category of the program's own may be. ``module``: what the tests import
    the program as; loggers are named for it. ``noted``: notes too."""
    if result.printed:
        _print(result.printed, end="")
    if result.complaints:
        _print(result.complaints, end="", file=sys.stderr)
    if noted and result.notes:
        _note_again(result, known, module)


def _note_again(result: CallResult, known: Mapping[str, Any], module: str) -> None:
    import logging  # for the few samples that need them
    import warnings

    with redirect_stderr(io.StringIO()):  # what nobody hears is not printed either, as under pytest
        for kind, name, base, text, level in result.notes:
            if kind == "warning":
                warnings.warn_explicit(text, _category(name, base, known), _where, 1)
                continue
            logger = logging.getLogger(module if name == _PROGRAM and module else name)
            if logger.isEnabledFor(level):
                logger.handle(logger.makeRecord(logger.name, level, _where, 1, text, (), None))


def _category(name: str, base: str, known: Mapping[str, Any]) -> type[Warning]:
    """The class that the tests know by that name, else the nearest builtin."""
    for found in (known.get(name), vars(builtins).get(base)):
        if isinstance(found, type) and issubclass(found, Warning):
            return found
    return UserWarning
