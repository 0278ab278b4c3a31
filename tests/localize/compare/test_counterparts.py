"""What stands in the same place of two aligned statements."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from egca_plugin.localize.compare.alignment import Alignment, Pair
from egca_plugin.localize.compare.counterparts import by_use, counterparts
from egca_plugin.localize.compare.order import Order
from egca_plugin.localize.compare.units import Unit

SAME = {name: name for name in "abxys"}


def pair(mine: str, theirs: str) -> Pair:
    return Pair(*(_unit(ast.parse(text).body[0]) for text in (mine, theirs)), 1.0, None, None)


def _unit(node: Any) -> Unit:
    return Unit("A", node, node, (), 0)


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("y = a[i] + 1", "y = a[i] + 2", [("1", "2")]),
        ("y = a + b * 2", "y = a - b * 2", [("a + b * 2", "a - b * 2")]),
        ("y = 1 == x", "y = x == 1", []),
        ("y = b >= a", "y = a < b", [("b >= a", "a < b")]),
        ("y = len(a)", "y = len(a[1:])", [("a", "a[1:]")]),
        ("s = s + x", "s += x", []),
        ("s = s - x", "s += x", [("s - x", "s + x")]),
        ("out.append(x * 2)", "x * 3", [("2", "3")]),
        ("y = sorted(a)[:]", "y = sorted(a)[:3]", [("sorted(a)[:]", "sorted(a)[:3]")]),
        ("y = f(a, b)", "y = [a]", [("f(a, b)", "[a]")]),
    ],
)
def test_two_statements_of_one_build_differ_in_places(mine: str, theirs: str, found: list[tuple[str, str]]) -> None:
    alignment = Alignment((pair(mine, theirs),), (), ())
    ((_, places),) = counterparts(alignment, ast.parse(""), SAME)
    met = [(ast.unparse(one.mine), ast.unparse(one.theirs)) for one in places]
    assert [one for one in met if one[0] != one[1]] == found


def test_a_variable_is_what_stands_most_often_in_its_place() -> None:
    pairs = (pair("p = q[k]", "a = b[i]"), pair("r = r + q[k]", "s += b[i]"), pair("q[n] = 0", "b[i] = 0"))
    assert by_use(Alignment(pairs, (), ()), ast.parse(""), {}) == {"a": "p", "b": "q", "i": "k", "s": "r"}


def test_a_missing_statement_stands_between_its_neighbours_partners_and_in_as_many_loops() -> None:
    mine = ast.parse("def f(xs):\n    n = 0\n    for x in xs:\n        n = n + x\n    out = n\n    return out\n")
    theirs = ast.parse(
        "def f(xs):\n    s = 0\n    for x in xs:\n        s += x\n    s = abs(s)\n    t = s\n    return t\n"
    )
    body, other = mine.body[0].body, theirs.body[0].body  # type: ignore[attr-defined]
    loop, lacking = body[1].body, other[2]
    partners = [(body[0], other[0]), (body[1], other[1]), (loop[0], other[1].body[0]), (body[2], other[3])]
    order = Order(
        Alignment(tuple(Pair(_unit(a), _unit(b), 1.0, None, None) for a, b in partners), (), ()), mine, theirs
    )
    misfits = {
        (id(block), index): order.misfit(lacking, block, index, {})
        for block in (body, loop)
        for index in range(len(block) + 1)
    }
    assert misfits[id(body), 2] == 0
    assert all(misfit > 0 for place, misfit in misfits.items() if place != (id(body), 2))


def test_a_variable_that_is_returned_stands_for_what_was_assigned_to_it() -> None:
    mine, theirs = ast.parse("y = x + 1\ny\n"), ast.parse("x + 2\n")
    returned, other = Unit("R", mine.body[1].value, mine.body[1], (), 0), _unit(theirs.body[0])  # type: ignore[attr-defined]
    alignment = Alignment((Pair(returned, other, 1.0, None, None),), (), ())
    ((statement, places),) = counterparts(alignment, mine, {"x": "x"})
    assert statement is mine.body[0]
    assert [ast.unparse(one.theirs) for one in places] == ["x", "2"]
