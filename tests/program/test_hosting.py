"""A whole program as a function of its input: the same output as when it runs by itself, and probes all through."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.whole import main_call, main_result
from egca_plugin.program.hosting import MAIN, hosted, normal
from egca_plugin.program.instrument import FILENAME, instrument
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import scripts
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallResult, CallStatus

PROGRAMS = {
    "input": "n = int(input())\nxs = list(map(int, input().split()))\nprint(sum(xs[:n]))\n",
    "stdin": "import sys\nfor line in sys.stdin:\n    print(line.strip()[::-1])\n",
    "buffer": "import sys\ninput = sys.stdin.buffer.readline\nn = int(input())\nprint(n, *input().split(), sep='-')\n",
    "read": "import sys\nsys.stdout.write(sys.stdin.read().upper())\n",
    "global": "n = 0\ndef f():\n    global n\n    n += 1\nfor _ in range(3): f()\nprint(n)\n",
    "star": "from collections import *\nprint(Counter(input()).most_common(1)[0][1])\n",
    "main": "def main():\n    print(input())\nif __name__ == '__main__':\n    main()\n",
    "exit": "import sys\nprint(1)\nsys.exit()\nprint(2)\n",
    "recursion": "def f(n):\n    return n and n + f(n - 1)\nprint(f(int(input())))\n",
    "end": "print(end='')\n",
}
TEXT = "2\n30 4 5\n"


def ask(text: str, mode: str = "tokens") -> Call:
    found = main_call(scripts.call(text.encode()), mode)
    assert found is not None
    return found


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
def test_it_prints_what_the_program_prints_probed_or_not_again_and_again(sandbox: Sandbox, source: str) -> None:
    run = subprocess.run([sys.executable, "-c", source], input=TEXT, capture_output=True, text=True, check=True)
    plain = hosted(compile(source, FILENAME, "exec"))
    results = sandbox.run_calls(plain, [ask(TEXT, "exact")] * 2)
    traces = sandbox.trace(hosted(instrument(source).code), [ask(TEXT, "exact")] * 2)
    for result in (*results, *(trace.result for trace in traces)):
        assert result.status is CallStatus.VALUE, result
        assert wire.decode(result.value) == run.stdout
    assert traces[0].events == traces[1].events
    assert traces[0].events


def test_a_crash_names_the_programs_line(sandbox: Sandbox) -> None:
    source = "n = int(input())\nprint(n)\nprint(1 // n)\n"
    (result,) = sandbox.run_calls(hosted(compile(source, FILENAME, "exec")), [ask("0\n")])
    assert (result.status, result.error_type, result.line) == (CallStatus.EXCEPTION, "ZeroDivisionError", 3)


def test_a_status_that_tells_of_failure_is_none_of_success(sandbox: Sandbox) -> None:
    (result,) = sandbox.run_calls(hosted(compile("import sys\nsys.exit(3)\n", FILENAME, "exec")), [ask("")])
    assert (result.status, result.error_type) == (CallStatus.EXCEPTION, "SystemExit")


def test_a_flood_ends(sandbox: Sandbox) -> None:
    (result,) = sandbox.run_calls(hosted(compile("while True: print('x' * 1000)", FILENAME, "exec")), [ask("")])
    assert result.status is CallStatus.EXCEPTION


@given(st.text(alphabet=" \n\tab1", max_size=30), st.sampled_from(["tokens", "lines", "exact"]))
def test_what_the_judge_saw_is_brought_into_the_same_form(text: str, mode: str) -> None:
    space: dict[str, object] = {}
    exec(hosted(compile(f"print({text!r}, end='')", FILENAME, "exec")), space)
    mine = space[MAIN]("", mode)  # type: ignore[operator]
    assert mine == normal(text, mode)
    assert wire.decode(main_result(CallResult(CallStatus.VALUE, wire.encode(text)), mode).value) == mine


def test_what_is_no_input_or_too_long_is_left_alone() -> None:
    assert main_call(Call("f", wire.encode(((1,), {}))), "tokens") is None
    assert main_call(scripts.call(b"x" * 200_001), "tokens") is None
