"""What keeping the references' traces on disk saves: finding them against running and tracing the reference again.

    python -m benchmarks.gate.traces --mbpp mbpp.jsonl

For each reference the calls of its own tests (at most 48), as a worker process asks that has not seen it before.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.common import RESULTS, quantile, table, write_result
from egca_plugin.config import EgcaConfig
from egca_plugin.judging.referee import judge
from egca_plugin.localize.compare.evidence import distinct_calls
from egca_plugin.localize.compare.reference import ReferenceCache, open_saved
from egca_plugin.localize.compare.saved import SavedTraces
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.layouts import humaneval, mbpp
from egca_plugin.types import Call, Task

TRACED = 7  # calls of one localisation


def milliseconds(task: Task, calls: list[Call], sandbox: Sandbox, saved: SavedTraces | None) -> float:
    cache = ReferenceCache()
    cache.known(task.reference)  # instrumenting is needed either way
    began = time.perf_counter()
    cache.known(task.reference).shelf = saved.load(task.reference) if saved is not None else {}
    cache.results(task.reference, calls, sandbox)
    cache.traces(task.reference, calls[:TRACED], sandbox)
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what kept traces save.")
    parser.add_argument("--mbpp", type=Path, required=True, help="mbpp.jsonl")
    parser.add_argument("--out", type=Path, default=RESULTS / "gate")
    options = parser.parse_args()
    times: dict[str, list[float]] = {"run and traced": [], "found on disk": []}
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        saved = open_saved(EgcaConfig(traces=folder))
        assert saved is not None
        for task in (*humaneval.load(), *mbpp.load(options.mbpp)):
            verdict = judge(sandbox, task.reference, task, timeout_s=30.0)
            calls = list(distinct_calls(verdict))
            if not verdict.passed or not calls:
                continue
            times["run and traced"].append(milliseconds(task, calls, sandbox, None))
            filling = ReferenceCache()
            filling.results(task.reference, calls, sandbox, saved)
            filling.traces(task.reference, calls[:TRACED], sandbox, saved)
            times["found on disk"].append(milliseconds(task, calls, sandbox, saved))
        sizes = [file.stat().st_size for file in Path(folder).iterdir()]
    rows = [
        [name, len(ms), *(round(quantile(ms, q), 2) for q in (0.5, 0.9, 0.99, 1.0)), round(sum(ms) / 1e3, 2)]
        for name, ms in times.items()
    ]
    columns = ("references", "count", "ms median", "p90", "p99", "most", "seconds in all")
    settings = {"traced_calls": TRACED, "kilobytes": round(sum(sizes) / 1e3), "largest_kilobytes": max(sizes) // 1000}
    tables = [table("Answers and traces of a reference that a process has not seen before", columns, rows)]
    print(write_result("traces", settings=settings, tables=tables, folder=options.out))


if __name__ == "__main__":
    main()
