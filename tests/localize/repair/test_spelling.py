"""A repair is spelled like what it replaces, and stays the same program."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.repair.edits import TRANSPLANT, Edit
from egca_plugin.localize.repair.spelling import as_written, like


def spelled(old: str, new: str) -> str:
    return ast.unparse(like(ast.parse(old, mode="eval").body, ast.parse(new, mode="eval").body))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0 == i % 2", "x % 2 == 0", "0 == x % 2"),
        ("10 < data", "left > 10", "10 < left"),
        ("10 < data", "left >= 10", "10 <= left"),  # the operator is wrong too
        ("a < b", "b < a", "a > b"),  # the operator alone
        ("lambda k: len(r)", "lambda i: len(i)", "lambda k: len(k)"),
        ("lambda k: 0 == i % 2", "lambda x: x % 2 == 0", "lambda k: 0 == k % 2"),
        ("[v for v in xs if 0 < v]", "[n for n in xs if n > 1]", "[v for v in xs if 1 < v]"),
        ("0 == a % 11 or 0 == 13 % a", "a % 11 == 0 or a % 13 == 0", "0 == a % 11 or 0 == a % 13"),
        ("lambda x: x", "lambda k: k + x", "lambda k: k + x"),  # the name is another's there
        ("lambda k: 1", "lambda x: lambda k: x", "lambda x: lambda k: x"),
        ("[v for v in xs]", "[n for n in n]", "[n for n in n]"),  # the second is the variable outside
        ("lambda a, b: a", "lambda x: x", "lambda x: x"),
        ("f(0 == x)", "x == 0", "x == 0"),
    ],
)
def test_only_what_differs_in_meaning_differs_in_text(old: str, new: str, expected: str) -> None:
    assert spelled(old, new) == expected


numbers = st.integers(-2, 2)
sides = st.sampled_from(["x", "y", "0", "1", "x % 2", "x + y"])
comparisons = st.builds("{} {} {}".format, sides, st.sampled_from(["<", ">", "<=", ">=", "==", "!="]), sides)


@given(comparisons, comparisons, numbers, numbers)
def test_a_turned_comparison_says_the_same(old: str, new: str, x: int, y: int) -> None:
    assert eval(spelled(old, new), {"x": x, "y": y}) == eval(new, {"x": x, "y": y})
    assert spelled(old, spelled(old, new)) == spelled(old, new)


names = st.sampled_from(["x", "y", "z"])
mapped = st.builds(
    "[{0} {1} {2} for {0} in (0, {4}, 2) if {3}]".format, names, st.sampled_from(["+", "<"]), names, names, names
)


@given(mapped, mapped, numbers)
def test_a_renamed_comprehension_gives_the_same(old: str, new: str, value: int) -> None:
    space = {"x": value, "y": value + 3, "z": 1 - value}
    assert eval(spelled(old, new), dict(space)) == eval(new, dict(space))


def test_an_edit_that_is_spelled_so_already_is_the_very_same() -> None:
    statement = ast.parse("y = 0 < x").body[0]
    assert isinstance(statement, ast.Assign)
    edit = Edit(TRANSPLANT, statement.value, ast.parse("0 < z", mode="eval").body, statement, "f", 0.5)
    edits = (edit,)
    assert as_written(edits) is edits
