"""What the gate must not see, and what it must."""

from __future__ import annotations

import pytest

from egca_plugin.program.lowering import lower
from egca_plugin.program.structure import THRESHOLD, comparable, similarity

REFERENCE = """
def f(items, limit):
    total = 0
    for item in items:
        if item < limit:
            total += item * item
    return total
"""

TWINS = {
    "names and layout": "def f(a, b):\n  n=0\n  for x in a:\n\n    if x<b: n+=x*x\n  return n\n",
    "while": """
def f(items, limit):
    total = 0
    i = 0
    while i < len(items):
        item = items[i]
        i += 1
        if limit > item:
            total = total + item * item
    return total
""",
    "index loop": """
def f(items, limit):
    total = 0
    for i in range(len(items)):
        if items[i] < limit:
            total += items[i] * items[i]
    return total
""",
    "dead code": """
def f(items, limit):
    unused = limit * 3
    if False:
        limit = sorted(items)
    total = 0
    for item in items:
        if item < limit:
            total += item * item
            continue
            print(item)
    return total
    return max(items)

def never(x):
    while True:
        x.append(max(x))
""",
    "temporary and docstring": '''
def f(items: list, limit: int) -> int:
    """Sum."""
    total: int = 0
    for item in items:
        small = item < limit
        if small:
            square = item * item
            total = square + total
    result = total
    return result
''',
    "helper": """
def square(x):
    return x * x

def f(items, limit):
    total = 0
    for item in items:
        if not item >= limit:
            total += square(item)
    return total
""",
}

OTHERS = {
    "recursion": "def f(items, limit):\n    if not items:\n        return 0\n    return f(items[1:], limit) + (items[0] ** 2 if items[0] < limit else 0)\n",  # noqa: E501
    "sorting": """
import bisect
def f(items, limit):
    ordered = sorted(items)
    kept = ordered[:bisect.bisect_left(ordered, limit)]
    return sum(map(lambda x: x ** 2, kept))
""",
    "nested loops": """
def f(items, limit):
    table = {}
    for i in items:
        for j in items:
            if i == j:
                table[i] = i + table.get(j, 0)
    return max(table.values())
""",
    "nothing of it": "def f(items, limit):\n    return int(str(limit)[::-1])\n",
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_writing_style_is_not_seen(twin: str) -> None:
    assert similarity(twin, REFERENCE, "f") >= 0.85
    assert comparable(twin, REFERENCE, "f").comparable


@pytest.mark.parametrize("twin", [TWINS["names and layout"], TWINS["while"], TWINS["index loop"]])
def test_the_form_of_a_loop_leaves_no_trace(twin: str) -> None:
    assert similarity(twin, REFERENCE, "f") == 1.0 == similarity(REFERENCE, twin, "f")


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_algorithm_is_seen(other: str) -> None:
    result = comparable(other, REFERENCE, "f")
    assert result.similarity < THRESHOLD
    assert not result.comparable


def test_a_comprehension_is_its_loop() -> None:
    loop = "def f(xs):\n    out = []\n    for x in xs:\n        if x:\n            out.append(x + 1)\n    return out\n"
    assert lower("def f(xs):\n    return [x + 1 for x in xs if x]\n", "f") == lower(loop, "f")


def test_a_returned_condition_is_its_branch() -> None:
    assert lower("def f(x):\n    return x > 1\n", "f") == lower(
        "def f(x):\n    if x > 1:\n        return True\n    else:\n        return False\n", "f"
    )


def test_recursion_through_a_helper_ends() -> None:
    nodes = lower("def g(x):\n    return f(x)\n\ndef f(x):\n    return g(x) + g(x)\n", "f")
    assert "recurse" in nodes


@pytest.mark.parametrize("source", ["", "def g():\n    return 1\n", "def f(:\n", "x = 1\n"])
def test_no_function_is_like_nothing(source: str) -> None:
    assert similarity(source, REFERENCE, "f") == 0.0
    assert similarity(REFERENCE, source, "f") == 0.0


def test_helpers_that_double_are_read_once() -> None:
    chain = "".join(f"def g{n}(x):\n    return g{n + 1}(x) + g{n + 1}(x)\n" for n in range(60))
    assert similarity(chain + "def g60(x):\n    return x\ndef f(x):\n    return g0(x)\n", REFERENCE, "f") >= 0.0
