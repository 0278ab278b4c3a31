"""The localiser's own work is bounded by counts: of statements, compiled nodes, pairs, steps and hangs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from egca_plugin.localize.api import Reason
from egca_plugin.program.compiling import room
from egca_plugin.types import Localization

Localize = Callable[..., Localization]

HEAD = "def f(xs):\n    total = 1\n"
LOOP = "    for x in xs:\n        if x % 2 == 0:\n            total += x * x\n    return total\n"
REFERENCE = HEAD + LOOP
TESTS = ("assert f([1, 2, 3, 4]) == 21", "assert f([]) == 1", "assert f([6]) == 37")
BEYOND = "    for x in xs:\n        if x % 3 == 1:\n            total += x - 7\n    return total ** 2 - 3\n"
LONG = {
    "assignments": "".join(f"    v{i} = total + {i}\n" for i in range(700)),
    "ifs": "    if total: total = 1\n" * 700,
    "a sum": "    y = 0" + " + total" * 390 + "\n",
    "comparisons": "    y = " + " < ".join(["total"] * 2200) + "\n",
    "lambdas": "    g = lambda a, b: a + b\n" * 640,
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_program_ends_within_seconds_and_says_budget(localize: Localize, name: str) -> None:
    """In minutes without bounds; in CPU time, since this machine may be busy."""
    before = time.process_time()
    with room():
        answer = localize(HEAD + LONG[name] + BEYOND, REFERENCE, *TESTS)
    assert time.process_time() - before < 15
    assert answer.reason == Reason.BUDGET.value


def test_the_fault_of_a_long_program_is_still_found_where_the_histories_part(localize: Localize) -> None:
    wrong = HEAD + "    y = len(xs)\n" * 100 + LOOP.replace("== 0", "== 1")
    answer = localize(wrong, REFERENCE, *TESTS)
    assert answer.verified
    assert all(wrong[span.start : span.end] in "x % 2 == 1" for span in answer.spans)


def test_a_program_that_hangs_wherever_it_is_tried_ends_the_search(localize: Localize) -> None:
    hangs = "def f(xs):\n    if '__egca_on__' in globals():\n        while True: pass\n    return len(xs)\n"
    hangs = hangs.replace("while True: pass", "any(iter(int, 1))")
    answer = localize(hangs, REFERENCE, *TESTS)
    assert answer.reason == Reason.BUDGET.value
