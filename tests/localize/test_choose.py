"""Which of several patches that pass the tests is believed."""

from __future__ import annotations

from collections.abc import Callable

from egca_plugin.types import Localization

Localize = Callable[..., Localization]


def test_a_patch_that_passes_by_luck_loses_to_one_that_agrees_with_the_reference(localize: Localize) -> None:
    candidate = (
        "def f(xs, x):\n    place = 0\n    while place < len(xs) - 1 and xs[place] < x:\n        place += 1\n"
        "    return place\n"
    )
    reference = "import bisect\ndef f(a, x):\n    return bisect.bisect_left(a, x)\n"
    answer = localize(
        candidate, reference,
        "assert f([1, 2, 4, 5], 6) == 4", "assert f([1, 2, 4, 5], 3) == 2", "assert f([1, 2, 4, 5], 7) == 4",
    )  # fmt: skip
    assert answer.verified
    assert candidate[: answer.spans[0].start].count("\n") + 1 == 3, answer.patch


def test_an_assignment_that_overrides_another_blames_the_other(localize: Localize) -> None:
    candidate = (
        "def f(n):\n    product = 0\n    odd = False\n    while n > 0:\n        if n % 2 == 1:\n"
        "            product *= n % 10\n            odd = True\n        n //= 10\n    return product if odd else 0\n"
    )
    reference = (
        "def f(n):\n    digits = [int(c) for c in str(n) if int(c) % 2]\n    product = 1\n    for d in digits:\n"
        "        product = product * d\n    return product if digits else 0\n"
    )
    answer = localize(candidate, reference, "assert f(5) == 5", "assert f(54) == 5", "assert f(120) == 1")
    assert answer.verified
    assert candidate[answer.spans[0].start : answer.spans[0].end] == "0", answer.patch
