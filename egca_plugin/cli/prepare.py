"""``egca prepare``: write a task set, or the tasks of any data file, as JSONL and as verl's parquet rows."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, track
from rich.table import Table

from egca_plugin import __version__
from egca_plugin.cli import output
from egca_plugin.cli.options import settings_of
from egca_plugin.config import CONSTRAINT_LEVELS, LOCALIZERS, PRESETS, EgcaConfig, SandboxConfig
from egca_plugin.errors import ConfigError, EgcaError
from egca_plugin.program.constraints import Constraint, guided
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.tasks import complexity, parquet
from egca_plugin.tasks.catalog import SETS, TaskSet
from egca_plugin.tasks.chat import ChatServer
from egca_plugin.tasks.extraction import Answers, Ask, extract
from egca_plugin.tasks.files import dump_tasks
from egca_plugin.tasks.ingest import Plan, ingest
from egca_plugin.tasks.journal import Entry
from egca_plugin.tasks.layouts.registry import LAYOUTS, named
from egca_plugin.tasks.prepared import Summary
from egca_plugin.tasks.soundness import REASONS, Options
from egca_plugin.types import Task

DEADLINE_S = 120.0  # for one task
MODEL = "Qwen/Qwen2.5-Coder-7B-Instruct"  # the paper's debugger
EVALUATION = ("test", "validation")  # splits whose prompts carry constraints only where they are asked for alone
_CONSOLE = Console(stderr=True)
_COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}: {task.fields[read]} rows, {task.fields[unsound]} not sound"),
    TimeElapsedColumn(),
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "prepare",
        help="write tasks as JSONL and as verl's parquet rows, out of a named set or any data file",
        description="Write DIR/NAME.jsonl (tasks) and DIR/NAME.parquet (verl's rows); with --split, DIR/NAME-SPLIT.*. "
        "The rows of a file are checked on the way: DIR/NAME-refused.jsonl says what was left out and why. A run that "
        "was cut off goes on where it was.",
        epilog="examples: egca prepare mbpp --split train --out data; egca prepare taco/train.parquet --out data",
    )
    parser.add_argument(
        "source",
        metavar="NAME|FILE",
        help=f"a task set ({', '.join(SETS)}), a data file (.jsonl, .json, .parquet, each also .gz), a folder of them, "
        "APPS' folders, or a data set of the hub as owner/name[:config]",
    )
    parser.add_argument(
        "--source",
        dest="data",
        metavar="PATH|hub",
        help="a named set's data file, or the Hugging Face hub (default: mbpp from the hub)",
    )
    parser.add_argument(
        "--split",
        help="; ".join(f"{s.name}: {', '.join(s.splits)}" for s in SETS.values())
        + "; of a file: what its name, its folder or the hub calls it",
    )
    parser.add_argument(
        "--layout",
        metavar="LAYOUT",
        help=f"how a file's rows are laid out, of {', '.join(LAYOUTS)} (default: by the keys of its first row)",
    )
    parser.add_argument("--no-check", action="store_true", help="of a file: do not run the references on their tests")
    parser.add_argument(
        "--keep-unsound",
        action="store_true",
        help="of a file: keep the tasks whose references fail, without these, and those whose verdicts are in doubt",
    )
    parser.add_argument("--force", action="store_true", help="of a file: write over what an earlier run wrote")
    parser.add_argument("--workers", type=int, default=0, help="worker processes (default: one per core, at most 8)")
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="of a file: seconds for one reference with all its tests"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="sandbox.KEY=VALUE",
        help="of a file: a setting of the sandbox that runs the references, as sandbox.memory_mb=1024; may be repeated",
    )
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


def _run_file(args: argparse.Namespace) -> int:
    if args.data:
        raise ConfigError(f"--source: goes with a task set ({', '.join(SETS)}); {args.source} is none")
    if args.constraints != "off" or args.constraints_llm:
        raise ConfigError(f"--constraints: goes with a task set ({', '.join(SETS)}); {args.source} is none")
    sandbox = _sandbox(args)
    plan = Plan(
        args.source,
        args.out,
        layout=named(args.layout) if args.layout else None,
        split=args.split,
        options=Options(check=not args.no_check, timeout_s=args.timeout),
        keep_unsound=args.keep_unsound,
        force=args.force,
        stamp=f"{__version__} {sandbox}",
    )
    output.ready(plan.file(".partial.jsonl"))
    read = unsound = 0
    with (
        output.writing(plan.out),
        Progress(*_COLUMNS, console=_CONSOLE, transient=True, disable=not _CONSOLE.is_terminal) as bar,
    ):
        job = bar.add_task("checking", total=None, read=0, unsound=0)

        def on_entry(entry: Entry) -> None:
            nonlocal read, unsound
            read, unsound = read + 1, unsound + bool(entry.reason)
            bar.update(job, read=read, unsound=unsound)

        summary = ingest(plan, sandbox, on_entry)
    if args.json:
        print(json.dumps({**asdict(summary), **{name: _text(summary, name) for name in ("tasks", "rows", "refused")}}))
    _tell(summary)
    return 0


def _sandbox(args: argparse.Namespace) -> SandboxConfig:
    """Where the references run. Raises ConfigError."""
    for word in args.set:
        if not word.removeprefix("egca.").startswith("sandbox."):
            raise ConfigError(f"--set {word}: has no effect here; expected a setting sandbox.KEY=VALUE")
    settings = argparse.Namespace(preset=PRESETS[0], localizer=LOCALIZERS[0], set=args.set)
    return settings_of(settings, SandboxConfig(workers=args.workers)).sandbox


def _text(summary: Summary, name: str) -> str | None:
    path = getattr(summary, name)
    return None if path is None else str(path)


def _tell(summary: Summary) -> None:
    """What was kept and what was not, for people."""
    say = partial(_CONSOLE.print, soft_wrap=True, markup=False, highlight=False)
    if summary.reasons:
        table = Table(
            title=f"{sum(summary.reasons.values())} of {summary.read} rows are not sound", title_justify="left"
        )
        for name in ("reason", "rows", "which means"):
            table.add_column(name, justify="right" if name == "rows" else "left")
        for reason, count in summary.reasons.items():
            table.add_row(reason, str(count), REASONS[reason])
        _CONSOLE.print(table)
        say(f"the first: {summary.first[:500]}")
        say(f"every one: {summary.refused}")
    kept = f"{summary.kept} of {summary.read} rows ({summary.layout}), {summary.referenced} with a reference"
    say(f"{kept}: {summary.tasks}")
    say(f"verl's rows: {summary.rows}" if summary.rows else "no rows for verl: the tasks have no prompt")
    say(f"next: egca preflight {summary.tasks}")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of one task set."""

    tasks: Path
    rows: Path
    count: int


def run(args: argparse.Namespace) -> int:
    return _run_named(args) if args.source in SETS else _run_file(args)


def _run_named(args: argparse.Namespace) -> int:
    for name in ("layout", "no_check", "keep_unsound", "force", "set"):
        if getattr(args, name):
            option = name.replace("_", "-")
            raise ConfigError(f"--{option}: goes with a file; {args.source} is a task set, whose layout is known")
    server = None
    if args.constraints_llm:
        if args.constraints != "paper":
            raise ConfigError(f"--constraints-llm: got --constraints {args.constraints}, expected --constraints paper")
        server = ChatServer(args.constraints_llm, args.constraints_model, os.environ.get("EGCA_CONSTRAINTS_KEY", ""))
    written = write(SETS[args.source], args.data, args.split, args.constraints, args.out, server)
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
    for path in (written.tasks, written.rows):
        if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
            raise EgcaError(f"{path}: is what is read; expected another folder as --out")
        output.ready(path)
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
