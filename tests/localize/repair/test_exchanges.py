"""The results of a decision, the wrong way round: they are blamed, and a condition only where it is what differs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from textwrap import dedent
from typing import cast

import pytest

from egca_plugin.localize.repair.edits import GENERIC, Edit
from egca_plugin.localize.repair.exchanges import is_exchange
from egca_plugin.types import Localization

Localize = Callable[..., Localization]

BIG = """
    def f(xs):
        total = sum(xs)
        if total > 10:
            return "big"
        return "small"
"""
ASSERTS = ("assert f([1, 2]) == 'small'", "assert f([10, 2]) == 'big'", "assert f([10]) == 'small'")

LOOP = """
    def f(items):
        s = 0
        for item in items:
            s += item
        if {test}:
            return "{yes}"
        return "{no}"
"""


def blamed(localize: Localize, candidate: str, reference: str, *asserts: str) -> list[str]:
    candidate = dedent(candidate)
    answer = localize(candidate, dedent(reference), *asserts)
    assert answer.verified
    return [candidate[span.start : span.end] for span in answer.spans]


def test_results_that_stand_in_each_others_place(localize: Localize) -> None:
    candidate = LOOP.format(test="s > 10", yes="small", no="big")
    assert blamed(localize, candidate, BIG, *ASSERTS) == ['"small"', '"big"']


@pytest.mark.parametrize("test", ["s <= 10", "not s > 10"])
def test_a_condition_the_wrong_way_round(localize: Localize, test: str) -> None:
    candidate = LOOP.format(test=test, yes="big", no="small")
    (span,) = blamed(localize, candidate, BIG, *ASSERTS)
    assert span in test


def test_values_that_the_branches_assign(localize: Localize) -> None:
    candidate = """
        def f(x, y):
            if x % y == 0:
                r = x * y
            else:
                r = x // y
            return r
    """
    reference = """
        def f(a, b):
            if a % b == 0:
                return a // b
            return a * b
    """
    asserts = ("assert f(4, 2) == 2", "assert f(5, 2) == 10", "assert f(9, 3) == 3")
    assert blamed(localize, candidate, reference, *asserts) == ["*", "//"]


def test_two_edits_are_an_exchange_where_each_brings_what_the_other_takes_away() -> None:
    statement = ast.parse("x = a + b").body[0]
    a, b, c = (cast(ast.expr, ast.Name(name, ast.Load())) for name in "abc")

    def edit(old: ast.expr, new: ast.expr) -> Edit:
        return Edit(GENERIC, old, new, statement, "f", 0.0)

    assert is_exchange((edit(a, b), edit(b, a)))
    assert not is_exchange((edit(a, b), edit(b, c)))
    assert not is_exchange((edit(a, b),))
