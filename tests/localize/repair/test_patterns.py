"""A wrong constant in a pattern is a fault like any other: named to the token, and proven."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egca_plugin.types import Localization

MATCH = """
def f(words):
    x = y = 0
    for word in words:
        match word[0]:
            case {up}:
                x -= 1
            case "D" | {down}:
                x += 1
            case "L":
                y -= 1
    return x * 10 + y
"""
CHAIN = """
def f(words):
    x = y = 0
    for c in words:
        if c[0] == "U":
            x -= 1
        elif c[0] in ("D", "S"):
            x += 1
        elif c[0] == "L":
            y -= 1
    return x * 10 + y
"""
TESTS = ('assert f(["UP", "UP"]) == -20', 'assert f(["DOWN", "LEFT"]) == 9', 'assert f(["SOUTH"]) == 10')
RIGHT = {"up": '"U"', "down": '"S"'}


@pytest.mark.parametrize("reference", [MATCH.format(**RIGHT), CHAIN], ids=["match", "chain"])
@pytest.mark.parametrize(("place", "wrong"), [("up", '"U "'), ("up", '"R"'), ("down", '"s"')])
def test_the_constant_is_found(localize: Callable[..., Localization], reference: str, place: str, wrong: str) -> None:
    candidate = MATCH.format(**{**RIGHT, place: wrong})
    answer = localize(candidate, reference, *TESTS)
    assert answer.verified
    assert [candidate[span.start : span.end] for span in answer.spans] == [wrong]
