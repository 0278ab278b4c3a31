"""Tests that seed random numbers, and programs that draw them."""

from __future__ import annotations

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task

DRAW = "import random\ndef draw(n):\n    return [random.randint(1, 6) for _ in range(n)]\n"
SEEDED = {
    "twice alike": "random.seed(1)\na = draw(5)\nrandom.seed(1)\nassert draw(5) == a",
    "each its own": "random.seed(1)\na = draw(9)\nrandom.seed(2)\nassert draw(9) != a",
    "what comes of it": "random.seed(42)\nassert draw(3) == [6, 1, 1]",
    "by another name": "from random import seed\nseed('x')\na = draw(5)\nseed('x')\nassert draw(5) == a",
}


def judged(sandbox: Sandbox, source: str, body: str) -> Outcome:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    tests = f"import random\nfrom solution import draw\n\ndef test_it():\n{lines}"
    return judge(sandbox, source, Task("t/1", "", "draw", DRAW, tests), check_stable=True).outcome


@pytest.mark.parametrize("body", SEEDED.values(), ids=SEEDED)
def test_the_program_draws_from_the_tests_seed(sandbox: Sandbox, body: str) -> None:
    assert judged(sandbox, DRAW, body) is Outcome.OK
    counts = "k = 0\ndef draw(n):\n    global k\n    k += 1\n    return [k]\n"
    count = "def draw(n): return n\n" if "!=" in body else counts
    assert judged(sandbox, count, body) is Outcome.WRONG_ANSWER


def test_a_seeded_call_is_made_again_by_the_localiser(sandbox: Sandbox) -> None:
    reference = "import random\ndef draw(n):\n    xs = [random.random() for _ in range(n)]\n    total = sum(xs)\n"
    reference += "    return total + n\n"
    tests = ("import random\nrandom.seed(3)\nassert draw(2) == 2.7821938523878433",)
    task, wrong = Task("t/1", "", "draw", reference, tests), reference.replace("total + n", "total - n")
    verdict = judge(sandbox, reference, task)
    assert verdict.passed
    failed = judge(sandbox, wrong, task, check_stable=True)
    found = TraceLocalizer().localize(Case(task, wrong, (reference,), failed, sandbox))
    assert found.verified
