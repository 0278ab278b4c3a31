"""Hostile text is refused before CPython's parser sees it; ordinary text is not."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program.compiling import MAX_DEPTH, compile_error, depth_bound

CHAINS = ["(", "[", "{", "f(", "-", "not ", "lambda: ", "lambda a, b: ", "a.", "1+", "f()[0]", "1 if 1 else ", "f'{-'"]


@pytest.mark.parametrize("unit", [*CHAINS, "elif a: pass\n"])
def test_depth_is_refused(unit: str) -> None:
    source = ("if a: pass\n" if unit.startswith("elif") else "") + unit * 1000
    error = compile_error(source)
    assert error is not None
    assert error.type == "ProgramTooDeep"


@pytest.mark.parametrize(
    "source",
    [
        "x = [" + "1, " * 5000 + "]",
        "x = 1\n" * 3000,
        "def f(): pass\n" * 1000,
        '"""' + "- a. (b) [c] {d} " * 500 + '"""',
        "# " + "(" * 3000,
        "x = 'a.b.c.(((" + "." * 3000 + "'",
        "if a: pass\n" + "elif a: pass\n" * 100,
        "def f():\n if a: pass\n elif b: pass\n" * 200,
        "x = (1 +\n     2)\n" * 200,
    ],
)
def test_size_without_depth_is_welcome(source: str) -> None:
    assert compile_error(source) is None


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("x = 1\ny = = 2\n", 2, 5),
        ("def f():\n    é = (\n", 2, 9),
        ("return 1", 1, 1),
        ("x\ny\0z", 2, 2),
        ("é = '\ud800'", 1, 6),
    ],
)
def test_positions_are_characters(source: str, line: int, column: int) -> None:
    error = compile_error(source)
    assert error is not None
    assert (error.line, error.column) == (line, column)


def test_warnings_stay_the_candidates_matter(recwarn: pytest.WarningsRecorder) -> None:
    assert compile_error("x = '\\d'\nassert (1, 'always true')\n") is None
    assert not recwarn.list


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "1", "'s'", "f''", "1.0"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "**", "//", "<", " and ", " in "]), inner).map("".join),
        inner.map("({})".format),
        inner.map("[{}, 1]".format),
        inner.map("f({})".format),
        inner.map("({}).b".format),
        inner.map("not {}".format),
        inner.map("-({})".format),
        inner.map("(lambda x, y: {})".format),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} if {two[1]} else 0)"),
    ),
    max_leaves=30,
)


@given(EXPRESSIONS)
def test_the_bound_bounds_the_tree(expression: str) -> None:
    """Every level of the tree of expressions is paid for by at least one counted token."""

    def depth(node: ast.AST) -> int:
        below = [depth(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return 1 + max(below, default=0)

    try:
        tree = ast.parse(expression)
    except SyntaxError:
        return  # `a and not b` under an operator that binds tighter
    assert depth(tree.body[0]) - 2 <= 2 * depth_bound(expression) + 2
    assert depth_bound(expression) <= MAX_DEPTH + 1
