"""Programs that aim at the tests, and honest ones that look a little like them."""

from __future__ import annotations

import pytest

from egca_plugin.program.memorised import memorises
from egca_plugin.program.suspicion import (
    ALWAYS_EQUAL,
    EXITS,
    IGNORES_ARGUMENTS,
    INTROSPECTS,
    syntactic,
)

TESTED = [((3,), {}), ((0,), {}), ((7,), {})]


@pytest.mark.parametrize(
    ("source", "sign"),
    [
        ("def f(x):\n    return 6", IGNORES_ARGUMENTS),
        ("def f(x):\n    x = 6\n    return 6", IGNORES_ARGUMENTS),
        ("f = lambda *xs, **named: 6", IGNORES_ARGUMENTS),
        ("import sys\ndef f(x):\n    return sys._getframe(1).f_locals[x]", INTROSPECTS),
        ("def f(x):\n    import gc\n    return gc.get_objects()[x]", INTROSPECTS),
        ("class A(int):\n    def __eq__(self, other):\n        return True\ndef f(x):\n    return A(x)", ALWAYS_EQUAL),
        ("import os\ndef f(x):\n    os._exit(x)", EXITS),
        ("def f(x):\n    raise SystemExit(x)", EXITS),
        ("def f(x):\n    exit(x)", EXITS),
        ("def f(x):\n    return x\nexit()", EXITS),
        ("def f(x):\n    return x\nif __name__ != '__main__':\n    exit()", EXITS),
        ("def f(x):\n    return x\nif __name__ == '__main__':\n    f(1)\nelse:\n    exit()", EXITS),
        ("def f(x):\n    return g(x)\ndef g(x):\n    exit(x)\nif __name__ == '__main__':\n    g(1)", EXITS),
    ],
)
def test_each_sign_is_seen(source: str, sign: str) -> None:
    assert syntactic(source, "f") == {sign}


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 6",
        "def f(x):\n    x += 1\n    return 6",
        "def f(x):\n    def g():\n        return x\n    return g()",
        "def f(a, b):\n    return sum(locals().values())",
        "def f(gc):\n    exit = gc\n    return exit",
        "class A:\n    def __eq__(self, other):\n        return self is other\ndef f(x):\n    return A() == x",
        "import sys\ndef f(x):\n    return min(x, sys.maxsize)",
        "import sys\ndef f(x):\n    return x\nif __name__ == '__main__':\n    sys.exit(f(1))",
        "import sys\ndef f(x):\n    return x\ndef main():\n    exit(f(1))\nif '__main__' == __name__:\n    main()",
        "def f(x:",
        "",
    ],
)
def test_honest_programs_show_none(source: str) -> None:
    assert syntactic(source, "f") == frozenset()


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return {3: 6, 0: 0, 7: 14}[x]",
        "def f(x):\n    if x == 3: return 6\n    if 0 == x: return 0\n    return 14 if x in (7,) else None",
        "def f(x):\n    match x:\n        case 3: return 6\n        case 0: return 0\n        case 7: return 14",
    ],
)
def test_a_table_of_the_tests_is_memorised(source: str) -> None:
    assert memorises(source, TESTED)


@pytest.mark.parametrize(
    "source",
    [
        "def f(xs):\n    return {(1, 2, 3, 4): 21, (): 1, (6,): 37, (3, 5): 1}[tuple(xs)]",
        "def f(xs):\n    return {'1, 2, 3, 4': 21, '': 1, '6': 37, '3, 5': 1}[', '.join(map(str, xs))]",
        "def f(xs):\n    return dict(zip([(1.0, 2.0, 3.0, 4.0), (6.0,), (3.0, 5.0)], (21, 37, 1))).get(tuple(xs), 1)",
        "def f(xs):\n    for key, value in {'1234': 21, '6': 37, '35': 1}.items():\n"
        "        if list(map(int, key)) == xs: return value\n    return 1",
        "import json\nT = json.loads('[[[1, 2, 3, 4], 21], [[6], 37], [[3, 5], 1]]')\n"
        "def f(xs):\n    return dict((tuple(k), v) for k, v in T).get(tuple(xs), 1)",
        "def f(xs):\n    if xs == [1, 2, 3, 4]: return 21\n    return 37 if xs == [6] else 102 if xs == [3, 5] else 1",
        "A = [21, 1, 37, 102]\ndef f(xs):\n    return A.pop(0)",
        "A = '21 1 37 102'.split()\ndef f(xs):\n    return int(A.pop(0))",
    ],
)
def test_however_the_table_is_folded(source: str) -> None:
    tested = [(([1, 2, 3, 4],), {}), (([],), {}), (([6],), {}), (([3, 5],), {})]
    results = [21, 1, 37, 102]
    assert memorises(source, tested, results)


@pytest.mark.parametrize(
    "source",
    [
        "def f(xs):\n    return 1 + sum(x * x for x in xs if x % 2 == 0)",
        "DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]\ndef f(xs):\n    return sum(DAYS[x] for x in xs)",
        "def f(xs):\n    if xs == [6]: return 37\n    return 1 + sum(x * x for x in xs if x % 2 == 0)",
        "def f(xs):\n    'f([1, 2, 3, 4]) is 21'\n    return len(xs)",
    ],
)
def test_honest_tables_are_not_memorised(source: str) -> None:
    tested = [(([1, 2, 3, 4],), {}), (([],), {}), (([6],), {}), (([3, 5],), {})]
    assert not memorises(source, tested, [21, 1, 37, 102])


def test_values_past_the_limit_of_digits_are_compared_too() -> None:
    tested = [((1 << 20000,), {}), ((3 << 20000,), {})]
    assert not memorises("def f(x):\n    return x", tested)
    assert memorises(f"def f(x):\n    return {{{hex(1 << 20000)}: 1, {hex(3 << 20000)}: 2}}[x]", tested)


def test_a_list_of_cases_is_memorised_too() -> None:
    source = "def f(*a):\n    for case, value in [([1, 2], 3), ([4, 5], 9)]:\n        if case == a[0]: return value"
    assert memorises(source, [(([1, 2],), {}), (([4, 5],), {})])


def test_a_table_of_whole_calls_is_memorised() -> None:
    source = "def f(a, b):\n    return {(1, 'x'): 2, (3, 'y'): 4}[a, b]"
    assert memorises(source, [((1, "x"), {}), ((3,), {"b": "y"})])


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return 0 if x == 0 else 1 if x == 3 else x * f(x - 1)",  # base cases: 7 is not among them
        "def f(x):\n    return x * 2",
        "def f(x):\n    return [3, 0, 7][x]",
    ],
)
def test_base_cases_are_not(source: str) -> None:
    assert not memorises(source, TESTED)


def test_one_test_alone_proves_nothing() -> None:
    assert not memorises("def f(x):\n    return x == 3 or x == 4", [((3,), {})] * 5)
    assert not memorises("def f():\n    return 1 == 2", [((), {})])
