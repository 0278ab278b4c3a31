"""unittest's classes are found, ordered, set up and torn down as its own runner does."""

from __future__ import annotations

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task, Verdict

RIGHT = "def f(x): return x + 1"
WRONG = "def f(x): return x - 1"


def judged(sandbox: Sandbox, tests: str, source: str = RIGHT) -> Verdict:
    return judge(sandbox, source, Task("t/1", "", "f", RIGHT, tests), timeout_s=1.0)


ORDER = """
import unittest
seen = []

class B(unittest.TestCase):
    def test_last(self):
        self.assertEqual((f(3), seen), (4, ["A.a", "A.b"]))

class A(unittest.TestCase):
    def test_b(self):
        seen.append("A.b")
        self.assertEqual(f(2), 3)
    def test_a(self):
        seen.append("A.a")
        self.assertEqual((f(1), seen), (2, ["A.a"]))
"""
MODULE = """
import unittest

def setUpModule():
    global start
    start = 1

def tearDownModule():
    assert f(start) == 2

class Cases(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(start), 2)
"""
LOCAL_BASE = """
from unittest import TestCase

class Base(TestCase):
    def setUp(self):
        self.start = 1

class Numbers(Base):
    def test_f(self):
        self.assertEqual(f(self.start), 2)
"""
ALL_INHERITED = """
import unittest

class Shared:
    def test_f(self):
        self.assertEqual(f(1), 2)

class Cases(Shared, unittest.TestCase):
    pass
"""
HIDDEN = """
import unittest

class _Cases(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(1), 2)
"""


@pytest.mark.parametrize(
    ("tests", "total"),
    [(ORDER, 3), (MODULE, 2), (LOCAL_BASE, 1), (ALL_INHERITED, 1), (HIDDEN, 1)],
    ids=["by name", "set-up of the module", "a base of the tests' own", "all inherited", "underscore"],
)
def test_as_unittest_runs_them(sandbox: Sandbox, tests: str, total: int) -> None:
    verdict = judged(sandbox, tests)
    assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (Outcome.OK, total, total)
    wrong = judged(sandbox, tests, WRONG)
    assert (wrong.outcome, wrong.tests_passed) == (Outcome.WRONG_ANSWER, 0)


BASE = """
import unittest

class Base(unittest.TestCase):
    n = 1
    def test_f(self):
        self.assertEqual(f(self.n), self.n + 1)

class Heir(Base):
    n = 2
"""
MARKED = """
import unittest, pytest

class Cases(unittest.TestCase):
    @pytest.mark.skip
    def test_never(self):
        self.assertEqual(f(1), 0)
    def test_f(self):
        self.assertEqual(f(1), 2)
"""


def test_a_base_with_tests_is_run_as_well_as_its_heirs(sandbox: Sandbox) -> None:
    assert judged(sandbox, BASE).tests_passed == 2
    assert judged(sandbox, BASE, "def f(x): return 2").tests_passed == 1


def test_what_a_mark_of_pytest_skips_is_not_run(sandbox: Sandbox) -> None:
    assert judged(sandbox, MARKED).passed
