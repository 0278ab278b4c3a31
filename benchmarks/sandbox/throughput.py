"""Programs a second on one core: nothing to do, HumanEval with its full tests, batches; and the memory they take."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import new_figure, quantile, save_figure, table, write_result
from benchmarks.sandbox.contenders import Judge, available, bare_fork, one_core
from benchmarks.sandbox.problems import Problem, load
from egca_plugin.sandbox import isolation
from egca_plugin.sandbox.api import Sandbox, call

NOOP = "x = 1"
TRIAL = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x + {n}\n    return total\n"
TRIAL_CALLS = [call("f", [1, 2, 3]), call("f", [])]


def run(*, rounds: int, problems: int, noops: int, trials: int) -> dict[str, Any]:
    """All measurements, interleaved in ``rounds`` so that a busy moment of the host meets every contender."""
    core = one_core()
    chosen = load(problems)
    with Sandbox() as sandbox:
        judges = available(sandbox)
        chosen = [p for p in chosen if all(j(p, p.source) and not j(p, p.wrong) for j in judges.values())]
        seconds: dict[str, list[float]] = {}
        latencies: dict[str, list[float]] = {}
        for _ in range(rounds):
            _measure_small(sandbox, noops, trials, seconds)
            for name, judge in judges.items():
                _measure_judge(name, judge, chosen, latencies)
        memory = _memory(sandbox)
    level = isolation.probe().level
    settings = {
        "core": core, "rounds": rounds, "problems": len(chosen), "noops": noops, "trials": trials, "isolation": level,
    }  # fmt: skip
    return {"settings": settings, "seconds": seconds, "latencies": latencies, "memory": memory}


def _measure_small(sandbox: Sandbox, noops: int, trials: int, seconds: dict[str, list[float]]) -> None:
    def note(name: str, count: int, work: Callable[[], None]) -> None:
        began = time.perf_counter()
        work()
        seconds.setdefault(name, []).append((time.perf_counter() - began) / count)

    def no_ops() -> None:
        for _ in range(noops):
            with sandbox.session(NOOP) as session:
                assert session.loaded.compiled

    def batch() -> None:
        programs = [compile(TRIAL.format(n=n), "<trial>", "exec") for n in range(trials)]
        assert sum(1 for _ in sandbox.run_batch(programs, TRIAL_CALLS, steps=1000, timeout_s=10)) == trials

    def interpreters() -> None:
        for _ in range(max(noops // 20, 3)):
            subprocess.run([sys.executable, "-c", NOOP], check=True)

    seconds.setdefault("bare fork", []).append(bare_fork(noops))
    note("egca, nothing to do", noops, no_ops)
    note("egca, a trial of a batch", trials, batch)
    note("python -c, nothing to do", max(noops // 20, 3), interpreters)


def _measure_judge(name: str, judge: Judge, problems: list[Problem], latencies: dict[str, list[float]]) -> None:
    for problem in problems:
        for kind, source in (("right", problem.source), ("wrong", problem.wrong)):
            began = time.perf_counter()
            judge(problem, source)
            latencies.setdefault(f"{name}, {kind}", []).append(time.perf_counter() - began)


def _memory(sandbox: Sandbox) -> dict[str, float]:
    """MiB: the zygote's resident set, and what a child that runs a program has of its own."""
    launcher = sandbox.start().pid
    with sandbox.session("def f(): return 1") as session:
        session.call("f")
        tree = _tree(launcher)
        zygote, child = (tree[-2], tree[-1])
        return {
            "zygote_rss_mib": _kib(f"/proc/{zygote}/status", "VmRSS") / 1024,
            "child_private_mib": sum(
                _kib(f"/proc/{child}/smaps_rollup", name) for name in ("Private_Dirty", "Private_Clean")
            )
            / 1024,
        }


def _tree(pid: int) -> list[int]:
    """The process and the first child of each, down to the last."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(_tree(int(children[-1])) if children else [])]


def _kib(path: str, name: str) -> int:
    lines = Path(path).read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def tables(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per second (from the median round or run), and ratios to ours."""
    small = [(name, median(values)) for name, values in measured["seconds"].items()]
    ours = {kind: median(measured["latencies"][f"egca, {kind}"]) for kind in ("right", "wrong")}
    judged = []
    for name, values in measured["latencies"].items():
        p50 = median(values)
        ratio = p50 / ours[name.rsplit(", ", 1)[1]]
        judged.append(
            (name, f"{1 / p50:,.0f}", f"{p50 * 1e3:.2f}", f"{quantile(values, 0.95) * 1e3:.2f}", f"{ratio:.1f}x")
        )
    memory = measured["memory"]
    columns = ("scorer, program", "a second", "ms p50", "ms p95", "time / ours")
    return [
        table(
            "One core, nothing to do", ("variant", "a second", "ms"),
            [(name, f"{1 / value:,.0f}", f"{value * 1e3:.3f}") for name, value in small],
        ),
        table("One core, HumanEval with its full tests", columns, judged),
        table("Memory", ("what", "MiB"), [(name, f"{value:.1f}") for name, value in memory.items()]),
    ]  # fmt: skip


def figure(measured: Mapping[str, Any]) -> None:
    """Programs a second, right and wrong, on a logarithmic axis."""
    names = [name.removesuffix(", right") for name in measured["latencies"] if name.endswith(", right")]
    drawing, axes = new_figure(width=6.5, height=0.5 * len(names) + 1.2)
    for offset, (kind, colour) in enumerate((("right", "#2a6f97"), ("wrong", "#e07a5f"))):
        rates = [1 / median(measured["latencies"][f"{name}, {kind}"]) for name in names]
        places = [index + (offset - 0.5) * 0.38 for index in range(len(names))]
        bars = axes.barh(places, rates, height=0.36, color=colour, label=f"{kind} programs")
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("HumanEval programs judged a second, one core")
    axes.legend(loc="lower right")
    save_figure(drawing, "sandbox")


def main(*, quick: bool) -> None:
    sizes = {"rounds": 2, "problems": 8, "noops": 100, "trials": 500} if quick else {
        "rounds": 5, "problems": 60, "noops": 1000, "trials": 5000,
    }  # fmt: skip
    measured = run(**sizes)
    result = tables(measured)
    for one in result:
        print(f"\n{one['title']}")
        for row in [one["columns"], *one["rows"]]:
            print("  ".join(str(cell).rjust(14) if index else str(cell).ljust(28) for index, cell in enumerate(row)))
    if not quick:
        print(write_result("sandbox", settings=measured["settings"], tables=result, data={"raw": measured}))
        figure(measured)
