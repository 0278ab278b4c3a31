"""``T_err`` of a program that does not compile: the line that the compiler points at (METHOD.md, step 4)."""

from __future__ import annotations

from egca_plugin.types import Program, Span


def compile_error_span(program: Program) -> Span | None:
    """Characters of the program's line where compilation stopped, without indentation; None where it points nowhere.

    CPython points behind the text when it ends too early (an open bracket, a header without a body): the last line that
    holds any code is then the one to blame.
    """
    if program.error is None or program.error.line is None:
        return None
    lines = program.source.split("\n")
    at = min(max(program.error.line, 1), len(lines)) - 1
    while at > 0 and not lines[at].strip():
        at -= 1
    text = lines[at]
    start = sum(len(line) + 1 for line in lines[:at]) + len(text) - len(text.lstrip())
    end = start + len(text.strip())
    return Span(start, end) if end > start else None
