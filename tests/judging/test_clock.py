"""Tests that read the clock are about the program's time, and both sides wait together."""

from __future__ import annotations

import ast
import time

import pytest

from egca_plugin.judging.clock import reads_clock
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task, Verdict

CACHE = """
import time

class Cache:
    def __init__(self, ttl):
        self.ttl, self.items = ttl, {}

    def put(self, key, value):
        self.items[key] = value, time.monotonic() + self.ttl

    def get(self, key):
        value, until = self.items.get(key, (None, 0))
        return value if time.monotonic() < until else None
"""
KEEPS = CACHE.replace("value if time.monotonic() < until else None", "value")


def judged(sandbox: Sandbox, source: str, tests: str, entry_point: str = "f") -> Verdict:
    return judge(sandbox, source, Task("t/1", "", entry_point, source, tests), timeout_s=2)


@pytest.mark.parametrize(
    ("source", "tests"),
    [
        ("from datetime import date\ndef f(y): return date.today().year - y",
         "from datetime import date\ndef test(): assert f(2000) == date.today().year - 2000"),
        ("from datetime import datetime\ndef f(): return datetime.now()",
         "from datetime import datetime, timedelta\ndef test():\n    a = datetime.now()\n    b = f()\n"
         "    assert a <= b <= datetime.now()\n    assert b - a < timedelta(seconds=1)"),
        ("import time\ndef f(): return time.time()",
         "import time\ndef test():\n    a = time.time()\n    time.sleep(99)\n    assert a + 99 <= f() <= time.time()"),
        ("import time\ndef f(s): time.sleep(s)",
         "from time import monotonic as t\ndef test():\n    a = t()\n    f(30)\n    assert 30 <= t() - a < 31"),
        ("import time\ndef f(): return time.strftime('%Y-%m-%d')",
         "import time\ndef test(): assert f() == time.strftime('%Y-%m-%d')"),
    ],
)  # fmt: skip
def test_both_sides_have_one_time(sandbox: Sandbox, source: str, tests: str) -> None:
    began = time.monotonic()
    verdict = judged(sandbox, source, f"from solution import f\n{tests}\n")
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")
    assert time.monotonic() - began < 20  # nobody sleeps


@pytest.mark.parametrize(("source", "passes"), [(CACHE, True), (KEEPS, False)])
def test_an_entry_expires_while_the_tests_sleep(sandbox: Sandbox, source: str, passes: bool) -> None:
    tests = (
        "import time\nfrom solution import Cache\ndef test_it():\n    c = Cache(60)\n    c.put(1, 2)\n"
        "    time.sleep(50)\n    assert c.get(1) == 2\n    time.sleep(11)\n    assert c.get(1) is None\n"
    )
    assert judged(sandbox, source, tests, "Cache").passed is passes


def test_a_time_that_no_calendar_has_is_refused(sandbox: Sandbox) -> None:
    source = "import time\ndef f():\n    time.sleep(1e18)\n    return 1\n"
    tests = "import time\nfrom solution import f\ndef test():\n    time.time()\n    assert f() == 1\n"
    assert judged(sandbox, source, tests).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("source", "imported", "reads"),
    [
        ("date.today()", ["datetime"], True),
        ("time.sleep(1)", ["time"], True),
        ("date(2020, 1, 1).isoformat()", ["datetime"], False),
        ("f(now())", ["math"], False),
        ("from time import sleep as wait", ["time"], True),
        ("timeit(f)", ["timeit"], True),
    ],
)
def test_what_reads_the_clock(source: str, imported: list[str], reads: bool) -> None:
    assert reads_clock([ast.parse(source)], imported) is reads
