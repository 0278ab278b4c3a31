"""Programs with two faults, of which no patch of one place passes the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egca_plugin.localize import twofold
from egca_plugin.types import Localization

Localize = Callable[..., Localization]

FEE = """
def f(weight, far):
    price = weight * 2
    if far:
        price = price + 7
    elif weight > 10:
        price = price - 5
    return price
"""
POSTAGE = """
def f(mass, distant):
    total = mass * 2
    if distant:
        total = total + 9
    elif mass > 10:
        total = total - 3
    return total
"""
POSTED = [
    "assert f(1, True) == 11", "assert f(4, True) == 17", "assert f(2, False) == 4", "assert f(3, False) == 6",
    "assert f(12, False) == 21", "assert f(20, False) == 37",
]  # fmt: skip
SQUARES = """
def f(xs):
    kept = []
    for x in xs:
        if x > 3:
            kept.append(x)
    squares = []
    for x in kept:
        squares.append(x + x)
    return sum(squares)
"""
SUM_OF_SQUARES = """
def f(values):
    big = [v for v in values if v >= 3]
    return sum([v * v for v in big])
"""
SUMMED = ["assert f([1, 3, 5]) == 34", "assert f([3, 3]) == 18", "assert f([4, 3, 2]) == 25", "assert f([3]) == 9"]


def text_of(found: Localization, program: str) -> list[str]:
    return [program[span.start : span.end] for span in found.spans]


def test_two_faults_with_inputs_of_their_own_are_both_proven(localize: Localize) -> None:
    found = localize(FEE, POSTAGE, *POSTED)
    assert found.verified
    assert found.stage == "pair"
    assert sorted(text_of(found, FEE)) == ["5", "7"]
    assert "price + 9" in found.patched
    assert "price - 3" in found.patched


def test_two_faults_in_a_row_are_told_by_how_far_the_run_goes_on_like_the_references(localize: Localize) -> None:
    found = localize(SQUARES, SUM_OF_SQUARES, *SUMMED)
    assert found.verified
    assert sorted(text_of(found, SQUARES)) in (["+", ">"], [">", "x + x"], ["+", "x > 3"])


DIGITS = """
def f(n):
    total = 0
    while n:
        total, n = total + n % 3, n // 3
    return total
"""


def test_two_edits_that_pass_by_luck_prove_nothing(localize: Localize, monkeypatch: pytest.MonkeyPatch) -> None:
    """``return 3`` and ``return 2`` pass these two tests; other inputs tell them from a program that is right."""
    candidate = "def f(n):\n    if n % 2:\n        return 1\n    return 0\n"
    tests = ("assert f(7) == 3", "assert f(6) == 2")
    assert localize(candidate, DIGITS, *tests).stage != "pair"
    monkeypatch.setattr(twofold, "_convinces", lambda choice: True)
    assert localize(candidate, DIGITS, *tests).stage == "pair"


def test_a_patch_that_mends_all_and_convinces_nobody_is_no_half(localize: Localize) -> None:
    doubled = "def f(n):\n    return n * 2\n"
    by_table = """
def f(n):
    table = {}
    for k in range(1, 60):
        table[-k] = 0 if k < 3 else (k * 7919) % 1013 + 5
    for k in range(60):
        table[k] = k + k
    return table[n]
"""
    tests = ["assert f(-1) == 0", "assert f(-2) == 0", "assert f(3) == 6", "assert f(0) == 0", "assert f(5) == 10"]
    assert not localize(doubled, by_table, *tests).verified
