"""Does the same input give the same answer? The same samples in three orders, by one and two workers, idle and loaded.

    python -m benchmarks.sameness [--samples 300] [--condefects FILE]

Each run is `egca assess` in a process of its own. Writes results/sameness.json: how many lines differ from those of the
first run, times aside, and every line that does.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import table, write_result
from benchmarks.localization import condefects
from benchmarks.localization.mutants import mutations
from egca_plugin.tasks import starter
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.tasks.layouts import humaneval
from egca_plugin.types import Task

BUSY = 4  # processes beside a loaded run
IGNORED = ("ms", "restarts")
Line = Mapping[str, Any]


def samples(count: int, condefects_path: Path | None) -> tuple[list[Task], list[dict[str, str]]]:
    """Right programs and seeded mutants, a third of the tasks' own; real faulty programs on standard input."""
    rng = random.Random(0)
    functions = list(humaneval.load() + starter.load())
    rng.shuffle(functions)
    found: list[tuple[Task, str]] = []
    if condefects_path is not None:
        whole, faulty = condefects.load(condefects_path)
        found += [(whole[one.task_id], one.program) for one in faulty[: count // 4]]
    for task in functions:
        tree = ast.parse(task.reference)
        changes = list(mutations(tree))
        rng.shuffle(changes)
        programs = [ast.unparse(ast.fix_missing_locations(change.apply(tree))) for change in changes[:2]]
        found += [(task, program) for program in (task.reference, *programs)]
    kept = found[:count]
    rows = [
        {"task_id": task.task_id, "completion": f"```python\n{program}\n```\n", "number": str(number)}
        for number, (task, program) in enumerate(kept)
    ]
    return list({task.task_id: task for task, _ in kept}.values()), rows


def assessed(folder: Path, rows: Sequence[Mapping[str, str]], workers: int) -> list[Line]:
    """The credits' lines, in the order of the samples' numbers. Raises CalledProcessError."""
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = folder / "credits.jsonl"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-c", "from egca_plugin.cli.main import main; raise SystemExit(main())", "assess"]
    given = ["--tasks", folder / "tasks.jsonl", "--samples", folder / "samples.jsonl", "--out", out]
    subprocess.run([*command, *map(str, given), "--workers", str(workers)], check=True, capture_output=True)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    kept = [{name: value for name, value in line.items() if name not in IGNORED} for line in lines]
    return sorted(kept, key=lambda line: int(line["number"]))


@contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    with ExitStack() as stack:
        for _ in range(processes):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--condefects", type=Path, help="programs on standard input, a quarter of the samples")
    options = parser.parse_args()
    tasks, rows = samples(options.samples, options.condefects)
    orders = {"as they are": rows, "reversed": rows[::-1], "shuffled": random.Random(1).sample(rows, len(rows))}
    first: list[Line] | None = None
    counts, differing = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump_tasks(tasks, folder / "tasks.jsonl")
        for busy in (0, BUSY):
            for workers in (1, 2):
                for order, ordered in orders.items():
                    with load(busy):
                        lines = assessed(folder, ordered, workers)
                    first = lines if first is None else first
                    others = [(a, b) for a, b in zip(first, lines, strict=True) if a != b]
                    counts.append((order, workers, busy, len(lines), len(others)))
                    differing += [{"run": counts[-1][:3], "first": a, "here": b} for a, b in others]
                    print(*counts[-1], flush=True)
    shown = table(
        f"{len(rows)} samples of {len(tasks)} tasks: lines that differ from the first run's",
        ("order", "workers", "busy processes beside", "lines", "that differ"), counts,
    )  # fmt: skip
    print(write_result("sameness", settings=vars(options) | {"condefects": bool(options.condefects)}, tables=[shown],
                       data={"differing": differing}))  # fmt: skip


if __name__ == "__main__":
    main()
