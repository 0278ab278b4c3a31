"""The pool: order, backpressure, lost workers, errors, and no process left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import ConfigError, SandboxError, TaskError
from egca_plugin.sandbox.outside.pool import Pool, WorkerLost
from egca_plugin.types import Outcome, Task

HANDLER = "pool_deeds:deeds"
TASK = Task("t/1", "", "f", "def f(x): return x", ("assert f(1) == 1",))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(HANDLER, workers=2, settings=1, deadline_s=2.0) as running:
        yield running


def test_results_in_order(pool: Pool) -> None:
    assert list(pool.map(("double", n) for n in range(50))) == [2 * n + 1 for n in range(50)]


def test_payloads_are_read_no_faster_than_they_are_done(pool: Pool) -> None:
    read = []

    def payloads() -> Iterator[Any]:
        for n in range(10_000):
            read.append(n)
            yield "double", n

    results = pool.map(payloads())
    assert next(results) == 1
    assert len(read) < 100
    results.close()  # type: ignore[attr-defined]


def test_asyncio(pool: Pool) -> None:
    async def gather() -> list[int]:
        return await asyncio.gather(*(pool.run(("double", n)) for n in range(20)))

    assert asyncio.run(gather()) == [2 * n + 1 for n in range(20)]


def test_workers_have_a_sandbox(pool: Pool) -> None:
    assert pool.submit(("sandbox", 1)).result() == "value"


def test_lost_worker_is_replaced_and_its_payload_done(pool: Pool, tmp_path: Path) -> None:
    assert pool.submit(("once", str(tmp_path / "been"))).result() == "once"


@pytest.mark.parametrize("what", ["die", "hang"])
def test_payload_that_costs_two_workers_is_given_up(pool: Pool, what: str) -> None:
    futures = [pool.submit((what, 0)), pool.submit(("double", 1))]
    with pytest.raises(WorkerLost, match="2 workers in a row"):
        futures[0].result()
    assert futures[1].result() == 3


def test_errors_of_the_handler(pool: Pool) -> None:
    with pytest.raises(TaskError, match="bad"):
        pool.submit(("raise", TaskError("bad"))).result()
    with pytest.raises(SandboxError, match="ZeroDivisionError"):
        pool.submit(("raise", ZeroDivisionError())).result()


def test_a_worker_that_would_take_all_memory_raises_instead(pool: Pool) -> None:
    with pytest.raises(SandboxError, match="MemoryError"):
        pool.submit(("allocate", 16 << 30)).result()
    assert pool.submit(("sandbox", 1)).result() == "value"


def test_payload_that_does_not_pickle(pool: Pool) -> None:
    with pytest.raises(Exception, match="pickle"):
        pool.submit(("double", lambda: 1)).result()
    assert pool.submit(("double", 1)).result() == 3


def test_judging() -> None:
    with Pool("egca_plugin.judging.handlers:judging", workers=1) as judges:
        verdicts = list(judges.map([("def f(x): return x", TASK), ("def f(x): return 2", TASK)]))
    assert [verdict.outcome for verdict in verdicts] == [Outcome.OK, Outcome.WRONG_ANSWER]


def test_on_lost_decides_what_becomes_of_it() -> None:
    with Pool(HANDLER, workers=1, on_lost=lambda payload, err: ("lost", payload)) as small:
        assert list(small.map([("die", 1), ("double", 1)])) == [("lost", ("die", 1)), 2]


def test_bad_handler_is_named_at_the_start() -> None:
    with pytest.raises(ConfigError, match="no_such"):
        Pool("pool_deeds:no_such", workers=1).start()


def test_closed_pool_refuses() -> None:
    with Pool(HANDLER, workers=1) as small:
        pids = small.submit(("pid", 0)).result()
    with pytest.raises(SandboxError, match="not running"):
        small.submit(("double", 1))
    assert not alive(pids)


PARENT = f"""
import sys, threading, time
from egca_plugin.sandbox.outside.pool import Pool
pool = Pool("{HANDLER}", workers=2)
starter = threading.Thread(target=pool.start)  # as in a Ray actor: the thread that starts the pool ends
starter.start(); starter.join()
busy = [pool.submit(("hang", 0)) for _ in range(1)]
print(*pool.submit(("pid", 0)).result(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_everything_dies_with_the_parent(how: int) -> None:
    root = str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": root},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert alive(pids)
        parent.send_signal(how)
    deadline = time.monotonic() + 5
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pids)


def alive(pids: Any) -> list[int]:
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append(pid)
    return found


def test_workers_from_the_settings() -> None:
    assert Pool(HANDLER, SandboxConfig(workers=3)).workers == 3
