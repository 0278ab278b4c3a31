"""``egca watch``: follow a run's records live."""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from egca_plugin.cli.tables import Fitting
from egca_plugin.cli.terminal import console, plain
from egca_plugin.monitor import alarm
from egca_plugin.report.follow import Follower
from egca_plugin.report.read import Record, load
from egca_plugin.report.summary import Summary, summarise
from egca_plugin.types import Mode

MODES = tuple(mode.value for mode in Mode if mode is not Mode.CORRECT)  # that one is `passed`


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "watch",
        help="follow a run's records live",
        description="Follow the directory that a run writes its records to (egca.records). Ends with the run where it "
        "runs on this host, else with Ctrl-C.",
        epilog="example: egca watch runs/mbpp/records",
    )
    parser.add_argument(
        "run", type=Path, help="the run's folder, or that of its records, which may not exist yet; a file is shown once"
    )
    parser.add_argument("--steps", type=int, default=15, help="steps to show (default: %(default)s)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between looks (default: %(default)s)")
    parser.add_argument("--once", action="store_true", help="print what there is and end")


def run(args: argparse.Namespace) -> int:
    follower = Follower(args.run)
    by_step: defaultdict[int, list[Record]] = defaultdict(list)
    screen = console(stderr=False)
    if args.run.is_file():
        _sort(load(args.run), by_step)
        screen.print(_view(by_step, args.run, args.steps))
        return 0
    if args.once:
        _sort(list(follower.poll()), by_step)
        screen.print(_view(by_step, args.run, args.steps))
        return 0
    with Live(console=screen, auto_refresh=False) as live:
        try:
            while True:
                ended = follower.ended()  # asked first: what was written until then is read below
                if _sort(list(follower.poll()), by_step) or not by_step:
                    live.update(_view(by_step, args.run, args.steps), refresh=True)
                if ended:
                    shown = _view(by_step, args.run, args.steps)
                    live.update(Group(shown, Text("the run has ended")), refresh=True)
                    return 0
                time.sleep(max(args.every, 0.1))
        except KeyboardInterrupt:
            return 0  # the way to end it


def _sort(new: Sequence[Record], by_step: defaultdict[int, list[Record]]) -> int:
    for record in new:
        by_step[record.step or 0].append(record)
    return len(new)


def _view(by_step: Mapping[int, Sequence[Record]], path: Path, steps: int) -> RenderableType:
    if not by_step:
        return plain(f"no records in {path} yet; a run writes them where egca.records={path}")
    columns = ("step", "samples", "passed", *MODES, "narrow", "verified", "credited", "ms")
    table = Fitting(plain(path), columns, box=None)  # 80 columns are enough
    summaries = {step: summarise(by_step[step]) for step in sorted(by_step)[-max(steps, 1) :]}
    for step, summary in summaries.items():
        table.add_row(str(step), *_cells(summary))
    reasons: Counter[str] = Counter()
    for summary in summaries.values():
        reasons.update({count.name: count.n for count in summary.reasons})
    why = ", ".join(f"{name} {n}" for name, n in reasons.most_common(4))
    raised = alarm.over({step: [record.credit for record in records] for step, records in by_step.items()})
    notes = [plain(f"credit stayed wide: {why}")] if why else []
    notes += [plain(f"step {step}: {one}", "bold red") for step, one in list(raised.items())[-3:]]
    return Group(table, *notes)


def _cells(summary: Summary) -> list[str]:
    modes = {count.name: count.share for count in summary.modes}
    return [
        str(summary.samples),
        f"{summary.passed / summary.samples:.0%}",
        *(f"{modes.get(mode, 0.0):.0%}" for mode in MODES),
        f"{summary.narrow / summary.samples:.0%}",
        f"{summary.verified / summary.narrow:.0%}" if summary.narrow else "-",
        f"{summary.credited:.0%}" if summary.credited is not None else "-",
        f"{sum(time.mean for time in summary.times):.0f}",
    ]
