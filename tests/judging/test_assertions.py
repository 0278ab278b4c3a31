"""What counts as a test, which calls belong to it, and what tests that prove nothing are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.checks import VacuousTests, compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallStatus, Limits, Outcome, Task, Verdict

RIGHT = "def f(x):\n    return x + 1\n"
WRONG = "def f(x):\n    return x - 1\n"


def task(tests: str | tuple[str, ...], reference: str = RIGHT, setup: str = "") -> Task:
    return Task("t/1", "", "f", reference, tests, setup)


def judged(sandbox: Sandbox, tests: str | tuple[str, ...], source: str = RIGHT) -> Verdict:
    return judge(sandbox, source, task(tests), timeout_s=1.0)


def counts(verdict: Verdict) -> tuple[int, int]:
    return verdict.tests_passed, verdict.tests_total


# --- counting ---

LOOP = """
def check(candidate):
    for x, y in [(1, 2), (2, 3), (5, 6)]:
        got = candidate(x)
        assert got == y
"""


def test_each_pass_of_a_loop_is_a_test(sandbox: Sandbox) -> None:
    assert counts(judged(sandbox, LOOP)) == (3, 3)
    assert counts(judged(sandbox, LOOP, "def f(x): return 3 if x == 2 else 0")) == (1, 3)
    assert counts(judged(sandbox, ("for i in range(4):\n    assert f(i) == i + 1", "assert f(9) == 10"))) == (5, 5)


@pytest.mark.parametrize(
    "source",
    ["def f(x): return [][x]", "def f(x):\n    while True: pass", "import os\ndef f(x): os._exit(1)", "def g(x): pass"],
)
def test_no_program_makes_the_tests_fewer(sandbox: Sandbox, source: str) -> None:
    assert counts(judged(sandbox, LOOP, source)) == (0, 3)


def test_a_crash_before_the_assertion_fails_that_test_and_no_other(sandbox: Sandbox) -> None:
    verdict = judged(sandbox, LOOP, "def f(x):\n    return [0, 2][x] if x < 5 else 6")
    assert verdict.outcome is Outcome.EXCEPTION
    assert [(c.result.status, c.passed) for c in verdict.calls] == [
        (CallStatus.VALUE, True),
        (CallStatus.EXCEPTION, False),
        (CallStatus.VALUE, True),
    ]


def test_a_call_belongs_to_the_assertion_that_it_leads_to(sandbox: Sandbox) -> None:
    tests = """
def verify(got, want):
    assert got == want
def both(candidate, x):
    return candidate(x), candidate(x + 1)
def check(candidate):
    assert candidate(0) == 1
    verify(candidate(1), 2)
    a, b = both(candidate, 5)
    assert a == 6 and b == 7
"""
    verdict = judged(sandbox, tests, "def f(x): return x + 1 if x != 6 else 0")
    assert [c.passed for c in verdict.calls] == [True, True, False, False]
    assert len({c.test for c in verdict.calls}) == 3
    assert counts(verdict) == (2, 3)


def test_a_loop_that_counts_by_itself_still_ends(sandbox: Sandbox) -> None:
    body = "    i = 0\n    while i < 3:\n        got = candidate(i)\n        i += 1\n        assert got == i\n"
    tests = f"def check(candidate):\n{body}"
    assert counts(judged(sandbox, tests)) == (3, 3)
    assert judged(sandbox, tests, "def f(x): return [][x]").outcome is Outcome.EXCEPTION


@pytest.mark.parametrize(
    "body",
    [
        "try:\n        candidate('a')\n        assert False\n    except TypeError:\n        pass",
        "try:\n        candidate('a')\n    except TypeError:\n        return\n    assert False",
        "import contextlib\n    with contextlib.suppress(TypeError):\n        candidate('a')\n        assert False",
    ],
)
def test_an_expected_exception_is_the_tests_own(sandbox: Sandbox, body: str) -> None:
    tests = f"def check(candidate):\n    assert candidate(1) == 2\n    {body}\n"
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, "def f(x): return 2").passed


def test_a_helper_may_raise_what_its_caller_expects(sandbox: Sandbox) -> None:
    tests = """
def run(candidate, x):
    got = candidate(x)
    assert got is not None
    return got
def check(candidate):
    assert run(candidate, 1) == 2
    try:
        run(candidate, "a")
        failed = False
    except TypeError:
        failed = True
    assert failed
"""
    assert judged(sandbox, tests).passed


EXPECTS = """
import pytest, unittest
case = unittest.TestCase()
def must(ok):
    assert ok
def must_be_two(got):
    assert got is not None
    if got != 2:
        raise ValueError(got)
def test_f():
    {statement}
    must(f(2) == 3)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "with pytest.raises(AssertionError): must(f(1) == 3)",
        "with case.assertRaises(AssertionError): must(f(1) == 3)",
        "pytest.raises(AssertionError, must, f(1) == 3)",
        "case.assertRaises(AssertionError, must, f(1) == 3)",
        "with pytest.raises(ValueError): must_be_two(f(1) - 1)",
    ],
)
def test_a_failure_that_the_tests_expect_is_none(sandbox: Sandbox, statement: str) -> None:
    tests = EXPECTS.format(statement=statement)
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, "def f(x): return 3").passed, "nothing is raised"
    assert not judged(sandbox, tests, "def f(x): return 2").passed, "what is raised behind it counts"


NAMED = """
import pytest
from contextlib import nullcontext

@pytest.mark.parametrize(
    "x, y, expectation",
    [(1, 2, nullcontext()), (5, 6, nullcontext()), ("a", 0, pytest.raises(TypeError))],
)
def test_f(x, y, expectation):
    with expectation:
        assert f(x) == y

def test_kept():
    expected = pytest.raises(TypeError)
    with expected:
        f("a")
"""


def test_a_context_that_expects_may_have_a_name(sandbox: Sandbox) -> None:
    assert counts(judged(sandbox, NAMED)) == (4, 4)
    assert counts(judged(sandbox, NAMED, "def f(x): return 2")) == (1, 4)
    assert counts(judged(sandbox, NAMED, "def f(x): return [1][x]")) == (2, 4)
    for_itself = "import threading\nlock = threading.Lock()\ndef test_f():\n    with lock:\n        f(1)\n"
    with pytest.raises(VacuousTests):
        judged(sandbox, for_itself)


def test_a_failure_of_another_kind_than_expected_is_one(sandbox: Sandbox) -> None:
    tests = EXPECTS.format(statement="with pytest.raises(ValueError): must(f(1) == 3)")
    verdict = judged(sandbox, tests)
    assert (verdict.outcome, counts(verdict)) == (Outcome.WRONG_ANSWER, (2, 3))


@pytest.mark.parametrize(
    "statement",
    ["pytest.raises(TypeError, f, 'a')", "info = pytest.raises(TypeError, lambda: f('a'))\n    assert info.typename"],
)
def test_raises_with_the_call_in_it_is_an_assertion(sandbox: Sandbox, statement: str) -> None:
    tests = f"import pytest\ndef test_f():\n    {statement}\n"
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, "def f(x): return 2").passed
    with pytest.raises(VacuousTests):
        judged(sandbox, "import pytest\ndef test_f():\n    pytest.raises(TypeError, match='a')\n    f(1)\n")


def test_a_task_may_have_a_time_limit_of_its_own(sandbox: Sandbox) -> None:
    short = replace(task(("assert f(1) == 2",)), limits=Limits(time_s=0.2))
    verdict = judge(sandbox, "def f(x):\n    while True: pass", short)
    assert (verdict.outcome, verdict.ms < 2500) == (Outcome.TIMEOUT, True)


# --- names ---


@pytest.mark.parametrize(
    "tests",
    [
        "def check(candidate):\n    assert f(1) == 2\n",
        "def helper(x):\n    return f(x)\ndef check(candidate):\n    assert helper(1) == 2\n",
        ("def helper(x):\n    return f(x)", "assert helper(1) == 2"),
        ("assert candidate(1) == 2",),
    ],
)
def test_the_entry_point_is_the_candidate_whatever_the_reference_defines(
    sandbox: Sandbox, tests: str | tuple[str, ...]
) -> None:
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, WRONG).passed


def test_the_references_own_functions_keep_the_reference(sandbox: Sandbox) -> None:
    reference = "def f(x): return x + 1\ndef twice(x): return f(f(x))"
    tests = ("assert f(f(1)) == twice(1)",)
    assert judge(sandbox, reference, task(tests, reference)).passed
    assert not judge(sandbox, WRONG, task(tests, reference)).passed


# --- tests that prove nothing ---


@pytest.mark.parametrize(
    "tests",
    [
        ("f(1)",),
        ("f(1) == 2", "f(2) == 3"),
        ("print(f(1) == 2)",),
        ("assert (f(1) == 2, 'one')",),
        ("f(1)\nassert True",),
    ],
)
def test_tests_without_an_assertion_are_refused(sandbox: Sandbox, tests: tuple[str, ...]) -> None:
    with pytest.raises(VacuousTests, match=r"egca\.sandbox\.vacuous=allow"):
        judged(sandbox, tests)


def test_tests_that_assert_nothing_about_the_candidate_fail_closed(sandbox: Sandbox) -> None:
    verdict = judged(sandbox, ("assert 1 + 1 == 2", "f(1)"))
    assert (verdict.outcome, verdict.detail) == (Outcome.WRONG_ANSWER, "no assertion was about the candidate")


@pytest.mark.parametrize(
    ("body", "right", "wrong"),
    [
        ("if got is not None:\n        assert got == 1", "None", "2"),
        ("for one in got:\n        assert one == 1", "[]", "[2]"),
        ("if got == 2:\n        return\n    assert False", "2", "3"),
    ],
)
def test_a_program_may_reach_no_assertion_where_the_reference_reaches_none(
    sandbox: Sandbox, body: str, right: str, wrong: str
) -> None:
    tests = task(f"def check(candidate):\n    got = candidate(1)\n    {body}\n", f"def f(x): return {right}")
    for same in (tests.reference, f"def f(x):\n    return {right}"):
        verdict = judge(sandbox, same, tests)
        assert (verdict.outcome, counts(verdict), verdict.failed) == (Outcome.OK, (1, 1), None)
    assert judge(sandbox, f"def f(x): return {wrong}", tests).outcome is Outcome.WRONG_ANSWER


@pytest.mark.parametrize(
    ("tests", "reference"),
    [
        ("def check(candidate):\n    for one in candidate(1):\n        assert one == 1\n", "def f(x): return [1]"),
        ("def check(candidate):\n    for one in candidate(1):\n        assert one == 1\n", ""),
        ("def unused(x):\n    assert x\ndef check(candidate):\n    candidate(1)\n", "def f(x): return []"),
    ],
    ids=["the reference reaches some", "no reference", "no program reaches any"],
)
def test_else_a_program_that_reaches_none_has_failed(sandbox: Sandbox, tests: str, reference: str) -> None:
    verdict = judge(sandbox, "def f(x): return []", task(tests, reference))
    assert (verdict.outcome, verdict.detail) == (Outcome.WRONG_ANSWER, "no assertion was reached")


def test_vacuous_tests_can_be_allowed() -> None:
    with Sandbox(SandboxConfig(vacuous="allow")) as own:
        assert judged(own, ("f(1)",)).passed
        assert judged(own, ("f(1)",), "def f(x): return [][x]").outcome is Outcome.EXCEPTION


def test_a_helper_that_raises_is_an_assertion(sandbox: Sandbox) -> None:
    tests = ("def must(ok):\n    if not ok:\n        raise SystemExit('failed')", "must(f(1) == 2)")
    assert judged(sandbox, tests).passed
    assert not judged(sandbox, tests, WRONG).passed


def test_tests_that_fail_without_a_question_are_the_tasks_fault(sandbox: Sandbox) -> None:
    with pytest.raises(TaskError, match="undefined"):
        judged(sandbox, ("assert undefined(f) == 2",))


# --- purity ---


@pytest.mark.parametrize(
    ("tests", "pure"),
    [
        (("import math", "assert math.isclose(f(1), 2)"), True),
        (("from collections import *", "assert Counter([f(1)]) == {2: 1}"), True),
        (("class N:\n    pass", "n = N()\nn.x = 1\nassert f(n.x) == 2"), True),
        (("import math\nmath.pi = 3", "assert f(1) == 2"), False),
        (("from decimal import *\ngetcontext().prec = 3", "assert f(1) == 2"), False),
        (("import sys", "assert f(1) == 2"), False),
        (("exec('import sys')", "assert f(1) == 2"), False),
        (("len.__self__.x = 1", "assert f(1) == 2"), False),
        (("import os.path", "assert f(1) == 2"), False),
        (("import re\nre.sys.x = 1", "assert f(1) == 2"), False),
        (("import random", "random.seed(3)", "assert f(random.random())"), True),
        (("import random\nrandom.random = len", "assert f(1) == 2"), False),
        (("setattr(f, 'a', 1)", "assert f(1) == 2"), False),
    ],
)
def test_tests_are_run_in_place_only_where_they_change_nothing(tests: tuple[str, ...], pure: bool) -> None:
    assert compile_checks(task(tests)).pure is pure


def test_setup_and_needed_reference_count_for_purity() -> None:
    assert not compile_checks(task(("assert f(1) == 2",), setup="import sys")).pure
    reference = "import sys\ndef f(x): return x + 1\ndef g(x): return x"
    assert compile_checks(task(("assert f(1) == 2",), reference)).pure
    assert not compile_checks(task(("assert f(1) == g(2)",), reference)).pure
