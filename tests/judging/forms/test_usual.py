"""Tests that were written for one namespace with the program use what it imports: without a reference they get it."""

from __future__ import annotations

import importlib.util

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

needs_numpy = pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs numpy beside the tests")
RIGHT = "def f(x): return x"
WRONG = "def f(x): return [x, x]"


def task(*tests: str, reference: str = "", setup: str = "") -> Task:
    return Task("t/1", "", "f", reference, tests, setup)


@pytest.mark.parametrize(
    "test",
    [
        "assert math.isclose(f(0.5), 0.5)",
        "assert isclose(f(0.5), 0.5)",
        "assert f([1, inf]) == [1, inf]",
        "assert f(Counter('ab')) == Counter('ba')",
        "assert list(f(collections.deque([1]))) == [1]",
        "assert f(Decimal('0.1')) == Decimal('0.10')",
        "assert f(datetime.date(2020, 1, 2)) == datetime.date(2020, 1, 2)",
        "assert f(datetime(2020, 1, 2)) == datetime.strptime('2020-1-2', '%Y-%m-%d')",
        "def near(x: List[int]): return re.match('a', f('ab')).end()\nassert near(1) == 1",
        "assert sorted(f(random.sample([1, 2], 2))) == [1, 2]",
        pytest.param("assert np.array_equal(f([1, 2]), [1, 2])", marks=needs_numpy),
    ],
)
def test_what_programs_import_tests_need_not(sandbox: Sandbox, test: str) -> None:
    assert judge(sandbox, RIGHT, task(test)).passed
    assert not judge(sandbox, WRONG, task(test)).passed


def test_behind_what_must_stand_first(sandbox: Sandbox) -> None:
    setup = '"""For all."""\nfrom __future__ import annotations\nLIMIT = math.inf\n'
    assert judge(sandbox, RIGHT, task("assert f(1) < LIMIT", setup=setup)).passed


def test_no_program_defines_what_tests_compare_by(sandbox: Sandbox) -> None:
    cheat = "def isclose(a, b): return True\ndef f(x): return 7"
    assert judge(sandbox, RIGHT, task("assert isclose(f(1), 1)")).passed
    assert not judge(sandbox, cheat, task("assert isclose(f(1), 1)")).passed


def test_what_the_tests_define_themselves_is_theirs(sandbox: Sandbox) -> None:
    near = "def isclose(a, b): return abs(a - b) < math.e"
    assert judge(sandbox, "def f(x): return x + 1", task("assert isclose(f(1), 1)", setup=near)).passed


def test_where_there_is_a_reference_it_has_what_tests_need() -> None:
    checks = compile_checks(task("assert isclose(f(1), math.inf)", reference=f"from math import isclose\n{RIGHT}"))
    assert (checks.names, checks.imports) == ({"isclose", "math"}, ())
    assert compile_checks(task("assert isclose(f(1), math.inf)")).imports == ("math",)


@pytest.mark.parametrize(
    ("test", "imports", "pure"),
    [
        ("assert math.pi > f(1)", ("math",), True),
        ("assert copy(f(1))", (), True),
        ("assert f(os.sep)", ("os",), False),
        ("assert f(1) == 1", (), True),
    ],
)
def test_only_what_is_used_is_imported_and_counts_as_if_the_tests_did(
    test: str, imports: tuple[str, ...], pure: bool
) -> None:
    checks = compile_checks(task(test))
    assert (checks.imports, checks.pure) == (imports, pure)
