"""Which statement a proven patch blames, where several could carry it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egca_plugin.types import Localization

Localize = Callable[..., Localization]

AFTER = "    return x + 1\n"
REFERENCE = "def f(x):\n" + AFTER
TESTS = ("assert f(1) == 2", "assert f(5) == 6")


def blamed(source: str, answer: Localization) -> list[str]:
    return [source[span.start : span.end] for span in answer.spans]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("    with open('out', 'w') as out:\n        out.write('x')\n", "with open('out', 'w') as out:"),
        ("    with x:\n        pass\n", "with x:"),
        ("    assert x > 9, 'small'\n", "assert x > 9, 'small'"),
        ("    import torch\n", "import torch"),
        ("    from sympy import prime\n", "from sympy import prime"),
        ("    del seen\n", "del seen"),
        ("    for i in x:\n        print(i)\n", "for i in x:"),
        ("    for i in x: print(i)\n", "for i in x:"),
        ("    for i in range(x):\n        del done\n", "del done"),
        ("    try:\n        y = x\n    finally:\n        release(y)\n", "release(y)"),
        ("    try:\n        x.y\n    except KeyError:\n        pass\n", "x.y"),
        ("    x[0]: int = 3\n", "x[0]: int = 3"),
    ],
)
def test_what_raises_is_blamed_and_the_right_return_behind_it_is_not(
    localize: Localize, lines: str, fault: str
) -> None:
    candidate = "def f(x):\n" + lines + AFTER
    answer = localize(candidate, REFERENCE, *TESTS)
    assert answer.verified
    (text,) = blamed(candidate, answer)
    assert text in fault or fault in text
    assert "return" not in text


def test_one_mistake_made_in_two_statements_is_blamed_in_both(localize: Localize) -> None:
    reference = (
        "def f(xs):\n    odd = 0\n    even = 0\n    for x in xs:\n        if x % 2:\n            odd += x\n"
        "        else:\n            even += x\n    return odd, even\n"
    )
    candidate = reference.replace("+= x", "-= x")
    answer = localize(candidate, reference, "assert f([1, 2, 3, 5]) == (9, 2)", "assert f([]) == (0, 0)")
    assert (blamed(candidate, answer), answer.verified) == (["-=", "-="], True)


def test_of_three_statements_alike_the_two_wrong_ones_are_blamed(localize: Localize) -> None:
    reference = "def f(a, b, c):\n    x = a + 1\n    y = b + 1\n    z = c - 1\n    return [x, y, z]\n"
    candidate = reference.replace("+ 1", "- 1")
    answer = localize(candidate, reference, "assert f(1, 2, 3) == [2, 3, 2]", "assert f(0, 0, 0) == [1, 1, -1]")
    assert (blamed(candidate, answer), answer.verified) == (["-", "-"], True)


def test_the_wrong_definition_is_blamed_and_not_the_return_that_could_undo_it(localize: Localize) -> None:
    candidate = "def f(x):\n    y = x + 1\n    y = y * 2\n    return y\n"
    answer = localize(candidate, REFERENCE, *TESTS)
    assert answer.verified
    (text,) = blamed(candidate, answer)
    assert "return" not in text
    assert text in "y = y * 2"
