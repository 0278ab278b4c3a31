"""``egca prepare``: write a task set as JSONL and as verl's parquet rows."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from egca_plugin.chat import ChatServer
from egca_plugin.cli import output
from egca_plugin.config import CONSTRAINT_LEVELS, EgcaConfig, SandboxConfig
from egca_plugin.errors import ConfigError
from egca_plugin.program.constraints import Constraint, guided
from egca_plugin.sandbox.pool import Pool
from egca_plugin.tasks import complexity, parquet
from egca_plugin.tasks.catalog import SETS, TaskSet
from egca_plugin.tasks.extraction import Answers, Ask, extract
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.types import Task

DEADLINE_S = 120.0  # for one task
MODEL = "Qwen/Qwen2.5-Coder-7B-Instruct"  # the paper's debugger
EVALUATION = ("test", "validation")  # splits whose prompts carry constraints only where they are asked for alone
_CONSOLE = Console(stderr=True)


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
        help="how much of the reference's form the prompts ask for and the run then checks; prompts of the splits "
        "test and validation do so only where no other is written (default: %(default)s)",
    )
    parser.add_argument(
        "--constraints-llm",
        metavar="URL",
        help="ask the model of an OpenAI-compatible server for the constraints, as the paper does; only those that a "
        "machine can check and the reference keeps are used. Its answers stay in DIR and are not asked for again. The "
        "environment's EGCA_CONSTRAINTS_KEY is its key, if it wants one",
    )
    parser.add_argument("--constraints-model", metavar="NAME", default=MODEL, help="its model (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="made if it does not exist")
    parser.add_argument("--json", action="store_true", help="say what was written as JSON")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of one task set."""

    tasks: Path
    rows: Path
    count: int


def run(args: argparse.Namespace) -> int:
    server = None
    if args.constraints_llm:
        if args.constraints != "paper":
            raise ConfigError(f"--constraints-llm: got --constraints {args.constraints}, expected --constraints paper")
        server = ChatServer(args.constraints_llm, args.constraints_model, os.environ.get("EGCA_CONSTRAINTS_KEY", ""))
    written = write(SETS[args.name], args.source, args.split, args.constraints, args.out, server)
    if args.json:
        print(json.dumps({"tasks": str(written.tasks), "rows": str(written.rows), "count": written.count}))
    else:
        console = Console(stderr=True)
        console.print(f"{written.count} tasks: {written.tasks}\nverl's rows: {written.rows}", soft_wrap=True)
        console.print(f"next: egca preflight {written.tasks}", soft_wrap=True)
    return 0


def write(
    tasks: TaskSet, source: str | None, split: str | None, constraints: str, out: Path, server: ChatServer | None = None
) -> Written:
    """Write both files; the level ``paper`` runs the references in the sandbox for their complexity class.

    ``server``: whose model names the constraints; its answers are kept beside the files. Raises TaskError and
    AssetError without the tasks or the model, EgcaError where the files cannot be written, SandboxError.
    """
    selected = tasks.select(source, split)
    stem = f"{tasks.name}-{split}" if split else tasks.name
    written = Written(out / f"{stem}.jsonl", out / f"{stem}.parquet", len(selected))
    output.ready(written.tasks)
    output.ready(written.rows)
    ask = Answers(out / f"{stem}-answers.jsonl", server).ask if server is not None else None
    asked = {name for name, _ in selected if split or name not in EVALUATION} or {name for name, _ in selected}
    asking = iter(_guided([task for name, task in selected if name in asked], constraints, ask))
    chosen = [(name, next(asking) if name in asked else task) for name, task in selected]
    with output.writing(written.tasks):
        dump_tasks((task for _, task in chosen), written.tasks)
    rows = [
        parquet.row(task, data_source=tasks.name, split=name, index=index, instruction=tasks.instruction)
        for index, (name, task) in enumerate(chosen)
    ]
    with output.writing(written.rows):
        parquet.write(rows, written.rows)
    return written


def _guided(tasks: Sequence[Task], level: str, ask: Ask | None) -> list[Task]:
    """The tasks as their prompts will ask them."""
    if level != "paper":
        return [guided(task, level) for task in tasks]
    measured = list(zip(tasks, _measured(tasks), strict=True))
    if ask is None:
        return [guided(task, level, [] if one is None else [one]) for task, one in measured]
    pairs = track(measured, "asking", console=_CONSOLE, transient=True)
    return [guided(extract(task, ask, one), level) for task, one in pairs]


def _measured(tasks: Sequence[Task]) -> list[Constraint | None]:
    """The constraint of each task that takes runs of its reference: a complexity class, where one is sure."""
    with Pool(complexity.HANDLER, SandboxConfig(), settings=EgcaConfig(), deadline_s=DEADLINE_S) as pool:
        return list(track(pool.map(tasks), "measuring", len(tasks), console=_CONSOLE, transient=True))
