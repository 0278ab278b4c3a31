"""Calls sent ahead: the verdict is the one of calls made one by one, and no right answer is ever among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.judging import foresight
from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.foresight import Foresight
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallCase, Outcome, Task, Verdict

PLAIN = "def check(candidate):\n    for n in range(6):\n        assert candidate(n) == n + 1\n"
TWICE = "def check(candidate):\n    assert candidate(candidate(1)) == 3\n    assert candidate(5) == 6\n"
BRANCH = (
    "def check(candidate):\n    if candidate(0) is None:\n        return\n    assert candidate(1) == 2\n"
    "    assert candidate(2) == 3\n"
)
IN_PLACE = (
    "def check(candidate):\n    xs = [2, 1]\n    candidate(xs)\n    candidate(xs)\n    assert xs == [0, 1, 2, 0]\n"
)
LAZY = "def check(candidate):\n    assert list(candidate(3)) == [0, 1, 2]\n    assert next(candidate(9)) == 0\n"


def task(tests: str | tuple[str, ...], reference: str = "def f(x): return x + 1") -> Task:
    return Task("t/1", "", "f", reference, tests)


def arguments(of: Task, seed: int = 0) -> list[object]:
    plan = Foresight().plan(compile_checks(of), seed, 3.0)
    return [wire.decode(one.call.arguments)[0][0] for one in plan.calls]


def test_what_is_foreseen_depends_on_no_answer() -> None:
    cases = replace(task(()), cases=(CallCase("[1]", "{}", "2"), CallCase("[7]", "{}", "8")))
    assert arguments(task(PLAIN)) == [0, 1, 2, 3, 4, 5]
    assert arguments(task(("assert f(1) == 2", "assert f(2) == 3"))) == [1, 2]
    assert arguments(cases) == [1, 7]
    assert arguments(task(TWICE)) == [1, None, 5], "the second call has the answer to the first, which is None"


DRAWN = (
    "import random\ndef check(candidate):\n    for _ in range(9):\n        n = random.randrange(10**6)\n"
    "        assert candidate(n) == n + 1\n"
)


def test_what_tests_draw_at_random_is_foreseen_and_the_same_for_every_program_with_a_seed(sandbox: Sandbox) -> None:
    first = arguments(task(DRAWN))
    assert len(set(first)) == 9
    assert arguments(task(DRAWN)) == first
    assert arguments(task(DRAWN), seed=1) != first
    for _ in range(2):
        verdict = judge(sandbox, "def f(x): return x + 1", task(DRAWN))
        assert verdict.passed
        assert [wire.decode(one.call.arguments)[0][0] for one in verdict.calls] == first
        judge(sandbox, "def f(x): return x + 1", task(DRAWN.replace("9", "3")))  # which draws other numbers


@pytest.mark.parametrize("long", [1, 2 * foresight.WINDOWS], ids=["short", "long"])
def test_a_value_that_an_answer_holds_is_found_in_a_later_call_however_long_the_answer(long: int) -> None:
    plan = Foresight().plan(compile_checks(task(("assert f('stressed') == 1", "assert f('desserts') == 2"))), 0, 3.0)
    said = wire.encode(["desserts", "x" * long])
    assert plan.may_hold(said, said[1:])
    assert not plan.may_hold(wire.encode(["x" * long]), wire.encode(["x" * long])[1:])


READS_AHEAD = """
import sys

def f(text):
    frame, seen = sys._getframe(), b""
    while frame := frame.f_back:
        for one in list(frame.f_locals.values()):
            if isinstance(getattr(one, "_buffer", None), bytes):
                seen += one._buffer
    return {} if b"desserts" in seen else "stressed"

class Wrapped(str):
    pass
"""


@pytest.mark.parametrize("answer", ["'desserts'", "Wrapped('desserts')"])
def test_an_answer_is_not_read_out_of_a_later_call(sandbox: Sandbox, answer: str) -> None:
    flips = ("assert f('stressed') == 'desserts'", "assert f('desserts') == 'stressed'")
    program = READS_AHEAD.format(answer)
    assert "desserts" in str(arguments(task(flips))), "it is sent ahead"
    assert not judge(sandbox, program, task(flips)).passed
    assert judge(sandbox, "def f(text): return text[::-1]", task(flips)).passed
    assert not judge(sandbox, program, task(flips)).passed


FLIPS = (
    "from solution import f, back\ndef test_flips():\n    assert f('stressed') == 'desserts'\n"
    "    assert back('desserts') == 'stressed'\n"
)


@pytest.mark.parametrize("answer", ["'desserts'", "Wrapped('desserts')"])
def test_nor_out_of_one_of_another_function(sandbox: Sandbox, answer: str) -> None:
    both = task(FLIPS, "def f(text): return text[::-1]\nback = f")
    assert "desserts" in str(arguments(both)), "it is sent ahead"
    assert not judge(sandbox, READS_AHEAD.format(answer) + "\nback = lambda text: 'stressed'", both).passed
    assert judge(sandbox, both.reference, both).passed


def test_tests_without_end_are_foreseen_up_to_a_bound() -> None:
    endless = "def check(candidate):\n    while candidate(1) is None:\n        pass\n    assert candidate(1) == 2\n"
    assert len(arguments(task(endless))) == foresight.MAX_CALLS


def test_a_server_keeps_a_bounded_number_of_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "PLANS", 2000)
    seen = Foresight()
    for number in range(50):
        seen.plan(compile_checks(task((f"assert f({number}) == {number + 1}",))), 0, 3.0)
    assert len(seen._plans) < 20
    assert seen._bytes <= 2000


@pytest.fixture(scope="module")
def one_by_one() -> Iterator[Sandbox]:
    """A sandbox whose judges foresee nothing: a second look at each case, by the rule that the first must keep."""
    from egca_plugin.judging import client

    blind = client._BOOT.replace(
        "from egca_plugin.judging.server import main",
        "import egca_plugin.judging.foresight as f; f._foreseen = lambda checks, patience_s: f.Plan(); "
        "from egca_plugin.judging.server import main",
    )
    assert blind != client._BOOT
    with pytest.MonkeyPatch.context() as patch, Sandbox(SandboxConfig()) as sandbox:
        patch.setattr(client, "_BOOT", blind)
        assert judge(sandbox, "def f(x): return x + 1", task(PLAIN)).passed  # starts the server
        yield sandbox


PROGRAMS = {
    "right": "def f(x): return x + 1",
    "wrong": "def f(x): return x",
    "answers None": "def f(x): return None",
    "remembers": "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)",
    "raises once": "def f(x):\n    if x == 2: raise ValueError(x)\n    return x + 1",
    "dies once": "import os\ndef f(x):\n    if x == 2: os._exit(3)\n    return x + 1",
    "dies on loading": "import os\nos._exit(0)",
    "does not load": "def f(x): return x + 1\nraise KeyError",
    "hangs once": "def f(x):\n    while x == 2: pass\n    return x + 1",
    "changes its argument": "def f(x):\n    if not isinstance(x, list): return x + 1\n    x.sort()\n    x.append(0)",
    "a generator": "def f(x):\n    yield from range(x)",
    "takes all memory": "def f(x): return [x] * 10**9",
}
TESTS = {"plain": PLAIN, "twice": TWICE, "branch": BRANCH, "in place": IN_PLACE, "lazy": LAZY}


@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_the_verdict_is_that_of_calls_made_one_by_one(
    sandbox: Sandbox, one_by_one: Sandbox, source: str, tests: str
) -> None:
    def verdict(box: Sandbox) -> Verdict:
        return replace(judge(box, source, task(tests), timeout_s=1.0), ms=0.0)

    expected = verdict(one_by_one)
    assert verdict(sandbox) == expected
    assert verdict(sandbox) == expected, "after the server has learnt how far the calls can be foreseen"


def test_no_right_answer_can_be_read_ahead(sandbox: Sandbox) -> None:
    """The program looks through all descriptors for what was sent to it, when it is loaded."""
    spy = (
        "import os, re\nheld = b''\nfor fd in range(3, 64):\n    try:\n        os.set_blocking(fd, False)\n"
        "        held += os.read(fd, 1 << 20)\n    except OSError:\n        pass\n"
        "def f(x): return 4711 if b'4711' in held else 0\n"
    )
    asking = "def check(candidate):\n    assert candidate(candidate(11)) == 4712\n"
    right = "def f(x): return 4711 if x == 11 else x + 1"
    for source in (right, spy, right, spy):
        verdict = judge(sandbox, source, task(asking, right), timeout_s=1.0)
        assert verdict.passed == (source is right)
        assert verdict.outcome is not Outcome.INFRASTRUCTURE
