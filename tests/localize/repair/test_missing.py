"""Faults of omission and of condition where the reference has another algorithm: each patch is found and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest

from egca_plugin.sandbox.outside import frames
from egca_plugin.types import Localization

Localize = Callable[..., Localization]

SUM = "def f(xs):\n    return sum(xs)\n"

CASES = {
    "an initial value": (
        "def f(xs):\n    k = 0\n    while k < len(xs):\n        total = total + xs[k]\n        k += 1\n"
        "    return total\n",
        SUM, ("assert f([1, 2]) == 3", "assert f([4]) == 4", "assert f([5, 6, 7]) == 18"), 2,
    ),
    "a special case": (
        "def f(xs):\n    best = None\n    for x in xs:\n        if best is None or x > best:\n            best = x\n"
        "    return [best]\n",
        "def f(xs):\n    return sorted(xs)[-1:]\n",
        ("assert f([1, 2]) == [2]", "assert f([]) == []", "assert f([3, 1]) == [3]"), 6,
    ),
    "two inputs in the wrong order": (
        "def f(a, b):\n    out = []\n    for d in (2, 4, 6, 8):\n        if a <= d <= b:\n            out.append(d)\n"
        "    return out\n",
        "def f(a, b):\n    return [i for i in range(max(2, min(a, b)), min(8, max(a, b)) + 1) if i % 2 == 0]\n",
        ("assert f(2, 8) == [2, 4, 6, 8]", "assert f(8, 2) == [2, 4, 6, 8]", "assert f(7, 3) == [4, 6]"), 2,
    ),
    "a last word that is never added": (
        "def f(text):\n    words = []\n    word = ''\n    for ch in text:\n        if ch == ',':\n"
        "            if word:\n                words.append(word)\n            word = ''\n        else:\n"
        "            word += ch\n    return words\n",
        "def f(text):\n    return [part for part in text.split(',') if part]\n",
        ("assert f('a,bc,') == ['a', 'bc']", "assert f('a,bc') == ['a', 'bc']", "assert f('') == []"), 11,
    ),
    "a step of the second index": (
        "def f(xs):\n    left, right = 0, len(xs) - 1\n    changes = 0\n    while left < right:\n"
        "        if xs[left] != xs[right]:\n            changes += 1\n        left += 1\n    return changes\n",
        "def f(xs):\n    return sum(a != b for a, b in zip(xs[: len(xs) // 2], xs[::-1]))\n",
        ("assert f([1, 2, 3, 1]) == 1", "assert f([1, 2, 2, 1]) == 0", "assert f([4, 2, 3, 5]) == 2"), 7,
    ),
    "half of a condition": (
        "def f(xs):\n    n = 0\n    for x in xs:\n        if x > 2:\n            n += 1\n    return n\n",
        "def f(xs):\n    return len([x for x in xs if x > 2 and x % 2 == 0])\n",
        ("assert f([3, 4, 6, 1]) == 2", "assert f([3, 5]) == 0", "assert f([2, 8]) == 1"), 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_was_forgotten_is_found(name: str, localize: Localize) -> None:
    candidate, reference, asserts, line = CASES[name]
    answer = localize(candidate, reference, *asserts)
    assert answer.verified, answer
    where = candidate.count("\n", 0, answer.spans[0].start) + 1
    assert where == line, answer.patch


def constants(code: CodeType) -> Iterator[Any]:
    for constant in code.co_consts:
        yield from constants(constant) if isinstance(constant, CodeType) else [constant]


def test_what_a_test_expects_never_goes_into_a_program(localize: Localize, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even in a patch: it runs beside a candidate's code. The failing call, with 7, should give 70007."""
    programs: list[str | CodeType] = []
    load = frames.load

    def watched(program: str | CodeType, *settings: Any) -> bytes:
        programs.append(program)
        return load(program, *settings)

    monkeypatch.setattr(frames, "load", watched)
    candidate = "def f(n):\n    if n < 0:\n        return -1\n    k = n\n    return k * 3\n"
    reference = "def f(n):\n    return int(f'{n}{\"0\" * 3}{n}') if n % 2 else n * 3\n"
    answer = localize(candidate, reference, "assert f(7) == 70007", "assert f(2) == 6", "assert f(4) == 12")
    tried = [program for program in programs if isinstance(program, CodeType)]
    assert len(tried) > 5
    assert all("70007" not in map(repr, constants(code)) for code in tried)
    assert "70007" not in answer.patch
