"""What tests do to their process, and what answers do to it, ends with the sample: the next verdict never knows."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.judging import referee
from egca_plugin.judging.client import JudgeServer
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task, Verdict

RIGHT = "def f(x):\n    return x + 1\n"
WRONG = "def f(x):\n    return x - 1\n"


def judged(sandbox: Sandbox, tests: str | tuple[str, ...], source: str = RIGHT, setup: str = "") -> Verdict:
    return judge(sandbox, source, Task("t/1", "", "f", RIGHT, tests, setup), timeout_s=1.0)


# --- what tests leave behind ---

TRACELESS = {
    "decimal precision": ("import decimal\ndecimal.getcontext().prec = 4", "decimal.getcontext().prec == 28"),
    "warnings": ("import warnings\nwarnings.simplefilter('error')", "warnings.warn('old') is None"),
    "a patch": ("from unittest import mock\nmock.patch('builtins.sum', lambda xs: 0).start()", "sum([1, 2]) == 3"),
    "a module's own name": ("import math\nmath.pi = 3", "math.pi > 3.1"),
    "recursion limit": ("import sys\nsys.setrecursionlimit(90)", "sys.getrecursionlimit() >= 1000"),
    "random": ("import random\nrandom.seed(5)", "random.random() == 0.8444218515250481"),
    "environment": ("import os\nos.environ['EGCA_LEFT'] = '1'", "'EGCA_LEFT' not in os.environ"),
    "a file": ("import os\nopen('left', 'w').close(); os.makedirs('deep/er')", "os.listdir() == []"),
    "a module": ("import sys\nsys.modules['json'] = None", "__import__('json').dumps(1) == '1'"),
    "a signal handler": (
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)",
        "signal.getsignal(signal.SIGALRM) is signal.SIG_DFL",
    ),
    "a class": ("import collections\ncollections.Counter.total = None", "collections.Counter('aa').total() == 2"),
}


@pytest.mark.parametrize("what", TRACELESS)
def test_the_next_sample_finds_nothing_of_it(sandbox: Sandbox, what: str) -> None:
    change, whole = TRACELESS[what]
    module = change.split()[1]
    assert judged(sandbox, (change, "assert f(1) == 2")).passed
    assert judged(sandbox, (f"import {module}", f"assert {whole} and f(1) == 2")).passed


def test_a_later_sample_of_the_same_task_meets_the_tests_as_new(sandbox: Sandbox) -> None:
    tests = ("import sys\nsys.seen = getattr(sys, 'seen', 0) + 1", "assert sys.seen == 1 and f(1) == 2")
    assert judged(sandbox, tests).passed
    assert judged(sandbox, tests).passed


def test_random_tests_draw_the_same_in_every_run(sandbox: Sandbox) -> None:
    tests = ("import random", "x = random.random()\nassert f(x) == x + 1")
    first, second = judged(sandbox, tests), judged(sandbox, tests)
    assert first.calls == second.calls


def test_the_order_of_a_set_in_tests_is_no_chance() -> None:
    tests = ("assert list({'kiwi', 'plum', 'pear'}) == ['x'] or f(1) == 2",)
    order = ("t = ''.join({'kiwi', 'plum', 'pear', 'fig'})\nassert f(1) == 2 and t == 'no'",)
    details = set()
    for _ in range(2):
        with Sandbox() as own:
            assert judged(own, tests).passed
            details.add(judged(own, (order[0].replace("t == 'no'", "{t: 1}['no']"),)).detail)
    assert len(details) == 1


def test_prints_go_nowhere(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert judged(
        sandbox, "import os\nprint('loaded')\ndef check(c):\n    os.write(2, b'x')\n    assert c(1) == 2"
    ).passed
    assert capfd.readouterr() == ("", "")


# --- how tests end ---


@pytest.mark.parametrize(
    "leaves", ["sys.exit(1)", "raise SystemExit('no')", "raise KeyboardInterrupt", "raise BaseException", "os._exit(3)"]
)
def test_leaving_is_a_failed_test(sandbox: Sandbox, leaves: str) -> None:
    tests = f"import os, sys\ndef check(candidate):\n    if candidate(1) != 2: {leaves}\n    assert candidate(2) == 3\n"
    assert judged(sandbox, tests).passed
    verdict = judged(sandbox, tests, WRONG)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 0)


UNITTEST = """
import types, unittest
class TestF(unittest.TestCase):
    def test_one(self):
        self.assertEqual(f(1), 2)
    def test_two(self):
        with self.assertRaises(TypeError):
            f("a")
def check(candidate):
    module = types.ModuleType("m")
    module.TestF = TestF
    unittest.main(module=module, argv=["x"], verbosity=0)
"""


def test_unittests_runner_leaves_after_success_too(sandbox: Sandbox) -> None:
    assert (judged(sandbox, UNITTEST).outcome, judged(sandbox, UNITTEST).tests_total) == (Outcome.OK, 2)
    assert judged(sandbox, UNITTEST, WRONG).outcome is Outcome.WRONG_ANSWER


def test_leaving_early_in_peace_proves_nothing(sandbox: Sandbox) -> None:
    early = "import sys\ndef check(candidate):\n    if candidate(0) == 0: sys.exit(0)\n    assert candidate(1) == 2\n"
    late = "import sys\ndef check(candidate):\n    assert candidate(1) == 2\n    sys.exit(0)\n"
    assert judged(sandbox, late).passed
    assert not judged(sandbox, late, WRONG).passed
    assert "left before" in judged(sandbox, early, "def f(x): return 0").detail


# --- exchanges ---

ALARM = """
import contextlib, signal
class Late(Exception): pass
@contextlib.contextmanager
def limit(seconds):
    def late(number, frame): raise Late
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
def check(candidate):
    try:
        with limit(0.01): candidate(0)
    except Late:
        pass
    for n in (1, 2, 3):
        with limit(5): got = candidate(n)
        assert got == n + 1
"""
SLOW_ONCE = "def f(x):\n    for _ in range(3_000_000 * (x == 0)): pass\n    return x + {}\n"


def test_an_exchange_that_was_broken_off_shifts_no_answer(sandbox: Sandbox) -> None:
    assert judged(sandbox, ALARM, SLOW_ONCE.format(1)).passed
    shifted = judged(sandbox, ALARM, SLOW_ONCE.format(2))
    assert (shifted.outcome, shifted.tests_passed, shifted.tests_total) == (Outcome.WRONG_ANSWER, 0, 3)


def test_threads_of_the_tests_get_their_own_answers(sandbox: Sandbox) -> None:
    tests = """
from concurrent.futures import ThreadPoolExecutor
def check(candidate):
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(candidate, range(100))) == list(range(1, 101))
"""
    assert judged(sandbox, tests).passed


def test_processes_of_the_tests_are_refused_by_name(sandbox: Sandbox) -> None:
    tests = """
import multiprocessing
def check(candidate):
    process = multiprocessing.get_context("fork").Process(target=candidate, args=(1,))
    process.start()
    process.join()
    assert candidate(1) == 2
"""
    with pytest.raises(TaskError, match="from a process that the tests start"):
        judged(sandbox, tests)


def test_a_patched_clock_or_process_is_the_tests_own_affair(sandbox: Sandbox) -> None:
    patch = "from unittest import mock\nfor name in ('time.monotonic', 'os.getpid'): mock.patch(name).start()"
    assert judged(sandbox, (patch, "assert f(1) == 2")).passed


# --- bounds ---


COLLIDING = "assert len(set([i * ((1 << 61) - 1) for i in range(1, f(1))])) == 1"


@pytest.mark.parametrize("prologue", ["", "import sys\n"], ids=["here", "in a fork"])
def test_a_value_that_costs_one_endless_step_in_c_is_the_programs_timeout(
    sandbox: Sandbox, prologue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referee, "TESTS_CPU_S", 0.5)
    began = time.monotonic()
    verdict = judged(sandbox, (f"{prologue}{COLLIDING}",), "def f(x): return 90_000")
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.TIMEOUT, 0)
    assert "CPU" in verdict.detail
    assert time.monotonic() - began < 20
    assert judged(sandbox, ("assert f(1) == 2",)).passed


@pytest.mark.parametrize("prologue", ["", "import sys\n"], ids=["here", "in a fork"])
def test_memory_of_the_tests_is_bounded(sandbox: Sandbox, prologue: str) -> None:
    verdict = judged(sandbox, (f"{prologue}assert len([0] * f(1)) == 2",), "def f(x): return 1 << 33")
    assert verdict.outcome is Outcome.MEMORY
    assert judged(sandbox, ("assert f(1) == 2",)).passed


def test_a_sample_that_loses_two_judges_has_failed(sandbox: Sandbox) -> None:
    dies = "import os, signal\ndef check(candidate):\n    if candidate(1) != 2: os.kill(os.getpid(), signal.SIGKILL)\n"
    verdict = judged(sandbox, f"{dies}    assert candidate(1) == 2", WRONG)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.TIMEOUT, 0)
    assert "2 judges were lost" in verdict.detail


def test_a_lost_server_is_replaced_and_its_sample_judged() -> None:
    with Sandbox() as own:
        assert judged(own, ("assert f(1) == 2",)).passed
        running = own.companions.get(JudgeServer)._running
        assert running is not None
        os.kill(running._process.pid, signal.SIGKILL)
        assert judged(own, ("assert f(1) == 2",)).passed


def test_a_server_that_has_grown_is_replaced() -> None:
    with Sandbox() as own:
        server = own.companions.get(JudgeServer)
        assert judged(own, ("assert f(1) == 2",)).passed
        assert server._running is not None
        kept = "class Kept:\n    pass\none = Kept()\none.itself, one.much = one, [0] * 40_000_000"
        assert judged(own, ("assert f(1) == 2", kept)).passed
        assert server._running is None
        assert judged(own, ("assert f(1) == 2",)).passed


def test_tests_that_hang_are_ended(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(referee, "WALL_S", -6.5)
    verdict = judged(sandbox, ("import threading\nassert f(1) == 2", "threading.Event().wait()"))
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.TIMEOUT, 0)


def test_nothing_is_left_when_the_sandbox_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox() as own:
        assert judged(own, ("import os\nos.mkdir('x')", "assert f(1) == 2")).passed
        running = own.companions.get(JudgeServer)._running
        assert running is not None
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())
    assert running._process.returncode == 0
