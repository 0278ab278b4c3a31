"""``egca prepare``: write a task set as JSONL and as verl's parquet rows."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from egca_plugin.cli import output
from egca_plugin.config import CONSTRAINT_LEVELS, EgcaConfig, SandboxConfig
from egca_plugin.program.constraints import Constraint, guided
from egca_plugin.sandbox.pool import Pool
from egca_plugin.tasks import complexity, parquet
from egca_plugin.tasks.catalog import SETS, TaskSet
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.types import Task

DEADLINE_S = 120.0  # for one task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "prepare",
        help="write a benchmark's tasks as JSONL and as verl's parquet rows",
        description="Write DIR/NAME.jsonl (tasks) and DIR/NAME.parquet (verl's rows); with --split, DIR/NAME-SPLIT.*.",
        epilog="example: egca prepare mbpp --split train --out data",
    )
    parser.add_argument("name", choices=SETS, help="the task set")
    parser.add_argument(
        "--source", metavar="PATH|hub", help="its data file, or the Hugging Face hub (default: mbpp from the hub)"
    )
    parser.add_argument("--split", help="; ".join(f"{s.name}: {', '.join(s.splits)}" for s in SETS.values()))
    parser.add_argument(
        "--constraints",
        choices=CONSTRAINT_LEVELS,
        default="off",
        help="how much of the reference's form the prompts ask for and the run then checks (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if it does not exist")
    parser.add_argument("--json", action="store_true", help="say what was written as JSON")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of one task set."""

    tasks: Path
    rows: Path
    count: int


def run(args: argparse.Namespace) -> int:
    written = write(SETS[args.name], args.source, args.split, args.constraints, args.out)
    if args.json:
        print(json.dumps({"tasks": str(written.tasks), "rows": str(written.rows), "count": written.count}))
    else:
        console = Console(stderr=True)
        console.print(f"{written.count} tasks: {written.tasks}\nverl's rows: {written.rows}", soft_wrap=True)
        console.print(f"next: egca preflight {written.tasks}", soft_wrap=True)
    return 0


def write(tasks: TaskSet, source: str | None, split: str | None, constraints: str, out: Path) -> Written:
    """Write both files; the level ``paper`` runs the references in the sandbox for their complexity class.

    Raises TaskError and AssetError without the tasks, EgcaError where they cannot be written, SandboxError.
    """
    selected = tasks.select(source, split)
    measured = _measured([task for _, task in selected]) if constraints == "paper" else [()] * len(selected)
    chosen = [(name, guided(task, constraints, found)) for (name, task), found in zip(selected, measured, strict=True)]
    stem = f"{tasks.name}-{split}" if split else tasks.name
    written = Written(out / f"{stem}.jsonl", out / f"{stem}.parquet", len(chosen))
    output.ready(written.tasks)
    output.ready(written.rows)
    with output.writing(written.tasks):
        dump_tasks((task for _, task in chosen), written.tasks)
    rows = [
        parquet.row(task, data_source=tasks.name, split=name, index=index, instruction=tasks.instruction)
        for index, (name, task) in enumerate(chosen)
    ]
    with output.writing(written.rows):
        parquet.write(rows, written.rows)
    return written


def _measured(tasks: Sequence[Task]) -> list[tuple[Constraint, ...]]:
    """The constraints of each task that take runs of its reference: a complexity class, where one is sure."""
    with Pool(complexity.HANDLER, SandboxConfig(), settings=EgcaConfig(), deadline_s=DEADLINE_S) as pool:
        found = track(pool.map(tasks), "measuring", len(tasks), console=Console(stderr=True), transient=True)
        return [(one,) if one is not None else () for one in found]
