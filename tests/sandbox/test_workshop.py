"""One child for a candidate and its patched versions: what is kept, what is put back, what a dead child costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from types import CodeType

import pytest

from egca_plugin.program.instrument import instrument
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import workshop as workshop_module
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus

_BUDGET = Budget(max_events=100, max_steps=1_000, max_bytes=1 << 16)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def workshop(sandbox: Sandbox) -> Iterator[Workshop]:
    with Workshop(sandbox) as workshop:
        yield workshop


def code(source: str) -> CodeType:
    return compile(source, "<program>", "exec")


def ask(
    workshop: Workshop, program: CodeType, *calls: Call, budget: Budget = _BUDGET, cpu_s: float = 5
) -> list[CallResult]:
    return [record.result for record in workshop.records(program, calls, budget=budget, cpu_s=cpu_s)]


def values(results: list[CallResult]) -> list[object]:
    return [wire.decode(result.value) for result in results]


COUNTER = code("seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)")


def test_a_program_is_loaded_once_for_as_long_as_it_is_asked(workshop: Workshop) -> None:
    assert values(ask(workshop, COUNTER, call("f", 0), call("f", 0))) == [1, 2]
    assert values(ask(workshop, COUNTER, call("f", 0))) == [3]


def test_another_program_or_another_budget_loads_anew(workshop: Workshop) -> None:
    assert values(ask(workshop, COUNTER, call("f", 0))) == [1]
    assert values(ask(workshop, COUNTER, call("f", 0), budget=Budget(1, 2, 3))) == [1]
    assert values(ask(workshop, code("def f(x): return -x"), call("f", 4))) == [-4]
    assert values(ask(workshop, COUNTER, call("f", 0))) == [1]


def test_what_one_program_did_to_a_module_the_next_does_not_see(workshop: Workshop) -> None:
    ask(workshop, code("import math\ndef f():\n    math.pi = 3\n    return 1"), call("f"))
    (result,) = ask(workshop, code("import math\ndef f(): return math.pi"), call("f"))
    assert values([result]) == [pytest.approx(3.14159, abs=1e-5)]


def test_a_program_that_cannot_be_loaded_gives_every_call_that_failure(workshop: Workshop) -> None:
    results = ask(workshop, code("raise KeyError('x')"), call("f"), call("f"))
    assert [(result.status, result.error_type) for result in results] == [(CallStatus.EXCEPTION, "KeyError")] * 2
    assert workshop.alive
    assert values(ask(workshop, COUNTER, call("f", 0))) == [1]


def test_a_child_that_hangs_is_ended_and_followed_by_another(workshop: Workshop) -> None:
    stubborn = code("def f(x):\n    while x: pass\n    return x")
    results = ask(workshop, stubborn, call("f", 0), call("f", 1), call("f", 0), cpu_s=0.3)
    assert [result.status for result in results] == [CallStatus.VALUE, CallStatus.TIMEOUT, CallStatus.TIMEOUT]
    assert not workshop.alive
    assert values(ask(workshop, stubborn, call("f", 0))) == [0]


def test_another_program_of_the_sandbox_replaces_the_child(workshop: Workshop, sandbox: Sandbox) -> None:
    assert values(ask(workshop, COUNTER, call("f", 0))) == [1]
    (other,) = sandbox.run_calls("def f(): return 7", [call("f")])
    assert values([other]) == [7]
    assert not workshop.alive
    assert values(ask(workshop, COUNTER, call("f", 0))) == [1]


def test_a_lost_zygote_is_replaced(sandbox: Sandbox) -> None:
    with Sandbox() as own, Workshop(own) as workshop:
        assert values(ask(workshop, COUNTER, call("f", 0))) == [1]
        own.start().close()
        time.sleep(0.5)  # its child goes with it
        assert values(ask(workshop, COUNTER, call("f", 0))) == [1]
        assert own.restarts == 1


def test_traces_are_those_of_the_sandbox(workshop: Workshop, sandbox: Sandbox) -> None:
    program = instrument("def f(n):\n    for i in range(n):\n        x = i * i\n    return n").code
    calls = [call("f", 2), call("f", 3)]
    here = workshop.trace(program, calls, cpu_s=5)
    assert here == sandbox.trace(program, calls)
    assert all(trace.events for trace in here)


def test_cpu_time_ends_a_program_and_not_the_clock(workshop: Workshop) -> None:
    """Four busy processes beside it take most of a second, and the program gets all of its own."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        works = code("def f(n):\n    for _ in range(n): pass\n    return n")
        (most,) = ask(workshop, works, call("f", 10_000_000), cpu_s=3.0)
        assert most.status is CallStatus.VALUE
        (result,) = ask(workshop, works, call("f", 10**12), cpu_s=0.2)
        assert (result.status, workshop.starved) == (CallStatus.TIMEOUT, False)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_a_program_that_computes_is_not_ended_by_a_deadline_that_a_loaded_host_has_missed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop_module, "deadline_of", lambda cpu_s: time.monotonic() + 0.01)
    works = code("def f(n):\n    for _ in range(n): pass\n    return n")
    results = ask(workshop, works, call("f", 50_000_000), call("f", 1), cpu_s=60.0)
    assert ([one.status for one in results], workshop.starved) == ([CallStatus.VALUE] * 2, False)
    (result,) = ask(workshop, works, call("f", 10**12), cpu_s=0.2)
    assert (result.status, workshop.starved) == (CallStatus.TIMEOUT, False), "its limit is the kernel's"


def test_a_program_that_waits_meets_the_deadline(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop_module, "deadline_of", lambda cpu_s: time.monotonic() + 0.2)
    waits = code("import _thread\nlock = _thread.allocate_lock()\ndef f():\n    with lock, lock: pass")
    (result,) = ask(workshop, waits, call("f"))
    assert (result.status, workshop.starved) == (CallStatus.TIMEOUT, True)
