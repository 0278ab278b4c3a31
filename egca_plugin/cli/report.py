"""``egca report``: records as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from egca_plugin.cli import output
from egca_plugin.cli.inputs import NAMED, tasks_of
from egca_plugin.cli.terminal import say
from egca_plugin.report.read import files, load
from egca_plugin.report.render import SHOWN, render


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "report",
        help="records as one HTML file",
        description="Draw what `egca assess` or a training run recorded into one HTML file that loads nothing.",
        epilog="example: egca report credits.jsonl --samples samples.jsonl --out report.html",
    )
    parser.add_argument("records", type=Path, help="a credits file, or the folder of a run or its records")
    parser.add_argument("--out", "-o", type=Path, required=True, help="the HTML file to write; - for standard output")
    parser.add_argument("--samples", type=Path, help="the samples that were assessed: brings in the programs' text")
    parser.add_argument("--tasks", type=Path, metavar="NAME|FILE", help="brings in prompts and tests: " + NAMED)
    parser.add_argument("--against", type=Path, metavar="RECORDS", help="another run, to be compared with")
    parser.add_argument("--title", default="", help="heading (default: the records' path)")
    parser.add_argument(
        "--limit", type=int, default=SHOWN, help="samples to list, evenly spread (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    others = files(args.against) if args.against else []
    output.ready(args.out, *files(args.records), *others, args.samples, args.tasks)
    records = load(args.records, args.samples)
    tasks = tasks_of("report", args.tasks) if args.tasks else {}
    against = load(args.against) if args.against else ()
    title = args.title or str(args.records)
    page = render(records, title, shown=max(args.limit, 0), tasks=tasks, against=against).encode()
    with output.whole(args.out) as file:
        file.write(page)
    say("report", f"{args.out}: {len(records)} records, {len(page) / 1024:.0f} KiB")
    return 0
