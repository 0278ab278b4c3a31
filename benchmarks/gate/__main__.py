"""Calibrate the comparability gate and count the false alarms of the constraints.

    python -m benchmarks.localization.mutants --mbpp mbpp.jsonl --out corpus/
    python -m benchmarks.gate --mbpp mbpp.jsonl --corpus corpus/

What must be comparable to its reference: single-fault mutants and their restructured twins. What must not: hand-written
programs of another algorithm, and solutions of other tasks. ``algorithms.jsonl`` says of each hand-written program
(the mended one, by a hash of its text) whether its algorithm is ``other`` (another traversal, data structure,
recurrence or library does the work), the ``same`` written otherwise, or in ``between``; that was filled in by reading.
The buggy programs are what is scored. The weight and the threshold were chosen on the development half.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import new_figure, quantile, save_figure, table, write_result
from benchmarks.gate import arguments
from benchmarks.localization import corpus, independent
from egca_plugin.config import CONSTRAINT_LEVELS
from egca_plugin.errors import TaskError
from egca_plugin.program.constraints import check, derive
from egca_plugin.program.structure import FREE, MISSING, THRESHOLD, similarity
from egca_plugin.types import Task

ALGORITHMS = Path(__file__).with_name("algorithms.jsonl")
FOREIGN = 3  # solutions of other tasks, a task
POSITIVE = ("mutants", "twins", "same algorithm")
NEGATIVE = ("other algorithm", "other task")


@dataclass(frozen=True, slots=True)
class Scored:
    """One program of one set and its similarity to the reference of its task."""

    set: str
    task_id: str
    program: str
    similarity: float

    @property
    def half(self) -> str:
        return corpus.half(self.task_id)


def programs(tasks: dict[str, Task], folder: Path, seed: int) -> Iterator[tuple[str, str, str]]:
    """``(set, task_id, program)`` of everything that is scored."""
    for name, form in (("mutants", "plain"), ("twins", "restructured")):
        for subject in corpus.load(folder / f"{form}.jsonl"):
            yield name, subject.task_id, subject.program
    algorithms = labels(ALGORITHMS)
    for subject in independent.subjects("independent"):
        label = algorithms.get((subject.task_id, digest(subject.fixed)))
        if label is None:
            raise TaskError(f"{ALGORITHMS.name}: no row for {subject.id}; read the program and add one")
        yield {"other": "other algorithm", "same": "same algorithm"}.get(label, label), subject.task_id, subject.program
    rng = random.Random(seed)
    for task_id, task in tasks.items():
        for other in rng.sample(sorted(tasks), FOREIGN):
            if other != task_id:
                yield "other task", task_id, tasks[other].reference.replace(tasks[other].entry_point, task.entry_point)


def labels(path: Path) -> dict[tuple[str, str], str]:
    """``(task_id, digest of the mended program) -> algorithm``."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {(row["task_id"], row["fixed"]): row["algorithm"] for row in rows}


def digest(program: str) -> str:
    return hashlib.sha256(corpus.normalise(program).encode()).hexdigest()[:16]


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a positive scores above a negative, ties counting half."""
    ordered = sorted(negative)
    wins = sum(bisect_left(ordered, p) + bisect_right(ordered, p) for p in positive)
    return wins / (2 * len(positive) * len(negative))


def roc(positive: Sequence[float], negative: Sequence[float]) -> list[tuple[float, float, float]]:
    """``(threshold, share of negatives let in, share of positives let in)``, from strict to lenient."""
    up, down = sorted(positive), sorted(negative)
    thresholds = sorted({round(value, 3) for value in (*positive, *negative, 1.001)}, reverse=True)
    return [(t, 1 - bisect_left(down, t) / len(down), 1 - bisect_left(up, t) / len(up)) for t in thresholds]


def main() -> None:
    options = arguments.parse("Calibrate the comparability gate.")
    tasks = corpus.tasks(options.mbpp)
    scored, milliseconds = [], []
    for name, task_id, program in programs(tasks, options.corpus, options.seed):
        task = tasks[task_id]
        start = time.perf_counter()
        value = similarity(program, task.reference, task.entry_point)
        milliseconds.append(1e3 * (time.perf_counter() - start))
        scored.append(Scored(name, task_id, program, value))
    tables = [*_gate_tables(scored), _constraint_table(tasks, scored)]
    curves = {negative: roc(_of(scored, "twins"), _of(scored, negative)) for negative in NEGATIVE}
    settings = {"threshold": THRESHOLD, "missing": MISSING, "free": FREE, "seed": options.seed}
    timing = {"ms_median": quantile(milliseconds, 0.5), "ms_p95": quantile(milliseconds, 0.95)}
    data = {
        "timing": timing,
        "roc": {name: [[round(value, 4) for value in point] for point in curve] for name, curve in curves.items()},
    }
    print(write_result("calibration", settings=settings, tables=tables, data=data, folder=options.out))
    _draw(curves, scored, options.out)


def _of(scored: Sequence[Scored], name: str, half: str | None = None) -> list[float]:
    return [s.similarity for s in scored if s.set == name and half in (None, s.half)]


def _gate_tables(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    areas = [
        [
            positive,
            negative,
            *(round(auc(_of(scored, positive, h), _of(scored, negative, h)), 4) for h in corpus.HALVES),
        ]
        for negative in NEGATIVE
        for positive in POSITIVE
    ]
    shares = []
    for name in (*POSITIVE, "between", *NEGATIVE):
        values = _of(scored, name)
        let_in = [sum(v >= THRESHOLD for v in _of(scored, name, h)) / len(_of(scored, name, h)) for h in corpus.HALVES]
        shares.append([name, len(values), round(quantile(values, 0.5), 3), *(round(share, 3) for share in let_in)])
    return [
        table("Area under the ROC curve", ("should be comparable", "should not", *corpus.HALVES), areas),
        table(
            f"Comparable at {THRESHOLD}",
            ("programs", "count", "median similarity", *(f"comparable, {half}" for half in corpus.HALVES)),
            shares,
        ),
    ]


def _constraint_table(tasks: dict[str, Task], scored: Sequence[Scored]) -> dict[str, Any]:
    """Share of programs that break a constraint of their task; for all but other algorithms, a false alarm."""
    rows = []
    for level in CONSTRAINT_LEVELS[1:]:
        wanted = {task_id: derive(task, level) for task_id, task in tasks.items()}
        own = [bool(check(wanted[task_id], task.reference)) for task_id, task in tasks.items()]
        rows.append([level, "references", len(own), round(sum(own) / len(own), 4), ""])
        for name in (*POSITIVE, "other algorithm"):
            chosen = [s for s in scored if s.set == name]
            kinds = Counter(v.constraint.kind for s in chosen for v in check(wanted[s.task_id], s.program))
            broken = sum(bool(check(wanted[s.task_id], s.program)) for s in chosen)
            most = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
            rows.append([level, name, len(chosen), round(broken / len(chosen), 4), most])
    return table("Programs that break a constraint", ("level", "programs", "count", "share", "kinds"), rows)


def _draw(curves: dict[str, list[tuple[float, float, float]]], scored: Sequence[Scored], folder: Path) -> None:
    figure, axes = new_figure(2, width=4.2, height=3.4)
    for name, curve in curves.items():
        area = auc(_of(scored, "twins"), _of(scored, name))
        axes[0].plot([x for _, x, _ in curve], [y for _, _, y in curve], label=f"against {name} (AUC {area:.3f})")
        at = min(curve, key=lambda point: abs(point[0] - THRESHOLD))
        axes[0].plot(at[1], at[2], "o", color="black", markersize=4)
    axes[0].set(xlabel="let in though not comparable", ylabel="restructured twins let in", ylim=(0, 1.02))
    axes[0].legend(loc="lower right")
    for name in ("twins", "same algorithm", "between", *NEGATIVE):
        values = sorted(_of(scored, name))
        axes[1].plot(values, [(i + 1) / len(values) for i in range(len(values))], label=name)
    axes[1].axvline(THRESHOLD, color="black", linewidth=0.8)
    axes[1].set(xlabel="similarity to the reference", ylabel="share of programs below")
    axes[1].legend(loc="upper left", fontsize=7)
    print(save_figure(figure, "roc", folder))


if __name__ == "__main__":
    main()
