"""``egca preflight``: is every reference sound, are the tests strong enough."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from egca_plugin import jsonl
from egca_plugin.cli import output
from egca_plugin.cli.inputs import NAMED, tasks_of
from egca_plugin.cli.options import add_tasks, check_one_voice, require_tasks
from egca_plugin.cli.progress import tracked
from egca_plugin.cli.tables import Fitting
from egca_plugin.cli.terminal import console, plain, say
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.references import given as given_references
from egca_plugin.references.given import load_given
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.tasks import parquet
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.tasks.preflight import DEADLINE_S, HANDLER, Fault, Health, lost
from egca_plugin.types import Task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    kinds = ", ".join(fault.value for fault in Fault)
    parser = subparsers.add_parser(
        "preflight",
        help="is every reference sound, are the tests strong enough",
        description="Run every reference twice against its tests in the sandbox, and try small faults on the tests.",
        epilog="example: egca preflight data/mbpp.jsonl --drop unsound,weak --out data/mbpp-fit.jsonl",
    )
    add_tasks(parser, Path, "NAME|FILE", NAMED)
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
        help="write the other tasks here, and exit 0; verl's rows beside TASKS.jsonl, if any, go beside OUT as well",
    )
    parser.add_argument(
        "--references",
        type=Path,
        metavar="MORE.jsonl",
        help="judge the further references of egca.references too; with --out the sound ones go beside it",
    )
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds that training will give a program")
    parser.add_argument("--workers", type=int, default=0, help="worker processes (default: one per core, at most 8)")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 where a task has a fault of --drop or a reference is unfit, with --out and --json too",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the findings as JSON, and exit 0: whoever reads them decides"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code 1 where something is bad (a fault of ``--drop``, an unfit reference), unless it was left out or told as
    JSON."""
    require_tasks(args)
    if args.out:
        check_one_voice(args)
        inputs = (args.tasks, args.references, _rows_of(args.tasks))
        for place in (args.out, _rows_of(args.out), _references_of(args.out)):
            output.ready(place, *inputs)
    tasks = list(tasks_of("preflight", args.tasks).values())
    given = _given(args.references, args.tasks, tasks) if args.references else []
    screen = console()
    began = time.monotonic()
    config = EgcaConfig(sandbox=SandboxConfig(timeout_s=args.timeout, workers=args.workers))
    found = examine_all(tasks, config)
    unfit = _unfit(given, config)
    seconds = time.monotonic() - began
    if args.json:
        references = [{"task_id": given[n][0].task_id, "name": _name(given, n), "reason": unfit[n]} for n in unfit]
        print(json.dumps({**as_json(found, seconds), **({"unfit_references": references} if given else {})}))
    screen.print(summary(found, seconds))
    if any(health.faults for health in found):
        screen.print(listing(found))
    for number, reason in unfit.items():
        say("preflight", f"{given[number][0].task_id}: reference {number + 1} of {args.references}: {reason}")
    if args.out:
        fit = {health.task_id for health in found if not health.kinds & args.drop}
        _write_fit(args.tasks, args.out, tasks, fit)
        say("preflight", f"{len(fit)} of {len(tasks)} tasks: {args.out}")
        if given:
            kept = [pair for number, pair in enumerate(given) if number not in unfit and pair[0].task_id in fit]
            _write_references(_references_of(args.out), kept)
    bad = bool(unfit) or any(health.kinds & args.drop for health in found)
    return int(bad and (args.strict or not (args.out or args.json)))


def examine_all(tasks: Sequence[Task], config: EgcaConfig) -> list[Health]:
    """Every task's health, in order. One that costs its workers is unsound."""
    with Pool(HANDLER, config.sandbox, settings=config, deadline_s=DEADLINE_S, on_lost=lost) as pool:
        return list(tracked(pool.map(tasks), "examine", len(tasks)))


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


def _write_references(path: Path, kept: Sequence[tuple[Task, str]]) -> None:
    with output.whole(path) as file:
        file.writelines(jsonl.line({"task_id": task.task_id, "source": source}) for task, source in kept)
    say("preflight", f"{len(kept)} further references: {path}")


def _references_of(out: Path) -> Path:
    return out.with_name(f"{out.stem}-references.jsonl")


def _rows_of(tasks: Path) -> Path:
    """Where verl's rows of a task file are."""
    return tasks.with_suffix(".parquet")


def summary(found: Sequence[Health], seconds: float) -> Fitting:
    """One line of counts for a whole file, and the medians of the sound tasks."""
    counts = Counter(fault for health in found for fault in health.kinds)
    scores = [health.mutation_score for health in found if health.mutation_score is not None]
    sound = [health for health in found if health.referenced and Fault.UNSOUND not in health.kinds]
    unreferenced = sum(not health.referenced for health in found)
    without = f", {unreferenced} of them without a reference to examine" if unreferenced else ""
    columns = {
        "sound": f"{len(sound)} of {len(found) - unreferenced}",
        **{fault.value: str(counts[fault]) for fault in Fault},
        "mutation score": f"{sum(scores) / len(scores):.1%}" if scores else "-",
        "median ms": f"{_median([health.ms for health in sound]):.1f}",
        "median steps": f"{_median([health.steps for health in sound]):.0f}",
    }
    table = Fitting(f"{len(found)} tasks in {seconds:.0f} s{without}", tuple(columns))
    table.add_row(*columns.values())
    return table


def listing(found: Sequence[Health]) -> Fitting:
    """One row a fault, the gravest kind first."""
    table = Fitting("Faults", ("task", "fault", "reason"), texts=("task", "fault", "reason"))
    for kind in Fault:
        for health in found:
            for fault, reason in health.faults:
                if fault is kind:
                    table.add_row(plain(health.task_id), fault.value, plain(reason))
    return table


def as_json(found: Sequence[Health], seconds: float) -> dict[str, Any]:
    """The findings for machines: the ids by fault, and every task's numbers."""
    return {
        "tasks": len(found),
        "sound": sum(health.referenced and Fault.UNSOUND not in health.kinds for health in found),
        "without_reference": [health.task_id for health in found if not health.referenced],
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
    with output.placing(out) as place:
        dump_tasks((task for task in tasks if task.task_id in fit), place)
    rows = _rows_of(source)
    if rows.is_file() and out.suffix == ".jsonl":
        kept = [row for row in parquet.read(rows) if row["extra_info"]["task_id"] in fit]
        with output.placing(_rows_of(out)) as place:
            parquet.write(kept, place)


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
