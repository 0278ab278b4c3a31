"""``egca report``: records as one HTML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from egca_plugin.cli import output
from egca_plugin.report.read import load
from egca_plugin.report.render import SHOWN, render


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "report",
        help="records as one HTML file",
        description="Draw what `egca assess` or a training run recorded into one HTML file that loads nothing.",
        epilog="example: egca report credits.jsonl --samples samples.jsonl -o report.html",
    )
    parser.add_argument("records", type=Path, help="a credits file, or the folder of a run or its records")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the HTML file to write")
    parser.add_argument("--samples", type=Path, help="the samples that were assessed: brings in the programs' text")
    parser.add_argument("--title", default="", help="heading (default: the records' path)")
    parser.add_argument("--limit", type=int, default=SHOWN, help="samples to list, evenly spread (%(default)s)")


def run(args: argparse.Namespace) -> int:
    output.ready(args.out)
    records = load(args.records, args.samples)
    page = render(records, args.title or str(args.records), shown=max(args.limit, 0))
    with output.writing(args.out):
        args.out.write_text(page, encoding="utf-8")
    print(f"{args.out}: {len(records)} records, {len(page.encode()) / 1024:.0f} KiB", file=sys.stderr)
    return 0
