"""A patch as a diff: whatever is put together again from it is what was there, and what is there now."""

from __future__ import annotations

import ast

from egca_plugin.program.change import LONGEST, diff

SOURCE = "def f(x):\n    a = 1  # one\n    b = 2\n    c = 3\n    d = (4)\n    return a\n"


def test_what_goes_and_comes_with_a_line_around_it() -> None:
    patched = ast.unparse(ast.parse(SOURCE)).replace("b = 2", "b = 5")
    assert diff(SOURCE, patched).split("\n") == [
        "      a = 1",
        "-     b = 2",
        "+     b = 5",
        "      c = 3",
    ]


def test_changes_far_apart_are_told_apart() -> None:
    patched = ast.unparse(ast.parse(SOURCE)).replace("a = 1", "a = 0").replace("return a", "return d")
    lines = diff(SOURCE, patched).split("\n")
    assert lines.count("...") == 1
    assert [line for line in lines if line[0] in "+-"] == [
        "-     a = 1",
        "+     a = 0",
        "-     return a",
        "+     return d",
    ]


def test_no_change_is_no_text_and_a_huge_one_is_cut() -> None:
    assert diff(SOURCE, ast.unparse(ast.parse(SOURCE))) == ""
    assert len(diff(SOURCE, "\n".join(f"x{n} = {n}" for n in range(2000)))) <= LONGEST + 1
