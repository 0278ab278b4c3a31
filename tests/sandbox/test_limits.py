"""A program may go as deep as in a plain interpreter, and set its limits; those of the sandbox stay."""

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


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ("RLIMIT_STACK, [0x10000000, resource.RLIM_INFINITY]", ""),  # as contest programs ask for more
        ("RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)", ""),
        ("RLIMIT_AS, (1 << 40, resource.RLIM_INFINITY)", ""),
        ("RLIMIT_CPU, (1, 1)", ""),
        ("RLIMIT_STACK, (resource.RLIM_INFINITY, 1 << 20)", "ValueError: current limit exceeds maximum limit"),
        ("RLIMIT_STACK, (1, 2, 3)", "ValueError: expected a tuple of 2 integers"),
        ("RLIMIT_STACK, 1 << 20", "TypeError: 'int' object is not iterable"),
        ("RLIMIT_STACK + 99, (1, 1)", "ValueError: invalid resource specified"),
    ],
)
def test_asking_for_other_limits_is_allowed_and_changes_none(sandbox: Sandbox, limits: str, error: str) -> None:
    source = f"""
import resource
def all_limits():
    return [resource.getrlimit(kind) for kind in range(16)]
def f():
    before = all_limits()
    resource.setrlimit(resource.{limits})
    return before == all_limits()
"""
    (result,) = sandbox.run_calls(source, [call("f")])
    if error:
        assert f"{result.error_type}: {result.error_message}" == error
    else:
        assert wire.decode(result.value) is True
