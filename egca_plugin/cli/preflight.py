"""``egca preflight``: is every reference sound, are the tests strong enough."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from egca_plugin.cli import output
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.references import given as given_references
from egca_plugin.references.given import load_given
from egca_plugin.sandbox.pool import Pool
from egca_plugin.tasks import parquet
from egca_plugin.tasks.files import dump_tasks, load_tasks
from egca_plugin.tasks.preflight import DEADLINE_S, HANDLER, Fault, Health
from egca_plugin.types import Task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    kinds = ", ".join(fault.value for fault in Fault)
    parser = subparsers.add_parser(
        "preflight",
        help="is every reference sound, are the tests strong enough",
        description="Run every reference twice against its tests in the sandbox, and try small faults on the tests.",
        epilog="example: egca preflight data/mbpp.jsonl --drop unsound,weak --out data/mbpp-fit.jsonl",
    )
    parser.add_argument("tasks", type=Path, metavar="TASKS.jsonl", help="tasks, one JSON object a line")
    parser.add_argument(
        "--drop",
        type=_faults,
        default=frozenset({Fault.UNSOUND}),
        metavar="FAULTS",
        help=f"with --out: which to leave out, of {kinds}, or none (default: unsound)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="write the other tasks here; verl's rows beside TASKS.jsonl, if any, go beside OUT as well",
    )
    parser.add_argument(
        "--references",
        type=Path,
        metavar="MORE.jsonl",
        help="judge the further references of egca.references too; with --out the sound ones go beside it",
    )
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds that training will give a program")
    parser.add_argument("--workers", type=int, default=0, help="worker processes (default: one per core, at most 8)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when every task was examined, whatever was found."""
    tasks = load_tasks(args.tasks)
    given = _given(args.references, args.tasks, tasks) if args.references else []
    if args.out:
        output.ready(args.out)
    console = Console(stderr=True)
    began = time.monotonic()
    config = EgcaConfig(sandbox=SandboxConfig(timeout_s=args.timeout, workers=args.workers))
    found = examine_all(tasks, config, console)
    unfit = _unfit(given, config)
    seconds = time.monotonic() - began
    if args.json:
        references = [{"task_id": given[n][0].task_id, "name": _name(given, n), "reason": unfit[n]} for n in unfit]
        print(json.dumps({**as_json(found, seconds), **({"unfit_references": references} if given else {})}))
    console.print(summary(found, seconds))
    if any(health.faults for health in found):
        console.print(listing(found))
    for number, reason in unfit.items():
        console.print(
            f"{given[number][0].task_id}: reference {number + 1} of {args.references}: {reason}", markup=False
        )
    if args.out:
        fit = {health.task_id for health in found if not health.kinds & args.drop}
        _write_fit(args.tasks, args.out, tasks, fit)
        console.print(f"{len(fit)} of {len(tasks)} tasks: {args.out}", soft_wrap=True)
        if given:
            kept = [pair for number, pair in enumerate(given) if number not in unfit and pair[0].task_id in fit]
            _write_references(args.out.with_name(f"{args.out.stem}-references.jsonl"), kept, console)
    return 0


def examine_all(tasks: Sequence[Task], config: EgcaConfig, console: Console) -> list[Health]:
    """Every task's health, in order, with a progress bar on ``console``."""
    with Pool(HANDLER, config.sandbox, settings=config, deadline_s=DEADLINE_S) as pool:
        return list(track(pool.map(tasks), "examining", len(tasks), console=console, transient=True))


def _given(path: Path, name: Path, tasks: Sequence[Task]) -> list[tuple[Task, str]]:
    """The further references of a file with their tasks. Raises TaskError, for a program of no task too."""
    sources = load_given(path)
    known = {task.task_id: task for task in tasks}
    for task_id in sources:
        if task_id not in known:
            raise TaskError(f"{path}, field task_id: {task_id!r} is no task of {name}")
    return [(known[task_id], source) for task_id, programs in sources.items() for source in programs]


def _name(given: Sequence[tuple[Task, str]], number: int) -> str:
    """What records will call it: ``given:1`` is the first of its task."""
    return f"given:{sum(task is given[number][0] for task, _ in given[: number + 1])}"


def _unfit(given: Sequence[tuple[Task, str]], config: EgcaConfig) -> dict[int, str]:
    """Which of the further references fail their tasks' tests, by number from 0, and why."""
    if not given:
        return {}
    with Pool(given_references.HANDLER, config.sandbox, settings=config, deadline_s=DEADLINE_S) as pool:
        return {number: reason for number, reason in enumerate(pool.map(given)) if reason}


def _write_references(path: Path, kept: Sequence[tuple[Task, str]], console: Console) -> None:
    with output.writing(path):
        lines = (json.dumps({"task_id": task.task_id, "source": source}) + "\n" for task, source in kept)
        path.write_text("".join(lines), encoding="utf-8")
    console.print(f"{len(kept)} further references: {path}", soft_wrap=True)


def summary(found: Sequence[Health], seconds: float) -> Table:
    """One line of counts for a whole file, and the medians of the sound tasks."""
    counts = Counter(fault for health in found for fault in health.kinds)
    scores = [health.mutation_score for health in found if health.mutation_score is not None]
    sound = [health for health in found if Fault.UNSOUND not in health.kinds]
    table = Table(title=f"{len(found)} tasks in {seconds:.0f} s", title_justify="left")
    columns = {
        "sound": f"{len(sound)} of {len(found)}",
        **{fault.value: str(counts[fault]) for fault in Fault},
        "mutation score": f"{sum(scores) / len(scores):.1%}" if scores else "-",
        "median ms": f"{_median([health.ms for health in sound]):.1f}",
        "median steps": f"{_median([health.steps for health in sound]):.0f}",
    }
    for name in columns:
        table.add_column(name, justify="right")
    table.add_row(*columns.values())
    return table


def listing(found: Sequence[Health]) -> Table:
    """One row a fault, the gravest kind first."""
    table = Table(title="Faults", title_justify="left")
    for name in ("task", "fault", "reason"):
        table.add_column(name)
    for kind in Fault:
        for health in found:
            for fault, reason in health.faults:
                if fault is kind:
                    table.add_row(health.task_id, fault.value, reason)
    return table


def as_json(found: Sequence[Health], seconds: float) -> dict[str, Any]:
    """The findings for machines: the ids by fault, and every task's numbers."""
    return {
        "tasks": len(found),
        "sound": sum(Fault.UNSOUND not in health.kinds for health in found),
        **{fault.value: [health.task_id for health in found if fault in health.kinds] for fault in Fault},
        "seconds": round(seconds, 1),
        "results": [
            {
                "task_id": health.task_id,
                "faults": {fault.value: reason for fault, reason in health.faults},
                "tests": health.tests,
                "ms": round(health.ms, 2),
                "steps": health.steps,
                "mutants": health.mutants,
                "killed": health.killed,
            }
            for health in found
        ],
    }


def _write_fit(source: Path, out: Path, tasks: Sequence[Task], fit: set[str]) -> None:
    if not fit:
        raise TaskError(f"{source}: every task would be dropped; expected at least one to remain (--drop)")
    with output.writing(out):
        dump_tasks((task for task in tasks if task.task_id in fit), out)
    rows = source.with_suffix(".parquet")
    if rows.is_file() and out.suffix == ".jsonl":
        kept = [row for row in parquet.read(rows) if row["extra_info"]["task_id"] in fit]
        with output.writing(out.with_suffix(".parquet")):
            parquet.write(kept, out.with_suffix(".parquet"))


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0


def _faults(text: str) -> frozenset[Fault]:
    if text == "none":
        return frozenset()
    try:
        return frozenset(Fault(name.strip()) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; expected {', '.join(fault.value for fault in Fault)}, none"
        ) from error
