"""A program may go as deep as in a plain interpreter, however deep the judge's own frames are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.types import CallStatus

DEEPEST = """
import sys
{}
def goes(n):
    return n and 1 + goes(n - 1)
def deepest():
    least, most = 1, 10_000
    while least < most:
        middle = (least + most + 1) // 2
        try:
            least = goes(middle)
        except RecursionError:
            most = middle - 1
    return least, sys.getrecursionlimit()
"""


@pytest.mark.parametrize("first", ["", "sys.setrecursionlimit(3000)", "sys.setrecursionlimit(200)"])
def test_depth_is_that_of_a_plain_interpreter(sandbox: Sandbox, first: str) -> None:
    program = DEEPEST.format(first)
    script = f"{program}print(*deepest())"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    plain, limit = map(int, found.split())
    deepest, seen = map(int, sandbox.run_script(script, b"").stdout.split())
    assert (deepest - plain in (0, 1), seen) == (True, limit)  # some interpreters count `exec` as a frame
    for take in (None, wire.LIVE, wire.HEARD):
        calls = [replace(call("deepest"), take=take)] * 2
        assert [wire.decode(one.value) for one in sandbox.run_calls(program, calls)] == [(plain, limit)] * 2


def test_limit_of_a_program_is_not_that_of_the_next(sandbox: Sandbox) -> None:
    low, plain = DEEPEST.format("sys.setrecursionlimit(200)"), DEEPEST.format("")
    ((first,), (second,)) = sandbox.run_batch([low, plain], [call("deepest")], steps=100, cpu_s=5.0)
    ((alone,),) = sandbox.run_batch([plain], [call("deepest")], steps=100, cpu_s=5.0)
    assert wire.decode(first.value)[1] == 200
    assert wire.decode(second.value) == wire.decode(alone.value) == (997, 1000)


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        ("2 ** 31 - 1", 2**31 - 1),
        ("True + 500", 501),
        ("0", "ValueError"),
        ("2 ** 31", "OverflowError"),
        ("1e6", "TypeError"),
    ],
)
def test_programs_own_limit_is_what_it_says(sandbox: Sandbox, limit: str, outcome: int | str) -> None:
    source = f"import sys\ndef f():\n    sys.setrecursionlimit({limit})\n    return sys.getrecursionlimit()"
    (result,) = sandbox.run_calls(source, [call("f")])
    assert (wire.decode(result.value) if result.status is CallStatus.VALUE else result.error_type) == outcome
