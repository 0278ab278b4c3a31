"""Kinds of faults, one small program each: the line that is blamed, and that a patch proves it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egca_plugin.types import Localization

Localize = Callable[..., Localization]

PATHS = """
from functools import cache
def f(n):
    @cache
    def go(i, k):
        if i >= n:
            return 1
        total = 0
        for step in range(3):
            if step == k:
                continue
            total += go(i + step + 1, step)
        return total
    return go(0, -1)
"""
COLLECT = """
def f(xs):
    seen = []
    def visit(x):
        if x % 2:
            seen.append(x)
    for x in xs:
        visit(x)
    return seen
"""
FIBONACCI = "def f(n):\n    a, b = 0, 1\n    for i in range(n):\n        a, b = b, a + b\n    return a\n"
COUNTED = "from collections import *\ndef f(xs):\n    c = Counter(xs)\n    return sorted(k for k in c if c[k] == 1)\n"
LOWEST = """
def f(xs, least):
    low = high = len(xs)
    for i, x in enumerate(xs):
        if x == 1:
            low = min(low, i)
        else:
            high = min(high, i)
    if high < low:
        return -1
    return sum(x > least for x in xs)
"""
LOWEST_WHILE = """
def f(items, least):
    first = second = len(items)
    number = 0
    while number < len(items):
        place = number
        item = items[number]
        number = number + 1
        if 1 == item:
            first = min(first, place)
        else:
            second = min(second, place)
    if second < first:
        return -1
    found = []
    number = 0
    while number < len(items):
        item = items[number]
        number = number + 1
        found.append(least < item)
    return sum(found)
"""
LISTS = (
    "assert f([1, 1, 2, 3], 0) == 4",
    "assert f([2, 1], 1) == -1",
    "assert f([1, 5, 7], 4) == 2",
    "assert f([], 1) == 0",
)
NUMBERS = ("assert f([1, 2, 3, 5]) == {}", "assert f([]) == {}", "assert f([4, 4, 9]) == {}")


@pytest.mark.parametrize(
    ("reference", "right", "wrong", "asserts"),
    [
        (PATHS, "continue", "break", [f"assert f({n}) == {x}" for n, x in ((1, 3), (2, 4), (3, 5), (6, 15))]),
        (COLLECT, "seen.append(x)", "seen = seen.append(x)", [NUMBERS[0].format([1, 3, 5]), NUMBERS[1].format([])]),
        (
            FIBONACCI,
            "        a, b = b, a + b\n",
            "        a = b\n        b = a + b\n",
            [f"assert f({n}) == {x}" for n, x in ((0, 0), (1, 1), (2, 1), (7, 13), (9, 34))],
        ),
        (
            COUNTED,
            "Counter(xs)",
            "set(xs)",
            [NUMBERS[0].format([1, 2, 3, 5]), NUMBERS[1].format([]), NUMBERS[2].format([9])],
        ),
    ],
    ids=["a jump in a cached function", "a kept None", "a sequential update", "another container"],
)
def test_a_slip_is_blamed_and_proven(
    localize: Localize, reference: str, right: str, wrong: str, asserts: list[str]
) -> None:
    candidate = reference.replace(right, wrong)
    answer = localize(candidate, reference, *asserts)
    line = candidate[: candidate.index(wrong)].count("\n") + 1
    assert answer.verified
    assert line in [candidate.count("\n", 0, span.start) + 1 for span in answer.spans]


@pytest.mark.parametrize(
    ("missing", "lines"),
    [
        ("    if second < first:\n        return -1\n", {13, 14}),
        ("        else:\n            second = min(second, place)\n", {10, 11, 12}),
        ("        number = number + 1\n        if 1", {7, 8}),
    ],
    ids=["a way out", "a branch", "a step"],
)
def test_what_is_missing_is_blamed_where_it_would_run(localize: Localize, missing: str, lines: set[int]) -> None:
    kept = "        if 1" if missing.endswith("if 1") else ""
    candidate = LOWEST_WHILE.replace(missing, kept, 1)
    answer = localize(candidate, LOWEST, *LISTS)
    assert answer.verified
    assert candidate.count("\n", 0, answer.spans[0].start) + 1 in lines


ENDLESS = """
from itertools import count
def f(n, t):
    for i in count(n):
        product, rest = 1, i
        while rest:
            product *= rest % 10
            rest //= 10
        if product % t == 0:
            return i
"""


def test_a_loop_that_never_returns_lacks_what_ends_it(localize: Localize) -> None:
    """Its histories go on for ever: they are compared as far as the reference's go."""
    candidate = ENDLESS.replace("        if product % t == 0:\n            return i\n", "")
    answer = localize(candidate, ENDLESS, "assert f(15, 3) == 16", "assert f(10, 2) == 10", "assert f(21, 7) == 27")
    assert answer.verified
    assert candidate.count("\n", 0, answer.spans[0].start) + 1 == 8
