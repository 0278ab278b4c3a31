"""``egca replay``: localise a past run's records again, without a GPU, and show what changed."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from egca_plugin import jsonl
from egca_plugin.cli import output
from egca_plugin.cli.inputs import tasks_of
from egca_plugin.cli.options import add_settings, check_one_voice, settings_of
from egca_plugin.cli.progress import tracked
from egca_plugin.cli.terminal import console, plain
from egca_plugin.cli.verdicts import tell_missing
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import SampleError
from egca_plugin.monitor.records import credit_line
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.report.changes import Change, changes, told
from egca_plugin.report.read import Record, files, load
from egca_plugin.types import Completion, Credit, Task

GROUP = 64  # completions of one task that travel together


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "replay",
        help="localise a past run's records again and show what changed",
        description="Judge and localise the programs of a past run again, on any machine, and compare the credits.",
        epilog="example: egca replay runs/mbpp/records --tasks data/mbpp-train.jsonl --localizer uniform",
    )
    parser.add_argument("records", type=Path, help="a credits file, or the folder of a run or its records")
    parser.add_argument("--tasks", type=Path, required=True, help="the tasks of that run, one JSON object a line")
    parser.add_argument("--samples", type=Path, help="the assessed samples, where the records are of `egca assess`")
    add_settings(parser)
    parser.add_argument("--workers", type=int, default=0, help="worker processes (default: one per core, at most 8)")
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds for one program with all its tests")
    parser.add_argument("--out", type=Path, help="write the new records here, with their programs")
    parser.add_argument("--show", type=int, default=20, help="changed records to list (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON: records, same, changed")


def run(args: argparse.Namespace) -> int:
    if args.out:
        output.ready(args.out, *files(args.records), args.tasks, args.samples)
        check_one_voice(args)
    records = load(args.records, args.samples)
    tasks = tasks_of("replay", args.tasks)
    config = settings_of(args, SandboxConfig(timeout_s=args.timeout, workers=args.workers))
    now = _assess(config, _groups(records, tasks, args.tasks), len(records))
    found = list(changes(records, now))
    if args.out:
        _write(args.out, records, now)
    if args.json:
        print(json.dumps({"records": len(records), "same": len(records) - len(found), "changed": _lines(found)}))
    else:
        _print(console(stderr=False), records, found, args.show)
    tell_missing("replay", [(record.task_id, credit) for record, credit in zip(records, now, strict=True)])
    return 0


def _groups(records: Sequence[Record], tasks: Mapping[str, Task], path: Path) -> list[tuple[Group, list[int]]]:
    """Groups of one task and step, with the places of their completions in the records. Raises SampleError."""
    members: defaultdict[tuple[str, int | None], list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if record.task_id not in tasks:
            raise SampleError(f"{record.where}, field task_id: {record.task_id!r} is no task of {path}")
        members[record.task_id, record.step].append(place)
    return [
        (Group(tasks[task_id], tuple(Completion(_text(records[place]), task_id) for place in part)), part)
        for (task_id, _), places in members.items()
        for part in (places[start : start + GROUP] for start in range(0, len(places), GROUP))
    ]


def _text(record: Record) -> str:
    if record.text is None:
        raise SampleError(
            f"{record.where}, field completion: missing, so there is no program to run; records of `egca assess` need "
            "the samples that it read: --samples SAMPLES.jsonl"
        )
    return record.text


def _assess(config: EgcaConfig, groups: Sequence[tuple[Group, list[int]]], total: int) -> list[Credit]:
    credits: dict[int, Credit] = {}
    results = assess_groups(config, [group for group, _ in groups])
    for at, part in tracked(results, "replay", len(groups)):
        credits.update(zip(groups[at][1], part, strict=True))
    return [credits[place] for place in range(total)]


def _write(path: Path, records: Sequence[Record], now: Sequence[Credit]) -> None:
    with output.whole(path) as file:
        for record, credit in zip(records, now, strict=True):
            head = {"task_id": record.task_id, "step": record.step, "completion": record.text}
            file.write(jsonl.line(head | credit_line(credit, record.text or "")))


def _lines(found: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "record": change.number,
            "task_id": change.record.task_id,
            "step": change.record.step,
            "fields": list(change.fields),
            "was": credit_line(change.record.credit, change.record.text or ""),
            "now": credit_line(change.now, change.record.text or ""),
        }
        for change in found
    ]


def _print(console: Console, records: Sequence[Record], found: Sequence[Change], show: int) -> None:
    by_field = Counter(field for change in found for field in change.fields)
    what = ", ".join(f"{field} of {n}" for field, n in by_field.most_common())
    console.print(
        f"{len(records) - len(found)} of {len(records)} records are the same" + (f"; changed: {what}" if what else "")
    )
    if found and show > 0:
        table = Table(box=None, pad_edge=False)
        for column in ("record", "task", "what", "was", "is"):
            table.add_column(column, overflow="fold")
        for change in found[:show]:
            for field in change.fields:
                was, now = (told(c, field, change.record.text or "") for c in (change.record.credit, change.now))
                cells = (str(change.number), change.record.task_id, field, was, now)
                table.add_row(*map(plain, cells))
        console.print(table)
    if len(found) > show:
        console.print(f"and {len(found) - max(show, 0)} more (--show, or --json for all)")
