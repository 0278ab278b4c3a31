"""Programs that aim at the tests, and honest ones that look a little like them."""

from __future__ import annotations

import pytest

from egca_plugin.program.suspicion import (
    ALWAYS_EQUAL,
    EXITS,
    IGNORES_ARGUMENTS,
    INTROSPECTS,
    memorises,
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
