"""Programs a second: nothing to do, HumanEval with its full tests, batches; and the memory they take.

Every contender runs in a process of its own (:mod:`benchmarks.sandbox.contender`), on one core and then with its own
parallelism on all, and is asked in turn with the others, so that a busy moment of the host meets them all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import new_figure, quantile, require_idle, save_figure, table, write_result
from benchmarks.sandbox.contender import PARALLEL, UNKNOWN
from benchmarks.sandbox.contenders import available, bare_fork
from benchmarks.sandbox.forking import layers_of_a_fork
from benchmarks.sandbox.problems import Problem, load, to_mapping
from egca_plugin.sandbox import policy
from egca_plugin.sandbox.outside import probing
from egca_plugin.sandbox.outside.api import Sandbox, call

NOOP = "x = 1"
TRIAL = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x + {n}\n    return total\n"
TRIAL_CALLS = [call("f", [1, 2, 3]), call("f", [])]
KINDS = ("right", "wrong")
BARE_FORK, OURS_IDLE = "bare fork", "egca, nothing to do"


class Contender:
    """One scorer in its process. Any answer may be UNKNOWN."""

    def __init__(self, name: str, problems: Path, cores: set[int]) -> None:
        command = [sys.executable, "-m", "benchmarks.sandbox.contender", name, str(problems)]
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self._answer()

    def ask(self, *words: object) -> float:
        """Seconds. Raises RuntimeError where the contender is gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self._process.wait()}")
        return line

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def contenders(names: Sequence[str], problems: Sequence[Problem], cores: set[int]) -> Iterator[list[Contender]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.json"
        path.write_text(json.dumps([to_mapping(problem) for problem in problems]), encoding="utf-8")
        started: list[Contender] = []
        try:
            for name in names:
                started.append(Contender(name, path, cores))
            yield started
        finally:
            for contender in started:
                contender.close()


def run(*, rounds: int, problems: int, noops: int, trials: int) -> dict[str, Any]:
    """All measurements, interleaved in ``rounds``."""
    cores = os.sched_getaffinity(0)
    one, names, chosen = {max(cores)}, available(), load(problems)
    with contenders(names, chosen, one) as asked:
        known = [
            number for number in range(len(chosen))
            if all(contender.ask(kind, number) != UNKNOWN for contender in asked for kind in KINDS)
        ]  # fmt: skip
        latencies = _latencies(asked, known, rounds)
    with contenders([name for name in names if name in PARALLEL], chosen, cores) as asked:
        together = {contender.name: _together(contender, known, len(cores), rounds) for contender in asked}
    os.sched_setaffinity(0, one)
    seconds: dict[str, list[float]] = {}
    with Sandbox() as sandbox:
        for _ in range(rounds):
            _measure_small(sandbox, noops, trials, seconds)
        memory = _memory(sandbox)
    layers = layers_of_a_fork(noops, policy.program(files=True))
    settings = {
        "cores": sorted(cores), "rounds": rounds, "problems": len(known), "noops": noops, "trials": trials,
        "isolation": probing.probe().level,
    }  # fmt: skip
    return {
        "settings": settings,
        "seconds": seconds,
        "latencies": latencies,
        "together": together,
        "memory": memory,
        "layers": layers,
    }


def _latencies(asked: Sequence[Contender], known: Sequence[int], rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for number in known:
            for kind in KINDS:
                for contender in asked:
                    found.setdefault(f"{contender.name}, {kind}", []).append(contender.ask(kind, number))
    return found


def _together(contender: Contender, known: Sequence[int], cores: int, rounds: int) -> list[float]:
    """Seconds a program, with the contender's own parallelism."""
    return [contender.ask("all", cores, *known) / (len(KINDS) * len(known)) for _ in range(rounds)]


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
        assert sum(1 for _ in sandbox.run_batch(programs, TRIAL_CALLS, steps=1000, cpu_s=10)) == trials

    def interpreters() -> None:
        for _ in range(max(noops // 20, 3)):
            subprocess.run([sys.executable, "-c", NOOP], check=True)

    seconds.setdefault(BARE_FORK, []).append(bare_fork(noops))
    note(OURS_IDLE, noops, no_ops)
    note("egca, a trial of a batch", trials, batch)
    note("python -c, nothing to do", max(noops // 20, 3), interpreters)


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
    asked = dict(small)
    costs = {BARE_FORK: asked[BARE_FORK], **measured["layers"], "asked for from outside": asked[OURS_IDLE]}
    stack = zip(costs, costs.values(), [0.0, *costs.values()], strict=False)
    side = [(name, median(values)) for name, values in measured["together"].items()]
    ours_together = dict(side)["egca"]
    columns = ("scorer, program", "a second", "ms p50", "ms p95", "time / ours")
    return [
        table(
            "One core, nothing to do", ("variant", "a second", "ms"),
            [(name, f"{1 / value:,.0f}", f"{value * 1e3:.3f}") for name, value in small],
        ),
        table(
            "One core, nothing to do: what each layer adds", ("layer, with all above it", "ms", "adds ms"),
            [(name, f"{now * 1e3:.3f}", f"{(now - before) * 1e3:+.3f}") for name, now, before in stack],
        ),
        table("One core, HumanEval with its full tests", columns, judged),
        table(
            "All cores, each with its own parallelism, HumanEval with its full tests",
            ("scorer", "a second", "time / ours"),
            [(name, f"{1 / value:,.0f}", f"{value / ours_together:.1f}x") for name, value in side],
        ),
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
    """``quick`` writes nothing; otherwise a busy host ends it."""
    load_before = None if quick else require_idle()
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
        print(
            write_result(
                "sandbox",
                settings={**measured["settings"], "load_before": load_before},
                tables=result,
                data={"raw": measured},
            )
        )
        figure(measured)
