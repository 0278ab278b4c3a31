"""Programs in, values out: how each kind of program ends, sessions, batches and traces."""

from __future__ import annotations

import datetime
import os
import signal
import time
from typing import Any

import pytest

from egca_plugin.errors import SandboxError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.launch import Zygote
from egca_plugin.sandbox.outside.link import ZygoteLost
from egca_plugin.sandbox.outside.session import MAX_SOURCE
from egca_plugin.types import CallResult, CallStatus


def one(sandbox: Sandbox, source: str, *args: Any, **settings: Any) -> CallResult:
    return sandbox.run_calls(source, [call("f", *args)], **settings)[0]


def value(result: CallResult) -> Any:
    assert result.status is CallStatus.VALUE, result
    return wire.decode(result.value)


def test_value(sandbox: Sandbox) -> None:
    assert value(one(sandbox, "def f(x): return x + 1", 41)) == 42


def test_calls_share_one_process(sandbox: Sandbox) -> None:
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return seen"
    assert [value(result) for result in sandbox.run_calls(source, [call("f", 1), call("f", 2)])] == [[1], [1, 2]]


def test_programs_do_not_share_one(sandbox: Sandbox) -> None:
    source = "import math\ndef f():\n    math.pi += 1\n    return math.pi"
    assert value(one(sandbox, source)) == value(one(sandbox, source))


def test_exception_with_its_line(sandbox: Sandbox) -> None:
    result = one(sandbox, "def f(x):\n    y = 1\n    return y / x", 0)
    assert (result.status, result.error_type, result.line) == (CallStatus.EXCEPTION, "ZeroDivisionError", 3)


def test_own_exception_names_its_builtin_base(sandbox: Sandbox) -> None:
    result = one(sandbox, "class Odd(KeyError): pass\ndef f(): raise Odd('x')")
    assert (result.error_type, result.error_base) == ("Odd", "KeyError")


def test_arguments_changed_in_place_come_back(sandbox: Sandbox) -> None:
    result = one(sandbox, "def f(xs): xs.sort()", [3, 1, 2])
    assert wire.decode(result.arguments_after) == (([1, 2, 3],), {})
    assert one(sandbox, "def f(xs): return sorted(xs)", [3, 1, 2]).arguments_after == b""


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def f(:", "SyntaxError"),
        ("x = 1\0", "Error"),
        ("x = '\ud800'", "UnicodeEncodeError"),
        ("(" * 50_000, "SyntaxError"),
        ("-" * 100_000 + "1", "Error"),
        ("x" * (MAX_SOURCE + 1), "SyntaxError"),
        ("return 1", "SyntaxError"),
    ],
    ids=["syntax", "null byte", "surrogate", "parentheses", "deep expression", "too long", "return outside"],
)
def test_what_does_not_compile(sandbox: Sandbox, source: str, error: str) -> None:
    with sandbox.session(source) as session:
        assert not session.loaded.compiled
        assert session.loaded.result.status in (CallStatus.EXCEPTION, CallStatus.MEMORY)
        assert error in session.loaded.result.error_type


def test_program_that_raises_when_loaded_fails_every_call(sandbox: Sandbox) -> None:
    results = sandbox.run_calls("def f(): pass\nraise ValueError('no')", [call("f"), call("f")])
    assert [(result.status, result.error_type) for result in results] == [(CallStatus.EXCEPTION, "ValueError")] * 2


def test_timeout_is_kept(sandbox: Sandbox) -> None:
    began = time.monotonic()
    first, second = sandbox.run_calls("def f():\n    while True: pass", [call("f"), call("f")], timeout_s=0.2)
    assert (first.status, second.status) == (CallStatus.TIMEOUT, CallStatus.TIMEOUT)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return [0] * 10**9", CallStatus.MEMORY),
        ("import os; os._exit(0)", CallStatus.DIED),
        ("raise SystemExit(0)", CallStatus.EXCEPTION),
        ("return f(", CallStatus.EXCEPTION),
        ("return f()", CallStatus.EXCEPTION),
        ("return lambda: 1", CallStatus.REFUSED),
        ("return 'x' * (11 << 20)", CallStatus.REFUSED),
    ],
)
def test_other_ends(sandbox: Sandbox, body: str, status: CallStatus) -> None:
    assert one(sandbox, f"def f(): {body}").status is status


def test_session_answers_call_by_call(sandbox: Sandbox) -> None:
    with sandbox.session("def f(x): return x * 2\ndef g(x): return x - 1") as session:
        doubled = value(session.call("f", [21]))
        assert value(session.call("g", [doubled])) == 41


def test_instances_cross_as_the_programs_own_class(sandbox: Sandbox) -> None:
    class Pair:
        def __init__(self, a: int) -> None:
            self.a = a

    source = "class Pair:\n    def get(self): return self.a\ndef f(p): return p.get()"
    assert value(one(sandbox, source, Pair(7))) == 7


def test_same_seed_same_randomness(sandbox: Sandbox) -> None:
    source = (
        "import os, random, time, uuid\n"
        "def f(): return random.random(), random.Random().random(), time.time(), os.urandom(4), uuid.uuid4().hex"
    )
    assert value(one(sandbox, source)) == value(one(sandbox, source))
    assert value(one(sandbox, source)) != value(one(sandbox, source, seed=1))


CLOCKS = """
import datetime, os, secrets, time, uuid
from datetime import date, timezone

def f():
    return (
        datetime.datetime.now(), datetime.datetime.now(timezone.utc), datetime.datetime.utcnow(),
        datetime.datetime.today(), date.today(), time.localtime()[:6], time.gmtime()[:6], time.ctime(), time.asctime(),
        time.strftime("%c %Z"), time.tzname, time.clock_gettime(time.CLOCK_REALTIME), time.monotonic_ns(),
        str(uuid.uuid1()), secrets.token_hex(4), os.getrandom(4),
    )
"""


def test_every_clock_is_the_frozen_one_and_passes(sandbox: Sandbox) -> None:
    first, again = (value(result) for result in sandbox.run_calls(CLOCKS, [call("f")] * 2))
    assert value(one(sandbox, CLOCKS)) == first
    assert (first[0].year, first[4].year, first[10]) == (2023, 2023, ("UTC", "UTC"))
    assert first[0] < again[0]
    tomorrow = value(one(sandbox, CLOCKS, seed=1))
    assert all(before != after for before, after in zip(first, tomorrow, strict=True) if before != first[10])


HIDDEN_CLOCKS = """
import _imp, _random, importlib, importlib.machinery, importlib.util, os, posix, resource, select, sys

def builtin(name):
    module = _imp.create_builtin(importlib.machinery.BuiltinImporter.find_spec(name))
    _imp.exec_builtin(module)
    return module

def f():
    told = [os.times(), posix.times(), builtin("time").time(), builtin("posix").times(), resource.getrusage(0).ru_utime]
    told += [os.getloadavg(), os.getpid(), builtin("posix").urandom(4), _random.Random().random()]
    told.append(importlib.util.module_from_spec(importlib.util.find_spec("time")).time())
    time = sys.modules.pop("time")
    import time as anew
    before = anew.time()
    waited = select.select([], [], [], 50), select.poll().poll(50_000)
    return [*map(repr, told), before, anew.time() - before > 99]
"""


def test_no_way_around_the_modules_leads_to_the_hosts_clock(sandbox: Sandbox) -> None:
    began = time.monotonic()
    told = value(one(sandbox, HIDDEN_CLOCKS))
    assert value(one(sandbox, HIDDEN_CLOCKS)) == told
    assert told[-1] is True
    assert 1.7e9 < told[-2] < 1.7e9 + 1
    assert time.monotonic() - began < 5


def test_moments_of_a_program_are_plain_datetimes(sandbox: Sandbox) -> None:
    source = (
        "import copy, pickle\nfrom datetime import date, datetime, timedelta\n"
        "def f(given):\n"
        "    now = datetime.now()\n"
        "    text = now.isoformat()\n"
        "    same = pickle.loads(pickle.dumps(now)) == copy.copy(now) == datetime.fromisoformat(text) == now\n"
        "    kinds = [type(x) is datetime for x in (now, given, now + timedelta(1), datetime.strptime('1', '%d'))]\n"
        "    class Own(datetime): pass\n"
        "    return same, kinds, isinstance(now, date), type(Own.now()) is Own, repr(given), given, now"
    )
    given = datetime.datetime(2024, 2, 29, 12, 30)
    same, kinds, dated, own, printed, back, now = value(one(sandbox, source, given))
    assert (same, kinds, dated, own) == (True, [True] * 4, True, True)
    assert (printed, back) == ("datetime.datetime(2024, 2, 29, 12, 30)", given)
    assert type(now) is datetime.datetime


def test_sleeping_takes_no_time(sandbox: Sandbox) -> None:
    began = time.monotonic()
    assert value(one(sandbox, "import time\ndef f():\n    time.sleep(1000)\n    return 1")) == 1
    assert time.monotonic() - began < 2


# --- batches ---


def test_batch_runs_each_program_on_the_same_calls(sandbox: Sandbox) -> None:
    programs = [f"def f(x): return x + {n}" for n in range(50)]
    results = list(sandbox.run_batch(programs, [call("f", 0), call("f", 1)], steps=100, cpu_s=1))
    assert [(value(a), value(b)) for a, b in results] == [(n, n + 1) for n in range(50)]


def test_batch_goes_on_after_a_program_that_hangs_or_dies(sandbox: Sandbox) -> None:
    good = "def f(): return 1"
    programs = [good, "def f():\n    while True: pass", good, "import os\ndef f(): os._exit(0)", "syntax(", good]
    results = list(sandbox.run_batch(programs, [call("f")], steps=100, cpu_s=0.3))
    expected = [CallStatus.VALUE, CallStatus.TIMEOUT, CallStatus.VALUE, CallStatus.DIED, CallStatus.EXCEPTION]
    assert [result.status for (result,) in results] == [*expected, CallStatus.VALUE]


def test_batch_outlives_any_number_of_zygotes_as_long_as_it_gets_on() -> None:
    with Sandbox() as own:
        batch = own.run_batch([f"def f(): return {n}" for n in range(40)], [call("f")], steps=1, cpu_s=5)
        seen = []
        for (result,) in batch:
            seen.append(value(result))
            if len(seen) % 8 == 0:  # more often than ATTEMPTS
                os.kill(own.start().pid, signal.SIGKILL)
    assert seen == list(range(40))


def test_batch_gives_up_where_no_zygote_lives(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: Sandbox, *_: object) -> Zygote:
        raise ZygoteLost("no zygote lives here")

    monkeypatch.setattr(Sandbox, "start", lost)
    with pytest.raises(SandboxError, match="3 times in a row: no zygote lives here"):
        list(sandbox.run_batch(["def f(): return 1"], [call("f")], steps=1, cpu_s=1))


def test_batch_stops_early(sandbox: Sandbox) -> None:
    batch = sandbox.run_batch(["def f(): return 1"] * 1000, [call("f")], steps=100, cpu_s=1)
    assert value(next(batch)[0]) == 1
    batch.close()  # type: ignore[attr-defined]
    assert value(one(sandbox, "def f(): return 2")) == 2


def test_batch_counts_steps(sandbox: Sandbox) -> None:
    program = "def f():\n    while True:\n        try: __egca_step(4)\n        except Exception: pass"
    stubborn = program.replace("except Exception", "except BaseException")
    results = list(sandbox.run_batch([program, stubborn], [call("f")], steps=1000, cpu_s=0.5))
    assert [result.status for (result,) in results] == [CallStatus.BUDGET, CallStatus.TIMEOUT]


def test_batch_does_not_hand_on_what_a_program_did_to_the_interpreter(sandbox: Sandbox) -> None:
    poison = (
        "import builtins, math, sys\n"
        "builtins.len = lambda x: 7\n"
        "math.floor = lambda x: 7\n"
        "sys.setrecursionlimit(50)\n"
        "sys.settrace(lambda *a: None)\n"
        "def f(): return 1"
    )
    probe = "import math, sys\ndef f(): return len([]), math.floor(1.5), sys.getrecursionlimit(), sys.gettrace()"
    _, (after,) = sandbox.run_batch([poison, probe], [call("f")], steps=100, cpu_s=1)
    assert value(after) == (0, 1, 1000, None)


def test_code_objects_are_programs_too(sandbox: Sandbox) -> None:
    code = compile("def f(): return 5", "<program>", "exec")
    assert [value(result) for (result,) in sandbox.run_batch([code], [call("f")], steps=1, cpu_s=1)] == [5]
    assert value(sandbox.run_calls(code, [call("f")])[0]) == 5


def test_batch_seeds_each_program_alike(sandbox: Sandbox) -> None:
    source = "import os, random, time\ndef f(): return random.random(), os.urandom(4), time.time()"
    (first,), (second,) = sandbox.run_batch([source, source], [call("f")], steps=1, cpu_s=1)
    assert value(first) == value(second) == value(one(sandbox, source))


# --- traces ---

TRACED = """
def f(n):
    total = 0
    for i in range(n):
        __egca_step(5)
        total = __egca_value(1, total + i)
    return __egca_value(2, [total])
"""


def test_trace(sandbox: Sandbox) -> None:
    (trace,) = sandbox.trace(TRACED, [call("f", 3)])
    assert [(event.site, event.value) for event in trace.events] == [(1, 0), (1, 1), (1, 3), (2, ("[", 3))]
    assert [event.index for event in trace.events] == [0, 1, 2, 3]
    assert (trace.lines, trace.result.steps, value(trace.result)) == (frozenset({5}), 3, [3])


def test_each_call_has_its_own_budget(sandbox: Sandbox) -> None:
    traces = sandbox.trace(TRACED, [call("f", 2), call("f", 1000), call("f", 3)], max_steps=10)
    assert [t.result.status for t in traces] == [CallStatus.VALUE, CallStatus.BUDGET, CallStatus.VALUE]
    assert len(sandbox.trace(TRACED, [call("f", 1000)], max_events=10)[0].events) == 10


def test_uninstrumented_programs_see_no_probes(sandbox: Sandbox) -> None:
    assert value(one(sandbox, "def f(): return sorted(n for n in globals() if 'egca' in n)")) == []


def test_printing_never_stalls_whoever_prints_next(sandbox: Sandbox) -> None:
    flood = "import os\ndef f(): return [os.write(fd, b'x' * (1 << 17)) > 0 for fd in (1, 2)]"
    for _ in range(2):
        assert value(one(sandbox, flood)) == [True, True]


# --- when the infrastructure fails ---


def test_killed_zygote_loses_no_program(sandbox: Sandbox) -> None:
    os.kill(sandbox.start().pid, signal.SIGKILL)
    assert value(one(sandbox, "def f(): return 1")) == 1


def test_child_killed_from_outside_is_run_again(sandbox: Sandbox) -> None:
    programs = ["def f(): return 1"] * 20
    results = []
    for (result,) in sandbox.run_batch(programs, [call("f")], steps=10, cpu_s=1):
        results.append(result)
        if len(results) == 5:
            os.kill(sandbox.start().pid, signal.SIGKILL)
    assert [value(result) for result in results] == [1] * 20


_FORGER = """
import sys
def f(n):
    frame = sys._getframe()
    while "frames" not in frame.f_locals: frame = frame.f_back
    wire = frame.f_globals["wire"]
    colliding = [i * ((1 << 61) - 1) for i in range(1, 100)]
    events = (
        tuple(x for i in range(50) for x in (0, i)),
        tuple(x for i in colliding for x in (0, i)),
        (-1, 5), (1 << 30, 5), (True, 5), (0, []), (),
    )[n]
    lines, line, steps = {6: ((1 << 61,), None, 0)}.get(n, ((), None, 0))
    frame.f_locals["frames"].write(
        wire.encode(("value", wire.encode(5), b"", "", "", "", line, steps, events, lines))
    )
"""


@pytest.mark.parametrize("kind", range(7))
def test_forged_traces_are_refused(sandbox: Sandbox, kind: int) -> None:
    (trace,) = sandbox.trace(_FORGER, [call("f", kind)], max_events=200 if kind else 40)
    assert (trace.result.status, trace.events) == (CallStatus.REFUSED, ())
    assert "malformed record" in trace.result.error_message


def test_a_method_is_called_on_a_fresh_instance(sandbox: Sandbox) -> None:
    source = """
class Solution:
    def __init__(self): self.seen = []
    def add(self, x):
        self.seen.append(x)
        return self.seen
    @staticmethod
    def twice(x): return 2 * x
"""
    calls = [call("Solution.add", 1), call("Solution.add", x=2), call("Solution.twice", 3)]
    assert [value(result) for result in sandbox.run_calls(source, calls)] == [[1], [2], 6]


@pytest.mark.parametrize("source", ["def add(x): return x + 1", "class Solution: pass\ndef add(x): return x + 1"])
def test_a_function_stands_in_for_a_method(sandbox: Sandbox, source: str) -> None:
    (result,) = sandbox.run_calls(source, [call("Solution.add", 1)])
    assert value(result) == 2


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("class Solution: pass", "AttributeError"),
        ("x = 1", "NameError"),
        ("class Solution:\n    def __init__(self, n): pass\n    def add(self, x): pass", "TypeError"),
        ("class Solution:\n    def __init__(self): 1 / 0\n    def add(self, x): pass", "ZeroDivisionError"),
    ],
)
def test_a_method_that_cannot_be_called(sandbox: Sandbox, source: str, error: str) -> None:
    (result,) = sandbox.run_calls(source, [call("Solution.add", 1)])
    assert (result.status, result.error_type) == (CallStatus.EXCEPTION, error)


def test_a_methods_probes_are_a_calls(sandbox: Sandbox) -> None:
    source = """
value, step = __egca_value, __egca_step
class Solution:
    def __init__(self): step(1)
    def f(self, x): return value(4, x)
"""
    first, second = sandbox.trace(source, [call("Solution.f", 1), call("Solution.f", 2)])
    assert [(event.site, event.value) for event in (*first.events, *second.events)] == [(4, 1), (4, 2)]
    assert first.result.steps == second.result.steps == 1
