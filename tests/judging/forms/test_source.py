"""What tests import the program as."""

from __future__ import annotations

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

RIGHT = "def twice(x):\n    return 2 * f(x)\ndef f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "how",
    [
        "import importlib\nwhat = importlib.import_module('solution')\n{test} what.f(what.twice(0)) == 3",
        "from importlib import import_module\n{test} import_module('mine').f(1) == 2",
        "what = __import__('solution')\n{test} getattr(what, 'f')(1) == 2",
    ],
)
def test_a_module_may_be_imported_by_a_call(sandbox: Sandbox, how: str) -> None:
    task = Task("t/1", "", "f", RIGHT, how.format(test="def test_f():\n    assert"))
    assert judge(sandbox, RIGHT, task).passed
    assert not judge(sandbox, "def f(x): return x - 1", task).passed


def test_a_module_of_the_program_is_never_one_of_the_library(sandbox: Sandbox) -> None:
    reference = "def gcd(a, b):\n    return a if not b else gcd(b, a % b)\n"
    imports = "from math import gcd as known\nfrom solution import gcd\n"
    tests = f"{imports}def test_gcd():\n    assert gcd(4, 6) == known(4, 6)\n"
    by_library = Task("t/1", "", "gcd", reference, tests)
    assert judge(sandbox, reference, by_library).passed
    assert not judge(sandbox, "def gcd(a, b): return 1", by_library).passed
