from __future__ import annotations

import pytest

from egca_plugin.credit.syntax import compile_error_span
from egca_plugin.types import Program, SourceError


def blamed(source: str, line: int | None) -> str | None:
    span = compile_error_span(Program(source, (), SourceError("SyntaxError", "invalid syntax", line)))
    return None if span is None else source[span.start : span.end]


@pytest.mark.parametrize(
    ("source", "line", "expected"),
    [
        ("def f(x):\n    return x +\n", 2, "return x +"),
        ("def f(x):\n\n\n", 4, "def f(x):"),
        ("def f(x:\n", 99, "def f(x:"),
        ("", 1, None),
        ("x", None, None),
    ],
)
def test_the_line_at_which_compilation_stopped(source: str, line: int | None, expected: str | None) -> None:
    assert blamed(source, line) == expected


def test_a_program_that_compiles_has_no_error_tokens() -> None:
    assert compile_error_span(Program("x = 1", ())) is None
