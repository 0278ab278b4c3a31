"""Preflight of HumanEval and MBPP: unsound, unstable and slow references, weak tests, and the time it takes.

    python -m benchmarks.preflight --mbpp mbpp.jsonl

Writes results/preflight.json; `egca table` prints it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import common
from egca_plugin.cli.preflight import as_json, examine_all
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.tasks.layouts import humaneval, mbpp
from egca_plugin.tasks.preflight import Fault, Health
from egca_plugin.types import Task

COLUMNS = ("tasks", "count", "sound", *(fault.value for fault in Fault), "mutation score", "seconds")


def row(name: str, found: Sequence[Health], seconds: float) -> list[str]:
    """One line of the table."""
    facts = as_json(found, seconds)
    scores = [health.mutation_score for health in found if health.mutation_score is not None]
    counts = [str(len(facts[fault.value])) for fault in Fault]
    mean = f"{sum(scores) / len(scores):.1%}"
    return [name, str(facts["tasks"]), str(facts["sound"]), *counts, mean, f"{seconds:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mbpp", type=Path, help="MBPP's JSONL file (default: the hub)")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    sets: dict[str, tuple[Task, ...]] = {"HumanEval": humaneval.load(), "MBPP": mbpp.load(options.mbpp)}
    config = EgcaConfig(sandbox=SandboxConfig(workers=options.workers))
    rows, faults = [], []
    for name, tasks in sets.items():
        began = time.monotonic()
        found = examine_all(tasks, config)
        rows.append(row(name, found, time.monotonic() - began))
        faults += [[health.task_id, fault.value, reason] for health in found for fault, reason in health.faults]
    tables = [
        common.table("Preflight", COLUMNS, rows),
        common.table("Tasks with a fault", ("task", "fault", "reason"), faults),
    ]
    common.write_result("preflight", settings={"workers": options.workers}, tables=tables)


if __name__ == "__main__":
    main()
