"""What tests see of a program's values is what they would see in one process with it, or is refused by name."""

from __future__ import annotations

from textwrap import indent

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallStatus, Outcome, Task, Verdict

NODE = """
class Node:
    def __init__(self, val, next=None):
        self.val, self.next = val, next
"""


def judged(
    sandbox: Sandbox, source: str, check: str, reference: str = "", entry_point: str = "f", own: str = ""
) -> Verdict:
    """``check``: the body of ``check(candidate)``; ``own``: what stands in front of that."""
    tests = own + "\ndef check(candidate):\n" + indent(check.strip(), "    ") + "\n"
    return judge(sandbox, source, Task("t/1", "", entry_point, reference or source, tests), timeout_s=2)


# --- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "check", "holds"),
    [
        ("def f(xs): return xs", "a = []\nassert f(a) is a", True),
        ("def f(xs): return list(xs)", "a = []\nassert f(a) is a", False),
        ("def f(xs): return xs", "a = [1]\nb = f(a)\nb.append(2)\nassert a == [1]", False),
        ("def f(n): return [[0] * n] * n", "g = f(2)\ng[0][0] = 1\nassert g == [[1, 0], [0, 0]]", False),
        ("def f(n): return [[0] * n for _ in range(n)]", "g = f(2)\ng[0][0] = 1\nassert g == [[1, 0], [0, 0]]", True),
        ("def f(a, b):\n    a.append(1)\n    return len(b)", "x = []\nassert f(x, x) == 1 and f([], []) == 0", True),
        ("def f(rows): rows.reverse()", "a, b = [1], [2]\nr = [a, b]\nf(r)\nassert r[0] is b and a == [1]", True),
        ("def f(d): return d.setdefault('k', [])", "d = {}\nf(d).append(1)\nassert d == {'k': [1]}", True),
        ("def f(t):\n    t[0].append(1)\n    return t", "x = []\nassert f((x,)) == ([1],) and x == [1]", True),
        ("def f(a, b): a.append(b)", "a, b = [], [1]\nf(a, b)\nassert a[0] is b", True),
        ("def f(xs): xs[:] = [xs[:], xs[:]]", "a = [1]\nf(a)\nassert a == [[1], [1]] and a[0] is not a[1]", True),
        ("def f(s): s.add(2)", "s = {1}\nf(s)\nassert s == {1, 2}", True),
        ("def f(q): q.rotate(1)",
         "from collections import deque\nq = deque([1, 2], 5)\nf(q)\nassert [*q] == [2, 1]", True),
        ("def f(a):\n    a.reverse()\n    return a",
         "from array import array\na = array('i', [1, 2])\nassert f(a) is a and [*a] == [2, 1]", True),
        ("def f(u): u.append(2)",
         "from collections import UserList\nu = UserList([1])\nf(u)\nassert u == [1, 2] and type(u) is UserList", True),
    ],
)  # fmt: skip
def test_identity_and_changes_in_place(sandbox: Sandbox, source: str, check: str, holds: bool) -> None:
    verdict = judged(sandbox, source, f"f = candidate\n{check}")
    assert (verdict.outcome, verdict.passed) == (Outcome.OK if holds else Outcome.WRONG_ANSWER, holds)


# --- iterators and functions ------------------------------------------------------------------------------------------

COUNT = "def f(n=0):\n    while True:\n        yield n\n        n += 1"


@pytest.mark.parametrize(
    ("source", "check", "holds"),
    [
        (COUNT, "g = candidate()\nassert [next(g) for _ in range(10)] == list(range(10))", True),
        (COUNT, "import itertools\nassert list(itertools.islice(candidate(5), 3000))[-1] == 3004", True),
        ("def f():\n    yield 6\n    yield 28\n    while True: pass",
         "g = candidate()\nassert next(g) + next(g) == 34", True),
        ("def f(n): yield from range(n)", "import inspect\ng = candidate(2)\nassert inspect.isgenerator(g)", True),
        ("def f(n):\n    yield n\n    return 5", "g = candidate(1)\nassert next(g) == 1\ntry: next(g)\n"
         "except StopIteration as end: assert end.value == 5", True),
        ("def f():\n    yield 1\n    raise ValueError('two')", "g = candidate()\nassert next(g) == 1\ntry: next(g)\n"
         "except ValueError as err: assert str(err) == 'two'\nelse: assert False", True),
        ("def f(xs):\n    path = []\n    for x in xs:\n        path.append(x)\n        yield path",
         "assert list(candidate([1, 2])) == [[1], [1, 2]]", False),
        ("def f(xs):\n    for x in xs:\n        xs.append(0)\n        yield x\n        return",
         "a = [1]\ng = candidate(a)\nassert a == [1]\nassert next(g) == 1 and a == [1, 0]", True),
        ("def f(xs): return map(str, xs)", "m = candidate([1])\nassert isinstance(m, map) and list(m) == ['1']", True),
        ("def f(xs): return filter(None, xs)", "assert type(candidate([0, 1])) is filter", True),
        ("def f(xs): return zip(xs, xs)", "assert dict(candidate([1])) == {1: 1}", True),
        ("class C:\n    def __init__(self): self.n = 0\n    def __iter__(self): return self\n    def __next__(self):\n"
         "        self.n += 1\n        return self.n\ndef f(): return C()",
         "g = candidate()\nassert next(g) + next(g) == 3", True),
        ("def f(n):\n    def add(x): return x + n\n    return add", "add = candidate(3)\nassert add(4) == 7\n"
         "assert add.__name__ == 'add'", True),
        ("def f(n): return [lambda: i for i in range(n)]", "assert [g() for g in candidate(2)] == [0, 1]", False),
        ("def f():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    return up, lambda: n",
         "up, get = candidate()\nup()\nup()\nassert get() == 2", True),
        ("def f(g): return lambda x: g(g(x))", "assert candidate(candidate(abs))(-3) == 3", True),
        ("async def f(x): return x + 1", "import asyncio\nassert asyncio.run(candidate(1)) == 2", True),
    ],
)  # fmt: skip
def test_iterators_and_functions_run_on_in_their_process(
    sandbox: Sandbox, source: str, check: str, holds: bool
) -> None:
    verdict = judged(sandbox, source, check)
    assert (verdict.outcome, verdict.passed) == (Outcome.OK if holds else Outcome.WRONG_ANSWER, holds)


def test_call_is_kept_with_as_many_items_as_the_tests_took(sandbox: Sandbox) -> None:
    """So that it can be made again, by a program of which no test will ask for more."""
    verdict = judged(sandbox, COUNT, "g = candidate(7)\nassert next(g) == 7 and next(g) == 9")
    (tested,) = verdict.calls
    assert tested.call.take == 2
    (again,) = sandbox.run_calls(COUNT, [tested.call])
    assert (again.status, again.value) == (CallStatus.VALUE, tested.result.value)


def test_item_that_is_never_reached_is_a_timeout(sandbox: Sandbox) -> None:
    source = "def f():\n    yield 1\n    while True: pass"
    assert judged(sandbox, source, "assert list(candidate()) == [1]").outcome is Outcome.TIMEOUT


@pytest.mark.parametrize("mark", ["contextmanager", "asynccontextmanager"])
def test_context_managers_are_refused(sandbox: Sandbox, mark: str) -> None:
    kind = "async " if mark[0] == "a" else ""
    source = f"from contextlib import {mark}\n@{mark}\n{kind}def f(x):\n    yield x"
    verdict = judged(sandbox, source, "with candidate(2) as x: assert x == 2")
    assert verdict.outcome is Outcome.REFUSED
    assert "ContextManager' cannot cross" in verdict.detail


# --- classes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("from enum import Enum\nclass C(Enum): RED = 1\ndef f(): return C.RED", "assert candidate() is C.RED"),
        ("from enum import IntEnum\nclass P(IntEnum): LOW, HIGH = 1, 2\ndef f(): return P.HIGH",
         "assert candidate() == 2 and candidate().name == 'HIGH'"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(x): return P(x)",
         "assert candidate(1) == P(1) != candidate(2) and repr(candidate(1)) == 'P(x=1)'"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(x): return P(x)",
         "assert candidate(1) == candidate(1) != candidate(2) and candidate(3).x == 3"),
        ("from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(): return P(1, 2)",
         "assert candidate() == (1, 2) and candidate().y == 2 and type(candidate()) is P"),
        ("class Celsius(float): pass\ndef f(): return Celsius(1.5)", "assert candidate() == 1.5"),
        ("class Words(list): pass\ndef f(): return Words('ab')", "assert candidate() == ['a', 'b']"),
        (NODE + "def f(xs):\n    head = None\n    for x in reversed(xs): head = Node(x, head)\n    return head",
         "n, seen = candidate(list(range(2000))), []\nwhile n:\n    seen.append(n.val)\n    n = n.next\n"
         "assert seen == list(range(2000))"),
        (NODE + "def f(n):\n    last = None\n    while n: n.next, last, n = last, n, n.next\n    return last",
         "a = Node(1, Node(2))\nb = a.next\nassert candidate(a) is b and b.next is a and a.next is None"),
        ("def f(n):\n    slow = n\n    while n and n.next:\n        slow, n = slow.next, n.next.next\n"
         "        if n is slow: return True\n    return False",
         NODE + "a = Node(1, Node(2))\nassert not candidate(a)\na.next.next = a\nassert candidate(a)"),
        ("import copy\ndef f(n): return copy.deepcopy(n)", NODE + "a = Node(1)\na.next = a\nb = candidate(a)\n"
         "assert b is not a and b.next is b and type(b) is Node"),
    ],
)  # fmt: skip
def test_instances_of_own_classes(sandbox: Sandbox, source: str, check: str) -> None:
    assert judged(sandbox, source, check).passed


STACK = """
class Stack:
    def __init__(self): self.items = [1]
    def push(self, x): self.items.append(x)
    def __len__(self): return len(self.items)
def make(): return Stack()
"""


@pytest.mark.parametrize("use", ["s.push(2)", "len(s)", "s.push", "hasattr(s, 'push')"])
@pytest.mark.parametrize("entry_point", ["make", "Stack"])
def test_method_of_a_programs_class_is_refused_by_name(sandbox: Sandbox, use: str, entry_point: str) -> None:
    """Not run here, and not taken from the reference: no program could be told from another by it."""
    verdict = judged(
        sandbox, STACK, f"s = candidate()\nassert s.items == [1]\nassert {use} is not s", STACK, entry_point
    )
    assert verdict.outcome is Outcome.REFUSED
    assert "own class 'Stack'" in verdict.detail


OWN = """
import re
class H:
    def __init__(self, a): self.a = a
    def total(self): return self.a
    def __lt__(self, other): return self.a < other.a
    def __str__(self): return "H"
"""


@pytest.mark.parametrize(
    ("program", "given", "word"),
    [
        ("return h.total()", "H(3)", "'total' of the tests' own class 'H'"),
        ("return sorted([h, h])", "H(3)", "'__lt__' of the tests' own class 'H'"),
        ("return str(h)", "H(3)", "'__str__' of the tests' own class 'H'"),
        ("return h.match('a') is not None", "re.compile('a')", "'match' of a compiled regular expression"),
        ("yield h.total()", "H(3)", "'total' of the tests' own class 'H'"),
    ],
)
def test_what_an_argument_cannot_do_in_the_programs_process_is_refused_there(
    sandbox: Sandbox, program: str, given: str, word: str
) -> None:
    """No line of the program is at fault, and no test that expects an exception takes it for one."""
    check = f"try: assert list(candidate({given})) == [1]\nexcept BaseException: pass"
    verdict = judged(sandbox, f"def f(h):\n    {program}", check, "def f(h): return [1]", own=OWN)
    assert (verdict.outcome, verdict.error, verdict.passed) == (Outcome.REFUSED, None, False)
    assert word in verdict.detail


_ALWAYS = "    def __eq__(self, other): return True\n    __contains__ = __eq__\n"
LIARS = {
    "int": f"class E(int):\n{_ALWAYS}    __hash__ = int.__hash__\ndef f(): return E(1)",
    "str": f"class E(str):\n{_ALWAYS}def f(): return E('')",
    "list": f"class E(list):\n{_ALWAYS}    def __len__(self): return 2\ndef f(): return E()",
    "object": f"class E:\n{_ALWAYS}def f(): return E()",
    "dataclass": f"import dataclasses\n@dataclasses.dataclass\nclass E:\n    x: int = 0\n{_ALWAYS}def f(): return E()",
}


@pytest.mark.parametrize("kind", LIARS)
@pytest.mark.parametrize(
    "check", ["assert candidate() == [1, 2]", "assert [1, 2] == candidate()", "assert candidate() in [[1, 2], 2, '2']"]
)
def test_operators_of_a_program_never_decide(sandbox: Sandbox, kind: str, check: str) -> None:
    verdict = judged(sandbox, LIARS[kind], check, "def f(): return [1, 2]")
    assert verdict.outcome in (Outcome.WRONG_ANSWER, Outcome.REFUSED)


# --- exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("def f(): raise KeyError('k')", "except KeyError as e: assert str(e) == repr('k')"),
        ("def f(): raise KeyError(-1)", "except KeyError as e: assert e.args == (-1,)"),
        ("def f(): raise FileNotFoundError(2, 'gone')", "except OSError as e: assert e.errno == 2"),
        ("def f(): b'\\xff'.decode('utf-8')", "except UnicodeDecodeError as e: assert e.start == 0"),
        ("def f(): return next(iter(()))", "except StopIteration: pass"),
        ("import sys\ndef f(): sys.exit(2)", "except SystemExit as e: assert e.code == 2"),
        ("import json\ndef f(): json.loads('x')", "except json.JSONDecodeError as e: assert e.pos == 0"),
        ("class Bad(ValueError):\n    def __init__(self, code):\n        super().__init__('code %d' % code)\n"
         "        self.code = code\ndef f(): raise Bad(3)",
         "except Bad as e: assert (e.code, str(e)) == (3, 'code 3')"),
        ("class Bad(ValueError):\n    def __str__(self): return 'my own'\ndef f(): raise Bad",
         "except ValueError as e: assert (str(e), type(e).__name__) == ('my own', 'Bad')"),
        ("def f():\n    try: 1 / 0\n    except ZeroDivisionError as e: raise ValueError from e",
         "except ValueError as e: assert type(e.__cause__) is ZeroDivisionError"),
    ],
)  # fmt: skip
def test_exceptions_as_they_were_raised(sandbox: Sandbox, source: str, check: str) -> None:
    check = f"try: candidate()\n{check}\nelse: assert False, 'nothing raised'"
    assert judged(sandbox, source, check, own="import json").passed


def test_exception_of_the_tests_own_class(sandbox: Sandbox) -> None:
    own = "class Negative(ValueError): pass\n"
    check = "try:\n    candidate()\n    assert False\nexcept Negative: pass"
    assert judged(sandbox, own + "def f(): raise Negative('neg')", check, own=own).passed
    assert not judged(sandbox, "def f(): raise ValueError('neg')", check, own=own).passed


@pytest.mark.parametrize(
    "loop", ["all(map(candidate, [1]))", "not list(map(candidate, [1]))", "next(map(candidate, [1]), 1)"]
)
def test_stop_iteration_that_only_a_loop_met_is_a_failure(sandbox: Sandbox, loop: str) -> None:
    verdict = judged(sandbox, "def f(x): raise StopIteration", f"assert {loop}", "def f(x): return 1")
    assert verdict.outcome is Outcome.EXCEPTION


@pytest.mark.parametrize("error", ["SystemExit(0)", "KeyboardInterrupt", "GeneratorExit", "BaseException"])
def test_whatever_a_program_raises_ends_no_more_than_its_test(sandbox: Sandbox, error: str) -> None:
    source = f"def f(x):\n    if x == 1: raise {error}\n    return x"
    verdict = judged(sandbox, source, "assert candidate(1) == 1\nassert candidate(2) == 2", "def f(x): return x")
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.EXCEPTION, 1)
