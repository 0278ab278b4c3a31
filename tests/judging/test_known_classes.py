"""Exceptions and enumerations that tests import: known by the reference's names, with what the program's own say."""

from __future__ import annotations

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

CODED = """
class Coded(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code
    def __str__(self):
        return f'code {self.code}'
def f(n):
    if n < 0:
        raise Coded(n)
    return n
"""
SILENT = "".join(CODED.splitlines(keepends=True)[:5] + CODED.splitlines(keepends=True)[7:])
EMPTY = """
class Empty(Exception):
    pass
def f(xs):
    if not xs:
        raise Empty('it is empty')
    return xs[-1]
"""
SAYS_SO = EMPTY.replace("    pass", "    def __str__(self): return 'it is empty'").replace("('it is empty')", "()")
LIGHT = """
from enum import Enum
class Light(Enum):
    RED = 1
    GREEN = 2
def f(x):
    return (Light.RED if x % 2 else Light.GREEN) if isinstance(x, int) else x is Light.RED
"""
IN_WORDS = LIGHT.replace("= 1", "= 'red'").replace("= 2", "= 'green'")
TURNED = LIGHT.replace("= 1", "= 3").replace("RED = 3\n    GREEN = 2", "GREEN = 2\n    RED = 3")
SIDES = """
from enum import Enum
class Side(Enum):
    LEFT = (0, 1)
    RIGHT = (0, -1)
    def __init__(self, x, y):
        self.x, self.y = x, y
def f(left):
    return Side.LEFT if left else Side.RIGHT
"""
SIDE_TESTS = "from solution import f, Side\ndef test():\n    assert f(1) is Side.LEFT and f(1).x == 0\n"
CODE_TESTS = """
import pytest
from solution import f, Coded
def test():
    with pytest.raises(Coded, match="code -1"):
        f(-1)
"""
EMPTY_TESTS = """
import pytest
from solution import f, Empty
def test():
    with pytest.raises(Empty, match='it is empty') as caught:
        f([])
    assert str(caught.value) == 'it is empty'
"""
LIGHT_TESTS = """
from solution import f, Light
def test():
    assert f(1) == Light.RED and f(1) is Light.RED and f(2) == Light.GREEN
    assert f(Light.RED) and not f(Light.GREEN)
"""
DIVIDED = "from decimal import Decimal\ndef f(a, b):\n    return Decimal(a) / Decimal(b)\n"
DIVIDED_TESTS = """
import decimal, pytest
from solution import f
def test():
    with pytest.raises(decimal.InvalidOperation):
        f('x', '1')
    with pytest.raises(decimal.DivisionByZero):
        f('1', '0')
"""


@pytest.mark.parametrize(
    ("reference", "tests", "program", "passes"),
    [
        (CODED, CODE_TESTS, CODED, True),
        (CODED, CODE_TESTS, SILENT, False),  # its own text is "-1"
        (EMPTY, EMPTY_TESTS, EMPTY, True),
        (EMPTY, EMPTY_TESTS, SAYS_SO, True),
        (EMPTY, EMPTY_TESTS, EMPTY.replace("it is", "not"), False),
        (LIGHT, LIGHT_TESTS, LIGHT, True),
        (LIGHT, LIGHT_TESTS, IN_WORDS, True),
        (LIGHT, LIGHT_TESTS, TURNED, True),
        (LIGHT, LIGHT_TESTS, LIGHT.replace("x % 2", "x % 3"), False),
        (LIGHT, LIGHT_TESTS + "    assert f(1).value == 1\n", IN_WORDS, False),
        (SIDES, SIDE_TESTS, SIDES, True),
        (SIDES, SIDE_TESTS, SIDES.replace("(0, 1)", "(7, 7)"), False),
        (EMPTY, EMPTY_TESTS + "    assert vars(caught.value) == {}\n", EMPTY, True),
        (DIVIDED, DIVIDED_TESTS, DIVIDED, True),
    ],
)
def test_what_the_program_says_counts(sandbox: Sandbox, reference: str, tests: str, program: str, passes: bool) -> None:
    assert judge(sandbox, program, Task("t", "", "f", reference, tests)).passed is passes
