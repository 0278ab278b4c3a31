"""Which programs are run twice."""

from __future__ import annotations

import pytest

from egca_plugin.program.vary import may_vary


@pytest.mark.parametrize(
    "source",
    [
        "import random\ndef f(x): return random.random()",
        "def f(x):\n    from os import times\n    return times()",
        "def f(x): return list(set(x))[0]",
        "def f(x): return {y for y in x}.pop()",
        "def f(x): return ''.join({*x, 'a'})",
        "def f(x): return hash(x) % 2",
        "def f(x): return sorted(x, key=id)",
        "def f(x, y): return list(x.keys() & y.keys())",
        "def f(x): return __import__('ti' + 'me').time()",
        "def f(x): return x.__hash__()",
    ],
)
def test_what_follows_the_hash_seed_the_clock_or_chance(source: str) -> None:
    assert may_vary(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return sum(y * y for y in x)",
        "def f(x):\n    seen = {}\n    for y in x:\n        seen[y] = seen.get(y, 0) + 1\n    return list(seen)",
        "import math, re, itertools\nfrom collections import Counter\ndef f(x): return Counter(x).most_common(1)",
        "def f(x):\n    '''The set of all, by hash.'''\n    return f'{x}'",
        "class A:\n    def set(self, x): self.x = x\ndef f(x): return x",
    ],
)
def test_what_computes_from_its_arguments_alone(source: str) -> None:
    assert not may_vary(source)
