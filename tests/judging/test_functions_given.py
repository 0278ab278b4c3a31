"""Functions that tests give to the program: by their code, so they run in its process alone."""

from __future__ import annotations

import pytest

from egca_plugin.errors import TaskError, WireError
from egca_plugin.judging.functions import told
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallStatus, Outcome, Task, Verdict

APPLY = "def apply(f, *args):\n    return f(*args)\n"
MEMOIZE = """
def memoize(f):
    seen = {}
    def inner(*args):
        if args not in seen:
            seen[args] = f(*args)
        return seen[args]
    return inner
"""


def judged(sandbox: Sandbox, source: str, body: str, reference: str = "", front: str = "") -> Verdict:
    name = (reference or source).split("def ")[1].split("(")[0]
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    tests = f"import functools, math, operator, pytest\nfrom solution import {name}\n{front}\ndef test_it():\n{lines}"
    return judge(sandbox, source, Task("t/1", "", name, reference or source, tests))


GIVEN = {
    "a lambda": "assert apply(lambda x: 2 * x, 4) == 8",
    "what it closes over": "k = 3\nassert apply(lambda x: k * x, 4) == 12",
    "its defaults": "assert apply(lambda x, y=5, *, z=(1, 2): x + y + z[1], 4) == 11",
    "a function of the module": "assert apply(double, 4) == 8",
    "one that uses another and a module": "assert apply(lambda x: double(math.floor(x)), 4.5) == 8",
    "one that calls itself": "assert apply(factorial, 5) == 120",
    "one in a list": "assert apply(lambda fs: [f(1) for f in fs], [double, lambda x: -x]) == [2, -1]",
    "a generator function": "def two(x):\n    yield x\n    yield x + 1\nassert list(apply(two, 1)) == [1, 2]",
    "one that raises": "with pytest.raises(ValueError, match='no 3'):\n    apply(refuse, 3)",
    "a partial": "assert apply(functools.partial(pow, 2), 3) == 8\n"
    "assert apply(functools.partial(functools.partial(between, 1), high=9), 4) == (1, 4, 9)",
    "a method of a text": "assert apply('-'.join, ['a', 'b']) == 'a-b'",
    "methods and functions of the library": "assert apply(str.upper, 'x') + apply(operator.add, 'y', 'z') == 'Xyz'\n"
    "assert apply(math.sqrt, 4) == 2 and apply(operator.itemgetter(1), 'ab') == 'b'",
}
FRONT = """
def double(x):
    return 2 * x

def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)

def between(low, x, high=5):
    return low, x, high

def refuse(x):
    raise ValueError(f"no {x}")
"""


@pytest.mark.parametrize("body", GIVEN.values(), ids=GIVEN)
def test_what_a_function_does_it_does_in_the_program(sandbox: Sandbox, body: str) -> None:
    assert judged(sandbox, APPLY, body, front=FRONT).passed
    assert not judged(sandbox, "def apply(f, *args):\n    return args\n", body, APPLY, FRONT).passed


DECORATED = (
    "@memoize\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nassert fib(90) == 2880067194370816120"
)


def test_a_decorated_functions_name_means_what_the_decorator_gives(sandbox: Sandbox) -> None:
    assert judged(sandbox, MEMOIZE, DECORATED).passed
    assert not judged(sandbox, "def memoize(f):\n    return lambda *a: 1 + f(*a)\n", DECORATED, MEMOIZE).passed
    given = f"{DECORATED}\nassert memoize(fib)(10) == 55"
    assert judged(sandbox, MEMOIZE, given).passed, "and it is a function like another"


def test_a_call_with_a_function_is_made_again_by_the_localiser(sandbox: Sandbox) -> None:
    reference = "def total(xs, f):\n    s = 0\n    for x in xs:\n        s += f(x)\n    return s\n"
    tests = ("assert total([1, 2, 3], lambda x: x * x) == 14", "assert total([], lambda x: x) == 0")
    task, wrong = Task("t/1", "", "total", reference, tests), reference.replace("s += f(x)", "s = f(x)")
    verdict = judge(sandbox, wrong, task)
    found = TraceLocalizer().localize(Case(task, wrong, (reference,), verdict, sandbox))
    assert found.verified
    assert "s = f(x)" in wrong[: found.spans[0].end].splitlines()[-1] + wrong[found.spans[0].end :].splitlines()[0]


NOTES = {
    "a lambda that appends": "seen = []\napply(lambda x: seen.append(x), 1)\nassert seen == [1]",
    "a list's own method": "seen = [1]\napply(seen.append, 2)\nassert seen == [1, 2]",
    "a counter of its calls": "count = {'n': 0}\ndef f(x):\n    count['n'] += 1\n    return x\n"
    "assert [apply(f, 1), apply(f, 2)] == [1, 2]\nassert count == {'n': 2}",
}


@pytest.mark.parametrize("body", NOTES.values(), ids=NOTES)
def test_what_a_function_notes_the_tests_can_read(sandbox: Sandbox, body: str) -> None:
    assert judged(sandbox, APPLY, body).passed
    assert not judged(sandbox, "def apply(f, *args):\n    return args[0]\n", body, APPLY).passed


def test_what_is_noted_when_the_program_calls_it_later_the_tests_can_read_too(sandbox: Sandbox) -> None:
    body = (
        "calls = []\n@memoize\ndef f(x):\n    calls.append(x)\n    return x\nassert [f(1), f(1), f(2)] == [1, 1, 2]\n"
    )
    assert judged(sandbox, MEMOIZE, body + "assert calls == [1, 2]").passed
    forgetful = "def memoize(f):\n    return lambda *a: f(*a)\n"
    assert judged(sandbox, forgetful, body + "assert calls == [1, 2]", MEMOIZE).tests_passed == 1


@pytest.mark.parametrize(
    "source",
    ["def run(f, xs):\n    return map(f, xs)\n", "def run(f, xs):\n    for x in xs:\n        yield f(x)\n"],
)
@pytest.mark.parametrize(
    "body",
    [
        "calls = []\nassert list(run(calls.append, [1, 2])) == [None, None]\nassert calls == [1, 2]",
        "calls = []\nfor _ in run(calls.append, [1, 2]):\n    pass\nassert calls == [1, 2]",
        "calls = []\nitems = run(calls.append, [1, 2])\nnext(items)\nassert calls == [1]",
        "calls = []\nlist(run(calls.append, [1]))\nlist(run(calls.append, [2]))\nassert calls == [1, 2]",
    ],
)
def test_what_it_notes_while_an_iterator_is_drawn_from_the_tests_can_read(
    sandbox: Sandbox, source: str, body: str
) -> None:
    assert judged(sandbox, source, body).passed


def test_what_it_notes_before_an_iterator_raises_the_tests_can_read(sandbox: Sandbox) -> None:
    source = "def run(f, xs):\n    for x in xs:\n        yield f(x)\n        if x == 2:\n            raise ValueError\n"
    body = "calls = []\nwith pytest.raises(ValueError):\n    list(run(calls.append, [1, 2, 3]))\nassert calls == [1, 2]"
    assert judged(sandbox, source, body).passed
    early = source.replace("yield f(x)\n        if x == 2:", "f(x)\n        if x == 2:") + "        yield x\n"
    assert judged(sandbox, early, body).passed


IDENTICAL = {
    "given back": ("def keep(f): return f\n", "assert keep(double) is double"),
    "in a list": ("def keep(*fs): return list(fs)\n", "assert keep(double, refuse) == [double, refuse]"),
    "twice": ("def keep(fs): return len(set(fs))\n", "assert keep([double, double, refuse]) == 2"),
    "from call to call": ("kept = []\ndef keep(f):\n    kept.append(f)\n    return kept.count(f)\n",
                          "assert [keep(double), keep(refuse), keep(double)] == [1, 1, 2]"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "body"), IDENTICAL.values(), ids=IDENTICAL)
def test_a_function_is_the_same_whenever_it_is_given_and_given_back(sandbox: Sandbox, source: str, body: str) -> None:
    assert judged(sandbox, source, body, front=FRONT).passed
    copying = "def keep(*fs): return [lambda x: f(x) for f in fs]\n"
    assert not judged(sandbox, copying, body, source, FRONT).passed


CHANGED = {
    "a name that now means what a decorator gave": "def f(n):\n    return 1 if n == 0 else 2 * f(n - 1)\n"
    "f = memoize(f)\nf(1)",
    "two decorators, one name": "@memoize\n@memoize\ndef f(n):\n    return 1 if n == 0 else 2 * f(n - 1)\nf(1)",
    "what a loop binds": "fs = []\nfor k in range(3):\n    fs.append(lambda: k)\ng = memoize(fs[0])\nk = 7\ng()",
    "a list that the tests empty": "xs = []\n@memoize\ndef f(x):\n    xs.append(x)\nf(1)\nxs.clear()\nf(2)",
}


@pytest.mark.parametrize("body", CHANGED.values(), ids=CHANGED)
def test_where_the_tests_have_changed_what_it_uses_nobody_knows_and_it_is_refused(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, MEMOIZE, f"{body}\nassert memoize(abs)(-1) == 1")
    assert verdict.outcome is Outcome.REFUSED


REFUSED = {
    "n = 0\ndef count(x):\n    nonlocal n\n    n += x\napply(count, 1)\nassert n == 1": "it changes n",
    "def count(x):\n    count.n += x\ncount.n = 0\napply(count, 1)\nassert count.n == 1": "an attribute of its own",
    "assert apply(lambda x: later(x), 1) == 1\nlater = abs": "'later' is not bound yet",
    "assert apply(lambda x: pytest.approx(x), 1) == 1": "it uses the module 'pytest'",
    "def f(x):\n    import solution\n    return x\nassert apply(f, 1) == 1": "it imports solution",
    "assert apply(operator.methodcaller('split', sep=','), 'a,b') == ['a', 'b']": "'methodcaller' cannot cross",
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.items(), ids=REFUSED.values())
def test_what_a_copy_could_not_do_is_refused(sandbox: Sandbox, body: str, reason: str) -> None:
    with pytest.raises(TaskError, match=reason):
        judged(sandbox, APPLY, body)


def test_a_function_does_not_say_in_which_test_it_stands(sandbox: Sandbox) -> None:
    """``test_double_of_4_returns_8`` would tell what is expected, and a line number which test it is."""
    telling = "def apply(f, x):\n    c = f.__code__\n    return c.co_qualname, c.co_firstlineno, c.co_filename\n"
    assert judged(sandbox, telling, "assert apply(lambda x: x, 4) == ('<lambda>', 1, '<tests>')").passed


def test_on_this_side_of_the_wire_it_is_data_that_nobody_can_call() -> None:
    secret = 7

    def function(x: int) -> int:
        return x + secret

    code = told(function)
    back = wire.decode(wire.encode(code))
    assert back == code
    assert not callable(back)
    assert wire.encode(told(function)) == wire.encode(code)


def test_a_program_that_answers_with_code_is_refused(sandbox: Sandbox) -> None:
    """Its functions stay in its process, and what it forges runs nowhere else: the localiser would run it."""
    forging = """
import sys
def apply(f, *args):
    frame = sys._getframe()
    while "functions" not in frame.f_globals:
        frame = frame.f_back
    return frame.f_globals["functions"].Code("evil", b"", None, None, (), ())
"""
    verdict = judged(sandbox, forging, "assert apply(abs, -1) == 1", APPLY)
    assert verdict.outcome is Outcome.REFUSED
    with pytest.raises(WireError, match="programs do not give"):
        wire.decode(wire.encode(told(lambda x: x)), codes=False)


def test_code_that_the_programs_python_cannot_read_is_refused(sandbox: Sandbox) -> None:
    """As another version's would be, where programs run on a server."""
    code = wire.Code("f", b"no code", None, None, (), ())
    (result,) = sandbox.run_calls(APPLY, [Call("apply", wire.encode(((code, 1), {})))])
    assert result.status is CallStatus.REFUSED


def test_the_program_cannot_make_the_tests_function_agree(sandbox: Sandbox) -> None:
    spoiling = "def apply(f, *args):\n    f.__code__ = (lambda *a: 8).__code__\n    return 9\n"
    assert judged(sandbox, spoiling, "assert apply(double, 4) == 8\nassert double(3) == 6", APPLY, FRONT).outcome in (
        Outcome.WRONG_ANSWER,
        Outcome.EXCEPTION,
    )
    assert judged(sandbox, APPLY, "assert apply(double, 4) == 8\nassert double(3) == 6", APPLY, FRONT).passed


def test_of_the_programs_functions_the_name_is_told_and_other_attributes_are_refused(sandbox: Sandbox) -> None:
    assert judged(sandbox, APPLY, "assert apply(abs, -1) == 1\nassert apply.__name__ == 'apply'").passed
    cached = f"from functools import lru_cache\n@lru_cache\n{APPLY}"
    verdict = judged(sandbox, cached, "assert apply(abs, -1) == 1\nassert apply.cache_info().hits == 0", APPLY)
    assert verdict.outcome is Outcome.REFUSED
