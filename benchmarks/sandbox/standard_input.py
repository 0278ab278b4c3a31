"""Programs on standard input: right and wrong ones of the verdict corpus, ours beside verl's prime_code.

Each contender runs in a fresh process of its own, as its users run it, confined to one core. Programs that hang or
print without end are left out: what they cost is the time limit, which differs.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import quantile, table, write_result
from benchmarks.sandbox.contenders import one_core
from egca_plugin.conformance import scorers
from egca_plugin.conformance.verdicts import Program, programs
from egca_plugin.types import Kind

CONTENDERS = ("egca", "prime_code")
ENDLESS = ("hang", "hang_behind", "flood", "memory", "endless_recursion", "waits")
ROOT = Path(__file__).parents[2]


def chosen() -> list[Program]:
    """The programs that are timed."""
    return [p for p in programs() if p.task.kind is Kind.STDIN and p.name not in ENDLESS]


def serve(name: str, rounds: int) -> None:
    """In a process of its own: time one contender, and print what was measured as JSON."""
    one_core()
    scorer = scorers.load(name)
    picked = chosen()
    scorer(picked[0].task, picked[0].source)  # a cold start is not the programs' time
    times: dict[str, list[float]] = {}
    answers: dict[str, bool] = {}
    for _ in range(rounds):
        for program in picked:
            began = time.perf_counter()
            try:
                said = scorer(program.task, program.source)
            except Exception:  # noqa: BLE001 - verl 0.9.1's prime_code leaves some programs by an UnboundLocalError
                said = None
            times.setdefault("right" if program.right else "wrong", []).append(time.perf_counter() - began)
            answers[program.name] = said is program.right
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"times": times, "answers": answers, "own_mib": own / 1024, "child_mib": children / 1024}))


def measure(name: str, rounds: int) -> dict[str, Any]:
    code = f"from benchmarks.sandbox.standard_input import serve; serve({name!r}, {rounds})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def tables(measured: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Times and ratios to ours, and memory."""
    ours = {kind: median(values) for kind, values in measured["egca"]["times"].items()}
    rows = [
        (name, kind, len(values), f"{median(values) * 1e3:.2f}", f"{quantile(values, 0.95) * 1e3:.2f}",
         f"{median(values) / ours[kind]:.1f}x", f"{sum(values) / sum(measured['egca']['times'][kind]):.1f}x")
        for name, found in measured.items() for kind, values in found["times"].items()
    ]  # fmt: skip
    memory = [
        (name, f"{found['own_mib']:.0f}", f"{found['child_mib']:.0f}", f"{sum(found['answers'].values())}")
        for name, found in measured.items()
    ]
    columns = ("scorer", "programs", "runs", "ms p50", "ms p95", "p50 / ours", "total / ours")
    return [
        table("One core, programs on standard input", columns, rows),
        table("Peak memory and verdicts", ("scorer", "MiB", "MiB, largest child", "verdicts that are right"), memory),
    ]


def main(rounds: int, names: Sequence[str] = CONTENDERS) -> None:
    measured = {name: measure(name, rounds) for name in names}
    settings = {"rounds": rounds, "programs": len(chosen()), "left_out": list(ENDLESS)}
    print(write_result("sandbox_stdin", settings=settings, tables=tables(measured), data={"raw": measured}))
