"""Score localisers on programs whose fault is known.

    python -m benchmarks.localization.mutants --mbpp mbpp.jsonl --out outputs/corpus      once
    python -m benchmarks.localization --mbpp mbpp.jsonl --corpus outputs/corpus --half test
    python -m benchmarks.localization --forms stdin --condefects condefects.jsonl --half all

Without ``--corpus`` only the independent and the sampled programs are used, without ``--mbpp`` only HumanEval's.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.common import RESULTS
from benchmarks.localization import condefects, corpus, deciding, harness, independent
from benchmarks.localization.corpus import FORMS, HALVES, Subject
from benchmarks.localization.report import report
from egca_plugin.config import LOCALIZERS
from egca_plugin.errors import EgcaError

# The debugger needs a server, so it runs only when it is named.
DEFAULT = tuple(name for name in LOCALIZERS if name != "debugger")

_SHOWN = ("form", "localiser", "n", "top-1 line", "tokens", "verified", "ms p50", "ms p95")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for unusable input."""
    options = parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        tables = bench(options, console)
    except EgcaError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 2
    console.print(_table(tables[0]))
    return 0


def bench(options: argparse.Namespace, console: Console) -> list[dict[str, Any]]:
    """Run what is missing, then report on everything that was asked for."""
    tasks = corpus.tasks(options.mbpp, options.tasks)
    if options.condefects is not None:
        tasks |= condefects.load(options.condefects)[0]
    subjects = [subject for subject in chosen_subjects(options) if subject.task_id in tasks]
    names = tuple(options.localizers)
    rows_file = options.work / f"rows-{options.half}.jsonl"
    jobs = harness.plan(subjects, tasks, names, harness.done(harness.read(rows_file)))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(f"{options.half} half", total=sum(len(job.work) for job in jobs))
        harness.run(jobs, rows_file, options.workers, lambda count: progress.advance(bar, count))
    wanted = {(name, subject.id, subject.digest) for subject in subjects for name in names}
    rows = [row for row in harness.read(rows_file) if (row.localizer, row.subject, row.digest) in wanted]
    settings = {
        "half": options.half,
        "localizers": names,
        "forms": options.forms,
        "limit": options.limit,
        "workers": options.workers,
        "mbpp": options.mbpp is not None,
        "decided_in": deciding.unit(),
        "subjects": {form: sum(subject.form == form for subject in subjects) for form in FORMS},
    }
    return report(rows, options.half, settings, options.results)


def _table(one: Mapping[str, Any]) -> Table:
    """The first table for a terminal: fewer columns, and no intervals."""
    shown = Table(title=one["title"])
    kept = [one["columns"].index(name) for name in _SHOWN]
    for name in _SHOWN:
        shown.add_column(name, justify="left" if name in _SHOWN[:2] else "right", no_wrap=True)
    for row in one["rows"]:
        shown.add_row(*(str(row[index]).partition(" [")[0] for index in kept))
    return shown


def chosen_subjects(options: argparse.Namespace) -> list[Subject]:
    """The programs that the options ask for, form by form."""
    chosen: list[Subject] = []
    for form in options.forms:
        if form in independent.DATA:
            found = independent.subjects(form)
        elif form == condefects.FORM:
            found = condefects.load(options.condefects)[1] if options.condefects is not None else []
        elif options.corpus is None:
            continue
        else:
            found = corpus.load(options.corpus / f"{form}.jsonl")
        found = [subject for subject in found if options.half in (subject.half, "all")]
        if options.limit and len(found) > options.limit:
            found = random.Random(form).sample(found, options.limit)
        chosen += found
    return chosen


def parser() -> argparse.ArgumentParser:
    """The options, shared with :mod:`benchmarks.localization.stages`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.localization", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    halves = (*HALVES, "all")
    parser.add_argument("--half", choices=halves, default=HALVES[0], help="tune on the first, report on the second")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--localizers", nargs="+", choices=LOCALIZERS, default=list(DEFAULT), metavar="NAME")
    parser.add_argument("--corpus", type=Path, help="folder that benchmarks.localization.mutants wrote")
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl")
    parser.add_argument("--tasks", type=Path, help="a file of tasks that egca prepare wrote, whose mutants are there")
    parser.add_argument("--condefects", type=Path, help="file of ConDefects' pairs, for the form stdin")
    parser.add_argument("--limit", type=int, default=0, help="at most so many programs of each form, drawn by lot")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("outputs/localization"), help="rows of an unfinished run")
    parser.add_argument("--results", type=Path, default=RESULTS / "localization")
    return parser


if __name__ == "__main__":
    sys.exit(main())
