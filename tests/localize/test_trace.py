"""The localiser ``trace`` from end to end: what is blamed, what proves it, and when it abstains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from egca_plugin.errors import ConfigError
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case, Reason
from egca_plugin.localize.confidence import MEASURED
from egca_plugin.localize.registry import LOCALIZERS, get
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Task

Localize = Callable[..., Localization]

REFERENCE = """
def f(xs):
    total = 0
    for x in xs:
        if x > 0:
            total += x * 2
    return total
"""
TESTS = ("assert f([1, 2, 3]) == 12", "assert f([]) == 0", "assert f([5, -1]) == 10", "assert f([0, -2, 4]) == 8")


def blamed(source: str, answer: Localization) -> list[str]:
    return [source[span.start : span.end] for span in answer.spans]


def test_a_wrong_constant_under_other_names_is_blamed_alone(localize: Localize) -> None:
    candidate = '''
def f(values):
    """Twice the sum of the positive values."""
    acc = 0
    for v in values:  # größer
        if v > 3:
            acc = acc + v * 2
    return acc
'''
    answer = localize(candidate, REFERENCE, *TESTS)
    assert blamed(candidate, answer) == ["3"]
    assert (answer.verified, answer.patch, answer.reason) == (True, "3 -> 0", "")
    assert answer.confidence > 0.9
    assert answer.reference == REFERENCE
    assert answer.divergence is not None
    assert answer.divergence.message == "line 6, first pass: the test `v > 3` is False, the reference has True"


def test_a_loop_meets_a_comprehension(localize: Localize) -> None:
    reference = "def f(xs):\n    return sum([x * 2 for x in xs if x > 0])\n"
    candidate = (
        "def f(xs):\n    out = 0\n    for x in xs:\n        if x > 0:\n            out += x * 3\n    return out\n"
    )
    answer = localize(candidate, reference, *TESTS)
    assert (blamed(candidate, answer), answer.verified) == (["3"], True)


def test_a_missing_statement_blames_the_decision_point(localize: Localize) -> None:
    reference = "def f(xs):\n    xs = list(xs)\n    xs.sort()\n    best = xs[0]\n    return best\n"
    candidate = "def f(xs):\n    xs = list(xs)\n    best = xs[0]\n    return best\n"
    answer = localize(candidate, reference, "assert f([3, 1, 2]) == 1", "assert f([1]) == 1", "assert f([5, 4]) == 4")
    assert answer.verified
    (span,) = answer.spans
    assert candidate.count("\n", 0, span.start) + 1 in (2, 3)
    assert span.end - span.start < 12


def test_a_crash_is_traced_to_the_definition(localize: Localize) -> None:
    reference = "def f(n):\n    size = n + 1\n    xs = [0] * size\n    xs[n] = 5\n    return xs\n"
    candidate = "def f(n):\n    size = n\n    xs = [0] * size\n    xs[n] = 5\n    return xs\n"
    answer = localize(candidate, reference, "assert f(2) == [0, 0, 5]", "assert f(0) == [5]")
    assert answer.verified
    assert candidate.count("\n", 0, answer.spans[0].start) + 1 == 2


def test_a_loop_without_end_is_localised(localize: Localize) -> None:
    reference = "def f(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\n"
    candidate = "def f(n):\n    i = 0\n    while i < n:\n        i -= 1\n    return i\n"
    answer = localize(candidate, reference, "assert f(3) == 3")
    assert answer.verified
    assert candidate.count("\n", 0, answer.spans[0].start) + 1 == 4


def test_what_the_tests_ask_behind_a_hang_is_learnt_from_the_verdict_on_a_patch(localize: Localize) -> None:
    """The candidate hangs in the first test, so nothing else is known of it; the first patches that work there fail."""
    reference = "def f(n):\n    p = 1\n    while n:\n        p = p * (n % 10)\n        n = n // 10\n    return p\n"
    candidate = (
        "def f(n):\n    out = 1\n    left = n\n    while left:\n        out = out * (left % 10)\n"
        "        left = left // 1\n    return out\n"
    )
    tests = ("assert f(1) == 1", "assert f(23) == 6", "assert f(111) == 1", "assert f(90) == 0", "assert f(457) == 140")
    answer = localize(candidate, reference, *tests)
    assert answer.verified
    assert answer.spans[0].start >= candidate.index("left = left")


def test_a_preamble_is_no_place_to_search(sandbox: Sandbox) -> None:
    preamble = "import math\n" + "".join(
        f"def helper{n}(values):\n    out = {n}\n    for v in values:\n        out += v\n    return out\n"
        for n in range(9)
    )
    own = "def f(xs):\n    total = 0\n    for x in xs:\n        total += {}\n    return total\n"
    task = Task("task", "", "f", preamble + own.format("x * 2"), ("assert f([1, 2]) == 6",), preamble=preamble)
    source = preamble + own.format("x * 3")
    case = Case(task, source, (task.reference,), judge(sandbox, source, task), sandbox)
    answer = TraceLocalizer().localize(case)
    assert (blamed(source, answer), answer.verified, answer.reference) == (["3"], True, task.reference)
    bare = replace(task, preamble="", reference=own.format("x * 2"))
    alone = own.format("x * 3")
    same = TraceLocalizer().localize(Case(bare, alone, (bare.reference,), judge(sandbox, alone, bare), sandbox))
    assert answer.trials == same.trials


def test_a_fault_outside_all_functions_is_found(localize: Localize) -> None:
    reference = "LIMIT = 10\ndef f(n):\n    return min(n, LIMIT)\n"
    candidate = "MOST = 11\ndef f(n):\n    return min(n, MOST)\n"
    answer = localize(candidate, reference, "assert f(20) == 10", "assert f(1) == 1", "assert f(11) == 10")
    assert (blamed(candidate, answer), answer.verified) == (["11"], True)


def test_a_fault_in_another_function_than_the_entry_point_is_found(sandbox: Sandbox) -> None:
    reference = "def f(xs):\n    return sum(xs)\n\ndef g(x, y):\n    return 2 * y - x\n"
    candidate = "def f(y):\n    return sum(y)\n\ndef g(x, y):\n    return 2 * y + x\n"
    tests = (
        "from solution import f, g\ndef test():\n    assert f([1, 2]) == 3\n"
        "    assert g(1, 5) == 9\n    assert g(3, 2) == 1\n"
    )
    task = Task("task", "", "f", reference, tests)
    answer = TraceLocalizer().localize(Case(task, candidate, (reference,), judge(sandbox, candidate, task), sandbox))
    assert (blamed(candidate, answer), answer.verified) == (["+"], True)


def test_where_functions_share_state_no_patch_is_believed_that_their_calls_alone_would_prove(sandbox: Sandbox) -> None:
    reference = "kept = []\ndef put(x):\n    kept.append(x)\n\ndef get():\n    return kept\n"
    candidate = reference.replace("return kept", "return kept[1:]")
    tests = "from solution import get, put\ndef test():\n    put(1)\n    assert get() == [1]\n"
    task = Task("task", "", "put", reference, tests)
    answer = TraceLocalizer().localize(Case(task, candidate, (reference,), judge(sandbox, candidate, task), sandbox))
    assert (blamed(candidate, answer), answer.reason) == (["return kept[1:]"], Reason.UNVERIFIED)


def test_the_nearest_reference_is_taken(localize: Localize) -> None:
    far = "def f(xs):\n    return sum(map(lambda x: max(x, 0) * 2, xs))\n"
    candidate = REFERENCE.replace("x > 0", "x >= 2")
    answer = localize(candidate, REFERENCE, *TESTS, others=(far,))
    assert answer.reference == REFERENCE


def test_without_a_proof_the_span_is_wide_and_says_so(localize: Localize) -> None:
    candidate = "def f(xs):\n    a = len(xs)\n    b = a * 7 - 3\n    return hash((a, b)) % 1000 - 2000\n"
    answer = localize(candidate, REFERENCE, *TESTS)
    assert not answer.verified
    assert answer.reason == Reason.UNVERIFIED.value
    assert answer.confidence == MEASURED["divergence"]
    assert answer.spans


def test_nothing_is_said_where_nothing_is_known(localize: Localize) -> None:
    assert localize(REFERENCE, REFERENCE, *TESTS).reason == Reason.PASSED.value
    assert localize("def f(:", REFERENCE, *TESTS).reason == Reason.DOES_NOT_COMPILE.value
    agreeing = localize("def f(xs):\n    return 1\n", "def f(xs):\n    return 1\n", "assert f([1]) == 2")
    assert (agreeing.reason, agreeing.spans) == (Reason.NO_DIFFERENCE.value, ())


def test_the_answer_is_the_same_every_time(localize: Localize) -> None:
    candidate = REFERENCE.replace("x * 2", "x * x")
    assert localize(candidate, REFERENCE, *TESTS) == localize(candidate, REFERENCE, *TESTS)


def test_a_name_stands_for_one_localiser() -> None:
    assert get("trace") is get("trace")
    assert all(get(name).name == name for name in LOCALIZERS if name != "debugger")
    with pytest.raises(ConfigError, match="'tracer', expected one of trace, uniform"):
        get("tracer")
