"""Which programs remember something from one call to the next."""

from __future__ import annotations

import ast

import pytest

from egca_plugin.localize.trial.state import is_stateful


@pytest.mark.parametrize(
    ("source", "stateful"),
    [
        ("import math\nK = 3\ndef f(x, y=1):\n    return x\n", False),
        ("seen = []\ndef f(x):\n    seen.append(x)\n", True),
        ("def f(x, seen=[]):\n    seen.append(x)\n", True),
        ("n = 0\ndef f():\n    global n\n    n += 1\n", True),
        ("from functools import cache\n@cache\ndef f(x):\n    return x\n", True),
        (
            "from functools import cache\ndef f(x):\n    @cache\n    def g(y):\n        return y\n    return g(x)\n",
            False,
        ),
        ("def f(x):\n    def g(y, seen={}):\n        seen[y] = x\n    g(x)\n", False),
        ("import functools as t\nclass S:\n    @t.lru_cache(None)\n    def f(self, x):\n        return x\n", False),
        ("class S:\n    @staticmethod\n    def f(x):\n        return x\n", False),
        (
            "from functools import cache\nclass S:\n    @staticmethod\n    @cache\n    def f(x):\n        return x\n",
            True,
        ),
        ("class S:\n    def f(self, x, seen=[]):\n        seen.append(x)\n", True),
        ("inf = float('inf')\nM = 10 ** 9 + 7\nclass S:\n    def f(self, x):\n        self.y = x\n", False),
        ("class S:\n    seen = []\n    def f(self, x):\n        self.seen.append(x)\n", True),
        ("class S:\n    n = 0\n    def f(self):\n        S.n += 1\n", True),
        ("class S:\n    n = 0\n    def f(self):\n        type(self).n += 1\n", True),
    ],
)
def test_programs_that_remember_are_told_apart(source: str, stateful: bool) -> None:
    assert is_stateful(ast.parse(source)) is stateful
