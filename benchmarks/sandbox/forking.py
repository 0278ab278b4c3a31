"""What each layer between a bare fork and a sandboxed program costs, in a process that is built as a zygote is.

    python -S -s -B -m benchmarks.sandbox.forking COUNT < FILTER

FILTER is the program for the kernel's system call filter. Writes a JSON object: seconds by layer, each with all
above it. It is not shut in by namespaces, which cost a child nothing.
"""

from __future__ import annotations

import gc
import json
import marshal
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter  # before the zygote's clock takes its place

from egca_plugin.sandbox import layers, zygote

NOOP = "x = 1"
FORK, SEALED, SERVED = "the zygote's fork", "with its seal", "with a program that does nothing"
_MEMORY, _CPU_S, _CPU_MS = 1 << 30, 10, 5_000
_ROUNDS = 5
_NO_PACKAGES: dict[str, list[str]] = {"names": [], "folders": [], "places": []}


def measure(count: int, bpf: bytes) -> dict[str, float]:
    """Seconds by layer, medians of rounds in turn; run it in a process of its own."""
    ticks, modules = zygote._preload(False, _NO_PACKAGES)
    serve = zygote._warm(ticks, modules)
    layers.drop_privileges([])
    seal = layers.Seal(bpf, layers.address_space() + _MEMORY, _CPU_S)
    layers.limit()
    body = marshal.dumps(("load", NOOP, None, 0))
    frame = len(body).to_bytes(4, "little") + body

    def program() -> None:
        seal.apply(cpu_ms=_CPU_MS)
        serve(theirs.fileno())

    gc.collect()
    layers.tidy_heap()
    gc.freeze()
    seconds: dict[str, list[float]] = {FORK: [], SEALED: [], SERVED: []}
    for _ in range(_ROUNDS):
        for name, work in ((FORK, _nothing), (SEALED, lambda: seal.apply(cpu_ms=_CPU_MS)), (SERVED, program)):
            began = perf_counter()
            for _ in range(count):
                ours, theirs = socket.socketpair()
                ours.sendall(frame)
                ours.shutdown(socket.SHUT_WR)
                _forked(work)
                ours.close()
                theirs.close()
            seconds[name].append((perf_counter() - began) / count)
    return {name: median(values) for name, values in seconds.items()}


def _nothing() -> None:
    pass


def _forked(work: Callable[[], object]) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def layers_of_a_fork(count: int, bpf: bytes) -> dict[str, float]:
    """:func:`measure` in its process."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-m", "benchmarks.sandbox.forking", str(count)],
        input=bpf,
        env={"PYTHONPATH": root, "PYTHONHASHSEED": "0", "LD_BIND_NOW": "1", "MALLOC_ARENA_MAX": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    told = done.stdout.splitlines()[-1]  # behind what the warming prints
    return {str(name): float(seconds) for name, seconds in json.loads(told).items()}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.stdin.buffer.read())))
