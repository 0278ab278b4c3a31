"""Whole programs on real descriptors 0 and 1: every way to read, to write and to end, and every way to misbehave."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import scripts
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.scripts import ScriptResult
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import CallStatus

INPUT = b"3\n1 2 3\n"


def run(sandbox: Sandbox, source: str, stdin: bytes = INPUT, **limits: object) -> ScriptResult:
    return sandbox.run_script(source, stdin, **limits)


def said(sandbox: Sandbox, source: str, stdin: bytes = INPUT) -> str:
    result = run(sandbox, source, stdin)
    assert result.ended, result
    return result.stdout.decode()


@pytest.mark.parametrize(
    "source",
    [
        "n = int(input())\nprint(sum(map(int, input().split())))",
        "import sys\nn = int(sys.stdin.readline())\nprint(sum(map(int, sys.stdin.readline().split())))",
        "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))",
        "import sys\nprint(sum(int(x) for x in list(sys.stdin)[1].split()))",
        "import sys\nprint(sum(map(int, sys.stdin.readlines()[1].split())))",
        "import sys\nfor line in sys.stdin:\n    last = line\nprint(sum(map(int, last.split())))",
        "import sys\nfor line in sys.stdin.buffer:\n    last = line\nprint(sum(map(int, last.split())))",
        "import sys\ninput = sys.stdin.buffer.readline\nn = int(input())\nprint(sum(map(int, input().split())))",
        "import sys\ninput = lambda: sys.stdin.readline().rstrip()\ninput()\nprint(sum(map(int, input().split())))",
        "print(sum(map(int, open(0).read().split()[1:])))",
        "import os, sys\nhere = os.path.dirname(os.path.abspath(__file__))\n"
        "if os.path.exists(os.path.join(here, 'input.txt')): sys.stdin = open(os.path.join(here, 'input.txt'))\n"
        "input()\nprint(sum(map(int, input().split())))",
        "_, *xs = map(int, open(0).read().split())\nprint(sum(xs))",
        "import os\nprint(sum(map(int, os.read(0, 1 << 20).split()[1:])))",
        "with open('/dev/stdin') as f: print(sum(map(int, f.read().split()[1:])))",
        "import io, os\nf = io.BytesIO(os.read(0, os.fstat(0).st_size))\nprint(sum(map(int, f.read().split()[1:])))",
        "import io, sys\nf = io.TextIOWrapper(sys.stdin.buffer)\nprint(sum(map(int, f.read().split()[1:])))",
        "import fileinput\nprint(sum(map(int, list(fileinput.input())[1].split())))",
        "from sys import stdin\nnext(stdin)\nprint(sum(map(int, next(stdin).split())))",
        "import pathlib\nprint(sum(map(int, pathlib.Path('/dev/stdin').read_text().split()[1:])))",
        "import os\nf = os.open('/dev/stdin', os.O_RDONLY)\nprint(sum(map(int, os.read(f, 99).split()[1:])))",
        "print(sum(map(int, open('/dev/fd/0').read().split()[1:])))",
        "import sys\nassert 'r' in sys.stdin.mode and not sys.stdin.isatty() and sys.stdin.fileno() == 0\nprint(6)",
    ],
)
def test_every_way_to_read(sandbox: Sandbox, source: str) -> None:
    assert said(sandbox, source) == "6\n"


@pytest.mark.parametrize(
    "source",
    [
        "print('a', 'b')",
        "import sys\nsys.stdout.write('a b\\n')",
        "import sys\nsys.stdout.buffer.write(b'a b\\n')",
        "import os\nos.write(1, b'a b\\n')",
        "import sys\nprint('a', 'b', file=sys.stdout, flush=True)\nsys.stderr.write('never seen')",
        "out = open(1, 'w')\nout.write('a b\\n')",
        "import atexit\natexit.register(print, 'a', 'b')",
        "import io, sys\nsys.stdout = io.TextIOWrapper(open(1, 'wb', closefd=False))\nprint('a b')",
        "import io, sys\nsys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')\nprint('a b')",
        "import codecs, sys\nsys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach())\nprint('a b')",
        "import os, sys\nsys.stderr = open(os.devnull, 'w')\nprint('c', file=sys.stderr)\nprint('a b')",
        "print('a b')\nexit()",
        "print('a b')\nquit()",
        "import sys\nprint('a b')\nsys.exit()",
        "import sys\nprint('a b')\nsys.exit(0)",
        "print('a b')\nraise SystemExit",
        "import os\nprint('a b', flush=True)\nos._exit(0)",
        "import sys\nsys.stdin.close()\nprint('a b')",
        "import os\nos.close(0)\nprint('a b')",
    ],
)
def test_every_way_to_write_and_to_end(sandbox: Sandbox, source: str) -> None:
    result = run(sandbox, source)
    assert (result.ended, result.stdout, result.exit_code) == (True, b"a b\n", 0)


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("count = 0\ndef f():\n    global count\n    count += 1\nf()\nprint(count)", "1"),
        ("from math import *\nfrom collections import *\nprint(gcd(4, 6), Counter('aa')['a'])", "2 2"),
        ("def main():\n    print('main')\nif __name__ == '__main__':\n    main()", "main"),
        ("import sys, __main__\nx = 5\nprint(sys.modules['__main__'].x, __main__.x)", "5 5"),
        ("import pickle\nclass P: pass\nprint(type(pickle.loads(pickle.dumps(P()))) is P)", "True"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(2))", "P(x=2)"),
        ("from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\nprint(P(1))", "P(x=1)"),
        ("print([*map(str, range(3))], sep='')", "['0', '1', '2']"),
        ("x: int = 3\nprint(__annotations__)", "{'x': <class 'int'>}"),
    ],
)  # fmt: skip
def test_module_level_means_what_it_means(sandbox: Sandbox, source: str, printed: str) -> None:
    assert said(sandbox, source).strip() == printed


def test_runs_share_nothing(sandbox: Sandbox) -> None:
    source = "import builtins, math\nprint(getattr(builtins, 'left', 0), math.pi)\nbuiltins.left = 1\nmath.pi = 3"
    assert said(sandbox, source) == said(sandbox, source)


def test_a_large_input_and_a_large_output(sandbox: Sandbox) -> None:
    """Ten megabytes each way, written while it is read: no pipe is large enough to hold them."""
    data = b"".join(b"%d\n" % number for number in range(1_500_000))
    result = run(sandbox, "import sys\nfor line in sys.stdin: sys.stdout.write(line)", data, cpu_s=20)
    assert (len(data) > 10 << 20, result.ended, result.stdout == data) == (True, True, True)


# --- how programs fail ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "error", "line", "code"),
    [
        ("print(1)\n1 / 0", "ZeroDivisionError", 2, None),
        ("print(1)\ninput()\ninput()\ninput()", "EOFError", 4, None),
        ("import sys\nprint(1)\nsys.exit(3)", "SystemExit", None, 3),
        ("import sys\nprint(1)\nsys.exit('no solution')", "SystemExit", None, 1),
        ("import os\nprint(1, flush=True)\nos._exit(2)", "SystemExit", None, 2),
        ("class Own(Exception): pass\nprint(1)\nraise Own('x')", "Own", 3, None),
        ("import os\nprint(1, flush=True)\nos.close(1)\nprint(2)", "OSError", None, None),
    ],
)
def test_a_crash_keeps_what_was_written(
    sandbox: Sandbox, source: str, error: str, line: int | None, code: int | None
) -> None:
    result = run(sandbox, source)
    assert not result.ended
    assert result.stdout == b"1\n"
    said = result.result
    assert (said.status, said.error_type, said.line) == (CallStatus.EXCEPTION, error, line)
    assert code is None or result.exit_code == code


def test_what_does_not_compile(sandbox: Sandbox) -> None:
    assert not run(sandbox, "print(").record.compiled
    assert not run(sandbox, "x" * (scripts.MAX_SOURCE + 1)).record.compiled


def test_a_flood_ends_the_program(sandbox: Sandbox) -> None:
    result = run(sandbox, "while True: print('x' * 1000)", max_output=100_000)
    assert (result.flooded, len(result.stdout), result.ended) == (True, 100_000, False)


def test_standard_error_is_nobodys(sandbox: Sandbox) -> None:
    assert said(sandbox, "import sys\nfor _ in range(20_000): sys.stderr.write('x' * 1000)\nprint('done')") == "done\n"


def test_time_is_its_own_cpu_time(sandbox: Sandbox) -> None:
    result = run(sandbox, "while True: pass", cpu_s=0.2)
    assert result.result.status is CallStatus.TIMEOUT
    assert 0.15 < result.cpu_s < 0.5
    ignoring = (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\n"
    )
    assert run(sandbox, ignoring + "while True: pass", cpu_s=0.2).result.status is CallStatus.TIMEOUT


def test_waiting_for_ever_ends_too(sandbox: Sandbox) -> None:
    result = run(sandbox, "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", cpu_s=0.1)
    assert result.result.status is CallStatus.TIMEOUT


def test_memory_is_bounded_by_the_run(sandbox: Sandbox) -> None:
    hog = "x = bytearray(200 << 20)\nprint(len(x))"
    assert run(sandbox, hog).ended
    assert run(sandbox, hog, memory_mb=100).result.status is CallStatus.MEMORY
    assert run(sandbox, "x = bytearray(700 << 20)\nprint(len(x))", memory_mb=1024).ended


# --- recursion and threads ------------------------------------------------------------------------------------------

DEEP = "def f(n): return 0 if n == 0 else f(n - 1) + 1\n"
CACHED = "import functools\n@functools.lru_cache(None)\n" + DEEP
IN_THREAD = """
import threading
threading.stack_size(1 << 27)
t = threading.Thread(target=lambda: print(f(100_000)))
t.start()
"""


@pytest.mark.parametrize("function", [DEEP, CACHED], ids=["plain", "through C"])
@pytest.mark.parametrize(
    "ask", ["print(f(100_000))", IN_THREAD, IN_THREAD + "t.join()"], ids=["main", "thread", "joined"]
)
def test_recursion_a_hundred_thousand_deep(sandbox: Sandbox, function: str, ask: str) -> None:
    if function == CACHED and sys.version_info >= (3, 12):
        pytest.skip("this Python bounds recursion through C by itself")
    assert said(sandbox, f"import sys\nsys.setrecursionlimit(10 ** 6)\n{function}{ask}") == "100000\n"


@pytest.mark.parametrize("limit", ["10 ** 6", "2 ** 31 - 1"])
def test_endless_recursion_is_the_programs_own_crash(sandbox: Sandbox, limit: str) -> None:
    source = f"import sys\nsys.setrecursionlimit({limit})\n{CACHED.replace('n - 1', 'n + 1')}f(1)"
    restarts = sandbox.restarts
    assert run(sandbox, source).result.status in (CallStatus.DIED, CallStatus.EXCEPTION, CallStatus.MEMORY)
    assert sandbox.restarts == restarts
    assert said(sandbox, "print(1)") == "1\n"


def test_threads_of_all_kinds(sandbox: Sandbox) -> None:
    source = """
import queue, threading
from concurrent.futures import ThreadPoolExecutor
q, done = queue.Queue(), []
def consume():
    while (item := q.get()) is not None: done.append(item)
t = threading.Thread(target=consume, daemon=True)
t.start()
for i in range(3): q.put(i)
q.put(None)
t.join()
for _ in range(40):  # more than there are, one after another
    one = threading.Thread(target=done.append, args=(9,))
    one.start()
    one.join()
with ThreadPoolExecutor() as pool: squares = list(pool.map(lambda x: x * x, range(5)))
print(done[:3], len(done), squares)
"""
    assert said(sandbox, source) == "[0, 1, 2] 43 [0, 1, 4, 9, 16]\n"


def test_a_thread_that_fails_is_told_but_ends_no_program(sandbox: Sandbox) -> None:
    result = run(sandbox, "import threading\ndef f():\n    1 / 0\nthreading.Thread(target=f).start()\nprint('on')")
    assert (result.ended, result.stdout) == (True, b"on\n")
    assert (result.record.result.error_type, result.record.result.line) == ("ZeroDivisionError", 3)


def test_threads_are_few(sandbox: Sandbox) -> None:
    source = "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\n" + (
        "for n in range(1000):\n    try: _thread.start_new_thread(lock.acquire, ())\n"
        "    except RuntimeError: break\nprint(n)"
    )
    assert 1 < int(said(sandbox, source)) < 32


# --- what it must not reach -----------------------------------------------------------------------------------------


def test_descriptors_are_its_own(sandbox: Sandbox) -> None:
    """0 and 1, 2 to nowhere, and the channel: nothing of another run, and no way to a second process."""
    source = """
import os
found = []
for fd in range(64):
    try: os.fstat(fd); found.append(fd)
    except OSError: pass
tries = [lambda: os.fork(), lambda: os.pipe(), lambda: os.dup2(1, 5), lambda: os.ftruncate(0, 0),
         lambda: os.write(0, b'x'), lambda: os.memfd_create('x'), lambda: open('/proc/self/fd/3'),
         lambda: os.listdir('/proc')]
failed = 0
for one in tries:
    try: one()
    except OSError: failed += 1
print(len(found), failed == len(tries))
"""
    assert said(sandbox, source) == said(sandbox, source) == "4 True\n"


def test_a_forged_record_says_no_more_than_an_ordinary_end(sandbox: Sandbox) -> None:
    source = """
import os, struct
print('wrong', flush=True)
body = b'no record'
for fd in range(3, 64):
    try: os.write(fd, struct.pack('<I', len(body)) + body)
    except OSError: pass
"""
    result = run(sandbox, source)
    assert (result.result.status, result.stdout) == (CallStatus.REFUSED, b"wrong\n")


def test_nothing_of_a_run_stays_behind(sandbox: Sandbox) -> None:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    run(sandbox, "")
    before = sorted(os.listdir("/proc/self/fd")), children.read_text()
    for _ in range(20):
        run(sandbox, "import threading\nthreading.Thread(target=print, args=(1,)).start()")
        run(sandbox, "1 / 0")
    assert (sorted(os.listdir("/proc/self/fd")), children.read_text()) == before


# --- as calls, and instrumented -------------------------------------------------------------------------------------


def test_a_run_as_a_call(sandbox: Sandbox) -> None:
    call = scripts.call("a\udcff".encode("utf-8", "surrogateescape"))
    assert (call.function, wire.decode(call.arguments)) == ("", (("a\udcff",), {}))
    assert wire.decode(run(sandbox, "print('é')").result.value) == "é\n"
    assert run(sandbox, "print('x' * (2 << 20))").result.status is CallStatus.REFUSED


@pytest.mark.parametrize("end", ["", "import os\nprint(end='', flush=True)\nos._exit(0)", "exit()", "1 / 0"])
def test_probes_tell_what_they_saw(sandbox: Sandbox, end: str) -> None:
    source = f"__egca_step(1)\nx = __egca_value(7, int(input()))\n__egca_step(2)\nprint(x, flush=True)\n{end}"
    result = run(sandbox, source, budget=Budget(max_events=10, max_steps=10, max_bytes=1000))
    trace = result.record.trace()
    assert [(event.site, event.value) for event in trace.events] == [(7, 3)]
    assert (trace.lines, trace.result.steps, result.stdout) == ({1, 2}, 2, b"3\n")


def test_a_budget_that_is_spent_ends_the_run(sandbox: Sandbox) -> None:
    source = "while True:\n    try: __egca_step(1)\n    except BaseException: pass\n    else: continue\n    break"
    result = run(sandbox, source, budget=Budget(max_events=0, max_steps=100, max_bytes=0))
    assert result.result.status is CallStatus.BUDGET


def test_a_workshop_runs_scripts_one_after_another(sandbox: Sandbox) -> None:
    """In one child, each with its own input and output and a fresh ``__main__``; a new child after one that ended."""
    budget = Budget(max_events=10, max_steps=10, max_bytes=1000)
    sources = {
        "import os, sys, builtins\nprint(input(), getattr(builtins, 'left', 0))\nbuiltins.left = 1": ["a 0\n", "b 0\n"],
        "print(open(0).read().strip(), end='')": ["a", "b"],
        "import sys\nprint('seen' if 'x' in globals() else '')\nx = 1\nsys.stdin.close()\nexit()": ["\n", "\n"],
        "import os\nprint(input(), flush=True)\nos._exit(0)": ["a\n", "b\n"],
        "import threading\nt = threading.Thread(target=lambda: print(input()))\nt.start()": ["a\n", "b\n"],
    }
    calls = [scripts.call(b"a\n"), scripts.call(b"b\n")]
    with Workshop(sandbox) as workshop:
        for source, outputs in (*sources.items(), *sources.items()):
            program = compile(source, "<program>", "exec")
            records = workshop.records(program, calls, budget=budget, cpu_s=5)
            assert [wire.decode(record.result.value) for record in records] == outputs, source
        crash = compile("input()\n1 / 0", "<program>", "exec")
        flood = compile("while True: print('x' * 1000)", "<program>", "exec")
        first, second = workshop.records(crash, calls, budget=budget, cpu_s=5)
        assert (first.result.error_type, second.result.line) == ("ZeroDivisionError", 2)
        assert workshop.records(flood, calls[:1], budget=budget, cpu_s=5)[0].result.status is CallStatus.DIED
        assert said(sandbox, "print(1)") == "1\n"  # which takes the child's place
        (record,) = workshop.records(crash, calls[:1], budget=budget, cpu_s=5)
        assert record.result.error_type == "ZeroDivisionError"


def test_a_batch_of_scripts(sandbox: Sandbox) -> None:
    programs = ["print(int(input()) + 1)", "while True: __egca_step(1)", "print(", "print(input())"]
    found = list(sandbox.run_batch(programs, [scripts.call(b"4")], steps=100, cpu_s=5))
    assert [one.status.value for (one,) in found] == ["value", "budget", "exception", "value"]
    assert [wire.decode(found[at][0].value) for at in (0, 3)] == ["5\n", "4\n"]


def test_an_event_loop_runs(sandbox: Sandbox) -> None:
    source = """
import asyncio
async def work(x):
    await asyncio.sleep(0)
    return x + 1
async def main():
    loop = asyncio.get_running_loop()
    print(await asyncio.gather(work(1), work(2)), await loop.run_in_executor(None, max, 3, 4))
asyncio.run(main())
"""
    assert said(sandbox, source) == "[2, 3] 4\n"


@pytest.mark.parametrize(
    "use", ["socket.socket()", "a.sendto(b'x', '/tmp/x')", "a.sendmsg([b'x'])", "a.connect('/tmp/x')"]
)
def test_its_sockets_reach_nobody(sandbox: Sandbox, use: str) -> None:
    source = f"import socket\na, b = socket.socketpair()\na.send(b'x')\nprint(b.recv(1), flush=True)\n{use}"
    result = run(sandbox, source)
    assert (result.stdout, result.result.error_type) == (b"b'x'\n", "PermissionError")
