"""What banked programs add for a real policy's failures: comparability and verified localisations.

    python -m benchmarks.gate.bank --tasks TASKS.jsonl --samples SAMPLES.jsonl

The passing samples of a task are offered to the bank, as siblings of a group would be; a seeded choice of its failing
samples is localised twice, with the canonical reference alone and with the three nearest of all references.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import RESULTS, quantile, table, write_result
from egca_plugin.judging.referee import judge
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case
from egca_plugin.program.extract import extract
from egca_plugin.program.structure import comparable
from egca_plugin.references import Bank, MemoryStore, References
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.files import load_tasks
from egca_plugin.types import Outcome, Task, Verdict

FAILURES = (Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.TIMEOUT)
Failure = tuple[Task, str, Verdict]


@dataclass(frozen=True, slots=True)
class Answer:
    """One failing sample against one set of references."""

    verified: bool
    comparable: bool
    used: str
    ms: float


def collect(tasks: dict[str, Task], samples: Path, bank: Bank, sandbox: Sandbox) -> tuple[list[Failure], Counter[str]]:
    """The distinct failing programs, and what became of the passing ones that were offered."""
    failures, offers = [], Counter[str]()
    seen: set[tuple[str, str]] = set()
    for line in samples.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        task = tasks.get(row["task_id"])
        program = extract(row["completion"], task) if task else None
        if task is None or program is None or not program.compiles or (task.task_id, program.source) in seen:
            continue
        seen.add((task.task_id, program.source))
        verdict = judge(sandbox, program.source, task)
        if verdict.passed:
            offers[bank.offer(task, program.source, sandbox).value] += 1
        elif verdict.outcome in FAILURES:
            failures.append((task, program.source, verdict))
    return failures, offers


def answer(failure: Failure, references: References, limit: int, sandbox: Sandbox) -> Answer:
    task, source, verdict = failure
    near = references.nearest(task, source, limit)
    began = time.perf_counter()
    case = Case(task, source, tuple(reference.source for reference in near), verdict, sandbox)
    found = registry.get("trace").localize(case)
    ms = 1e3 * (time.perf_counter() - began)
    used = next((r.name.split(":")[0] for r in near if r.source == found.reference), "none")
    return Answer(found.verified, comparable(source, near[0].source, task.entry_point).comparable, used, ms)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the reference bank adds.")
    parser.add_argument("--tasks", type=Path, required=True)
    parser.add_argument("--samples", type=Path, required=True, help="task_id and completion a line, many of a task")
    parser.add_argument("--failures", type=int, default=120, help="how many failing samples are localised")
    parser.add_argument("--out", type=Path, default=RESULTS / "gate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tasks = {task.task_id: task for task in load_tasks(options.tasks)}
    bank = Bank(MemoryStore())
    with Sandbox() as sandbox:
        failures, offers = collect(tasks, options.samples, bank, sandbox)
        failures = [failure for failure in failures if bank.programs(failure[0])]
        chosen = random.Random(options.seed).sample(failures, min(options.failures, len(failures)))
        alone = [answer(failure, References(), 1, sandbox) for failure in chosen]
        banked = [answer(failure, References(bank), 3, sandbox) for failure in chosen]
    rows = [_row("canonical alone", alone), _row("three nearest, bank included", banked)]
    either = sum(a.verified or b.verified for a, b in zip(alone, banked, strict=True)) / len(chosen)
    columns = ("references", "failures", "comparable", "verified", "ms median", "compared with")
    settings = {"samples": options.samples.name, "seed": options.seed, "failures": len(chosen)}
    tables = [table("Failing samples of tasks that have banked programs", columns, rows)]
    data = {"offers": dict(offers), "verified_by_either": round(either, 3)}
    print(write_result("bank", settings=settings, tables=tables, data=data, folder=options.out))


def _row(name: str, answers: Sequence[Answer]) -> list[object]:
    n = len(answers)
    used = ", ".join(f"{kind} {count}" for kind, count in Counter(a.used for a in answers).most_common())
    shares = [round(sum(a.comparable for a in answers) / n, 3), round(sum(a.verified for a in answers) / n, 3)]
    return [name, n, *shares, round(quantile([a.ms for a in answers], 0.5), 1), used]


if __name__ == "__main__":
    main()
