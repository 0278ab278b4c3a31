"""Programs of several functions: what tests import of the program, or use beside it in one namespace, is its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task

RIGHT = "def encode(s): return s[::-1]\ndef decode(s): return s[::-1]\n"
WRONG = "def encode(s): return s[::-1]\ndef decode(s): return s\n"
MISSING = "def encode(s): return s[::-1]\n"
BODY = "def test_both():\n    assert {0}encode('ab') == 'ba'\n    assert {0}decode('abc') == 'cba'\n"
IMPORTS = {
    "from": f"from solution import encode, decode\n{BODY.format('')}",
    "module": f"import solution\n{BODY.format('solution.')}",
    "alias": f"import solution as s\n{BODY.format('s.')}",
    "star": f"from solution import *\n{BODY.format('')}",
    "within": "def test_both():\n    from solution import encode, decode as back\n"
    "    assert encode('ab') == 'ba'\n    assert back('abc') == 'cba'\n",
    "asserts": ("from main import encode, decode\nassert encode('ab') == 'ba'", "assert decode('abc') == 'cba'"),
}


def task(tests: str | tuple[str, ...], reference: str = RIGHT, entry_point: str = "encode") -> Task:
    return Task("t/1", "", entry_point, reference, tests)


@pytest.mark.parametrize("reference", [RIGHT, ""], ids=["with a reference", "without"])
@pytest.mark.parametrize("tests", IMPORTS.values(), ids=IMPORTS)
def test_every_function_that_tests_import_is_the_programs(
    sandbox: Sandbox, tests: str | tuple[str, ...], reference: str
) -> None:
    assert judge(sandbox, RIGHT, task(tests, reference)).passed
    wrong = judge(sandbox, WRONG, task(tests, reference))
    assert (wrong.outcome, wrong.tests_passed, wrong.tests_total) == (Outcome.WRONG_ANSWER, 1, 2)
    missing = judge(sandbox, MISSING, task(tests, reference))
    assert (missing.outcome, missing.tests_passed) == (Outcome.EXCEPTION, 1)
    assert missing.error is not None
    assert missing.error.message == "name 'decode' is not defined"


@pytest.mark.parametrize(
    "decode",
    [
        "decode = lambda s: s[::-1]",
        "decode = encode",
        "from functools import *\ndecode = partial(encode)",
        "import functools\ndecode = functools.lru_cache(None)(encode)",
        "if True:\n    async def decode(s): return s[::-1]",
    ],
)
def test_a_function_is_one_however_the_reference_writes_it(decode: str) -> None:
    assert compile_checks(task(IMPORTS["from"], f"{MISSING}{decode}\n")).others == {"decode"}


def test_what_only_the_program_is_asked_for_needs_no_run_of_the_reference() -> None:
    checks = compile_checks(task(IMPORTS["from"], f"import os\n{RIGHT}"))
    assert checks.pure
    assert not checks.reference


def test_classes_constants_and_names_that_are_not_imported_stay_the_references(sandbox: Sandbox) -> None:
    reference = (
        "LIMIT = 3\nclass Pair(tuple): pass\ndef near(a, b): return abs(a - b) < LIMIT\n"
        "def encode(p): return [p[0] + p[1]]\n"
    )
    tests = (
        "from solution import LIMIT, Pair, encode\ndef test_sum():\n"
        "    assert encode(Pair([1, LIMIT])) == [4]\n    assert near(encode(Pair([1, 2]))[0], 4)\n"
    )
    lenient = "def near(a, b): return True\ndef encode(p): return [p[0] + p[1]]\n"
    assert compile_checks(task(tests, reference)).others == frozenset()
    assert judge(sandbox, lenient, task(tests, reference)).passed
    assert judge(sandbox, lenient.replace("+", "* 9 *"), task(tests, reference)).tests_passed == 0


def test_what_the_preamble_gives_to_every_program_is_not_the_programs_to_define(sandbox: Sandbox) -> None:
    given = "def same(a, b): return a == b\n"
    tests = "from solution import encode, same\ndef test_one():\n    assert same(encode('ab'), 'ba')\n"
    one = Task("t/1", "", "encode", f"{given}{RIGHT}", tests, preamble=given)
    assert compile_checks(one).others == frozenset()
    assert judge(sandbox, f"{given}{RIGHT}", one).passed
    assert not judge(sandbox, f"{given}def same(a, b): return True\ndef encode(s): return s\n", one).passed


STATE = "kept = []\ndef put(x): kept.append(x)\ndef get(): return kept\n"
PUT = (
    "from solution import get, put\ndef test_state():\n    put(1)\n    assert get() == [1]\n"
    "    put(2)\n    assert get() == [1, 2]\n"
)


def test_the_functions_of_a_program_share_its_state(sandbox: Sandbox) -> None:
    assert judge(sandbox, STATE, task(PUT, STATE, "put")).passed
    assert not judge(sandbox, STATE.replace("kept.append(x)", "pass"), task(PUT, STATE, "put")).passed


NODES = """
class Node:
    def __init__(self, value, left, right):
        self.value, self.left, self.right = value, left, right
def build(xs):
    half = len(xs) // 2
    return Node(xs[half], build(xs[:half]), build(xs[half + 1:])) if xs else None
def total(node):
    return node.value + total(node.left) + total(node.right) if node else 0
"""
TOTAL = (
    "{}\ndef test_total():\n    tree = build([1, 2, 3])\n    assert tree.left.value == 1\n    assert total(tree) == 6\n"
)


@pytest.mark.parametrize("imports", ["from solution import build, total", "from solution import build, total, Node"])
def test_what_one_function_gives_another_may_take(sandbox: Sandbox, imports: str) -> None:
    assert judge(sandbox, NODES, task(TOTAL.format(imports), NODES, "total")).passed
    assert (
        judge(sandbox, NODES.replace("xs[half],", "0,"), task(TOTAL.format(imports), NODES, "total")).tests_passed == 0
    )


TWICE = "def encode(x): return x + 1\ndef twice(f, x): return f(f(x))\ndef kept(f): return f\n"


@pytest.mark.parametrize("call", ["twice(encode, 3) == 5", "twice(x=3, f=encode) == 5", "kept(encode)(4) == 5"])
def test_a_function_of_the_programs_may_be_given_to_another(sandbox: Sandbox, call: str) -> None:
    tests = f"from solution import encode, kept, twice\ndef test_them():\n    assert {call}\n"
    assert judge(sandbox, TWICE, task(tests, TWICE)).passed
    assert not judge(sandbox, TWICE.replace("x + 1", "x"), task(tests, TWICE)).passed
    missing = judge(sandbox, TWICE.replace("def encode", "def code"), task(tests, TWICE))
    assert missing.error is not None
    assert missing.error.message == "name 'encode' is not defined"


GENERATORS = "def encode(n): yield from range(n)\ndef decode(n):\n    yield from range(n)\n    raise ValueError(n)\n"


def test_what_another_function_leaves_open_is_settled_as_its_call(sandbox: Sandbox) -> None:
    tests = (
        "from solution import decode\ndef test_some():\n    it = decode(3)\n    assert [next(it), next(it)] == [0, 1]\n"
    )
    (tested,) = judge(sandbox, GENERATORS, task(tests, GENERATORS)).calls
    assert (tested.call.function, tested.call.take, tested.passed) == ("decode", 2, True)


# --- without a reference ------------------------------------------------------------------------------------------


def test_without_a_reference_what_tests_call_is_the_programs(sandbox: Sandbox) -> None:
    tests = ("assert encode('ab') == 'ba'", "assert decode('abc') == 'cba'")
    assert judge(sandbox, RIGHT, task(tests, "")).passed
    assert judge(sandbox, WRONG, task(tests, "")).outcome is Outcome.WRONG_ANSWER
    assert judge(sandbox, MISSING, task(tests, "")).outcome is Outcome.EXCEPTION


def test_in_one_namespace_what_the_prompt_asks_for_is_the_programs_and_what_it_shows_the_references(
    sandbox: Sandbox,
) -> None:
    tests = ("assert decode(encode('ab')) == 'ab'", "assert decode('abc') == 'cba'")
    asked = replace(task(tests), prompt="Write encode(s), and decode(s) which undoes it.")
    assert judge(sandbox, RIGHT, asked).passed
    assert judge(sandbox, WRONG, asked).outcome is Outcome.WRONG_ANSWER
    assert judge(sandbox, MISSING, asked).outcome is Outcome.EXCEPTION
    for prompt in ("def decode(s):\n    ...\n\ndef encode(s):\n", "Write encode(s)."):
        given = replace(task(tests), prompt=prompt)
        assert judge(sandbox, MISSING, given).passed
        assert judge(sandbox, WRONG, given).passed, "nobody can redefine what tests check by"


@pytest.mark.parametrize(
    "tests",
    [
        "from solution import encode, LIMIT\ndef test_one():\n    assert encode(LIMIT) == 2\n",
        ("assert encode(LIMIT) == 2",),
    ],
)
def test_a_constant_that_nobody_gives_is_the_tasks_fault(sandbox: Sandbox, tests: str | tuple[str, ...]) -> None:
    with pytest.raises(TaskError, match="got LIMIT, which they do not define"):
        judge(sandbox, "LIMIT = 1\ndef encode(x): return 2", task(tests, ""))


def test_a_program_does_not_define_what_tests_assert_by(sandbox: Sandbox) -> None:
    tests = ("assert_equal(encode('ab'), 'ba')", "assert encode('x') == decode('x')")
    assert compile_checks(task(tests, "")).others == {"decode"}
    assert not judge(sandbox, "def assert_equal(a, b): pass\ndef encode(s): return s", task(tests, "")).passed
