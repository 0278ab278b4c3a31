"""pytest and unittest source as tests: found, run and counted; what cannot be run is refused by name."""

from __future__ import annotations

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.judging.checks import Form, compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task, Verdict

RIGHT = """
class Stack(list):
    pass
def twice(x):
    return 2 * f(x)
def f(x):
    if x < 0:
        raise ValueError("negative")
    return x + 1
"""
WRONG = "def f(x):\n    return x - 1\n"


def task(tests: str) -> Task:
    return Task("t/1", "", "f", RIGHT, tests)


def judged(sandbox: Sandbox, tests: str, source: str = RIGHT) -> Verdict:
    return judge(sandbox, source, task(tests), timeout_s=1.0)


def counts(verdict: Verdict) -> tuple[int, int]:
    return verdict.tests_passed, verdict.tests_total


FUNCTIONS = """
from solution import f, twice

def test_small():
    assert f(1) == 2
    assert f(2) == 3

def test_twice():
    for n in range(3):
        assert twice(n) == 2 * f(n)

if __name__ == "__main__":
    test_small()
"""
CLASSES = """
import solution

class TestF:
    def setup_method(self):
        self.start = 1
    def test_one(self):
        assert solution.f(self.start) == 2
    def test_two(self):
        assert solution.f(2) == 3

test = TestF
"""
UNITTEST = """
import unittest
from main import f

class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start = 1
    def setUp(self):
        self.want = self.start + 1
    def test_one(self):
        self.assertEqual(f(1), self.want)
    def test_more(self):
        for n in (3, 4):
            with self.subTest(n=n):
                self.assertEqual(f(n), n + 1)
    @unittest.skip("not for now")
    def test_never(self):
        self.assertEqual(f(1), 0)

if __name__ == "__main__":
    unittest.main()
"""
MARKS = """
import pytest

@pytest.fixture
def base():
    yield 10

@pytest.mark.parametrize("x, y", [(1, 2), (2, 3), pytest.param(3, 0, marks=pytest.mark.xfail)])
@pytest.mark.parametrize("z", [0, 1])
def test_pairs(x, y, z):
    assert f(x) == y

def test_fixture(base):
    assert f(base) == base + 1

def test_raises():
    with pytest.raises(ValueError, match="neg") as info:
        f(-1)
    assert info.type is ValueError

@pytest.mark.skip
def test_skipped():
    assert f(1) == 0

def test_skips_itself():
    if f(1) == 2:
        pytest.skip("enough")
    assert f(1) == 2

def test_close():
    assert f(0.1) == pytest.approx(1.1)
"""
FIXTURES = """
import pytest

made = []

@pytest.fixture(params=[1, 2, pytest.param(3, marks=pytest.mark.skip)], ids=str)
def number(request):
    made.append(request.param)
    request.addfinalizer(made.clear)
    return request.param

@pytest.fixture
def numbers(number):
    return [number]

@pytest.fixture(autouse=True, scope="module")
def start():
    return 0

@pytest.fixture
def tenfold(request):
    return 10 * request.param

def test_one_for_each_parameter(number):
    assert f(number) == number + 1

def test_each_is_made_once_for_a_test(number, numbers, start):
    assert [f(n) for n in numbers] == [made[0] + 1] and made == [number]

@pytest.mark.parametrize("tenfold, plain", [(1, 11), (2, 21)], indirect=["tenfold"])
def test_a_parameter_for_a_fixture(tenfold, plain):
    assert f(tenfold) == plain

@pytest.mark.usefixtures("number")
def test_only_used():
    assert f(made[-1]) == made[-1] + 1
"""
GROUPED = """
import pytest

def setup_module(module):
    module.start = 0

class TestBase:
    @classmethod
    def setup_class(cls):
        cls.step = 1

    def setup_method(self, method):
        self.name = method.__name__

    @pytest.fixture
    def result(self):
        return self.step + 1

    def test_a_fixture_of_the_class(self, result):
        assert f(self.step) == result and self.name == "test_a_fixture_of_the_class"

    @staticmethod
    def test_static():
        assert f(2) == 3

    @classmethod
    def test_of_the_class(cls):
        assert f(cls.step) == 2

class TestHeir(TestBase):
    def test_static(self):
        assert f(3) == 4
"""
NESTED = """
import pytest

class TestOuter:
    @pytest.fixture
    def start(self):
        return 1

    class TestInner:
        def test_a_fixture_of_the_class_around(self, start):
            assert f(start) == 2
        class TestInnermost:
            def test_again(self):
                for n in (2, 3):
                    assert f(n) == n + 1
        @pytest.mark.skip
        class TestSkipped:
            class TestWithin:
                def test_never(self):
                    assert f(1) == 0

    class Helper:
        def test_is_not_one(self):
            assert f(1) == 0

    def test_after(self):
        assert f(4) == 5

class TestHeir(TestOuter):
    pass
"""
MODULE = """
import pytest

pytestmark = [pytest.mark.skipif(False, reason=""), pytest.mark.parametrize("x", [1, 2])]

def setup_module(module):
    module.step = 1

def test_what_the_set_up_left(x):
    assert f(x) == x + step
"""
EXPECTED = """
import unittest

class TestF(unittest.TestCase):
    @unittest.expectedFailure
    def test_known_fault(self):
        self.assertEqual(f(1), 0)
    def test_one(self):
        self.assertEqual(f(1), 2)
"""


@pytest.mark.parametrize(
    ("tests", "unasked"),
    [
        (FUNCTIONS, 0),
        (CLASSES, 0),
        (UNITTEST, 1),
        (MARKS, 1),
        (FIXTURES, 0),
        (GROUPED, 0),
        (NESTED, 2),
        (MODULE, 0),
        (EXPECTED, 1),
    ],
    ids=["functions", "classes", "unittest", "marks", "fixtures", "grouped", "nested", "module", "expected"],
)
def test_forms(sandbox: Sandbox, tests: str, unasked: int) -> None:
    assert compile_checks(task(tests)).form is Form.SUITE
    verdict = judged(sandbox, tests)
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.OK, verdict.tests_total)
    failed = judged(sandbox, tests, WRONG)
    assert failed.outcome is Outcome.WRONG_ANSWER
    assert failed.tests_passed == unasked  # what is skipped


def test_every_assertion_of_every_function_is_counted(sandbox: Sandbox) -> None:
    assert counts(judged(sandbox, FUNCTIONS)) == (5, 5)
    twice = "def twice(x): return 2 * x + 2"
    assert counts(judged(sandbox, FUNCTIONS, f"def f(x): return x + (x != 2)\n{twice}")) == (3, 5)


def test_the_same_candidate_crashing_in_one_function_is_heard_in_the_next(sandbox: Sandbox) -> None:
    tests = "def test_a():\n    for x in f(1):\n        assert x\ndef test_b():\n    assert f(2) == 3\n"
    verdict = judged(sandbox, tests, "def f(x): return x + 1")
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 1)
    assert [c.passed for c in verdict.calls] == [False, True]


def test_each_parameter_of_a_fixture_is_a_test(sandbox: Sandbox) -> None:
    assert counts(judged(sandbox, FIXTURES)) == (8, 8)
    assert counts(judged(sandbox, FIXTURES, "def f(x): return x + (x != 2)")) == (5, 8)
    assert counts(judged(sandbox, GROUPED)) == (6, 6)


def test_the_tests_of_a_class_within_a_class_are_run(sandbox: Sandbox) -> None:
    assert counts(judged(sandbox, NESTED)) == (10, 10)  # twice four, and two that are never reached
    last = "def f(x): return x + (x != 3)"  # wrong in the innermost class alone
    assert counts(judged(sandbox, NESTED, last)) == (8, 10)


def test_a_module_that_is_skipped_asks_nothing(sandbox: Sandbox) -> None:
    skipped = "import pytest\npytestmark = pytest.mark.skip(reason='later')\n"
    functions = "def test_f():\n    assert f(1) == 2\n"
    cases = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"
    for tests in (functions, cases):
        with pytest.raises(TaskError, match="got no call"):
            judged(sandbox, skipped + tests)


def test_a_second_definition_in_the_tests_does_not_hide_the_candidate(sandbox: Sandbox) -> None:
    tests = "def f(x):\n    return x + 1\ndef test_f():\n    assert f(1) == 2\n"
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, WRONG).passed


def test_the_modules_are_gone_afterwards(sandbox: Sandbox) -> None:
    assert judged(sandbox, FUNCTIONS).passed
    seen = judged(sandbox, "import sys\ndef test_f():\n    assert 'solution' not in sys.modules and f(1) == 2\n")
    assert seen.passed


@pytest.mark.parametrize(
    ("tests", "named"),
    [
        ("def test_f(tmp_path):\n    assert f(len(tmp_path.parts)) == 2\n", "fixture 'tmp_path'"),
        ("async def test_f():\n    assert f(1) == 2\n", "asynchronous"),
        ("def helper():\n    assert f(1) == 2\n", "expected def check"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(sandbox: Sandbox, tests: str, named: str) -> None:
    with pytest.raises(TaskError, match=named):
        judged(sandbox, tests)


def test_what_the_stand_in_lacks_needs_the_real_one() -> None:
    assert compile_checks(task(MARKS)).standin
    assert compile_checks(task(MARKS)).pure
    for more in ("import pytest\npytest.warns", "from pytest import deprecated_call", "import pytest, numpy"):
        assert not compile_checks(task(f"{more}\n{FUNCTIONS}")).standin
