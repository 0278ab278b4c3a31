"""What a command says of samples that it has no verdict on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

from egca_plugin.cli.terminal import say
from egca_plugin.types import Credit, Outcome

NAMED = 20  # tasks


def tell_missing(command: str, credits: Iterable[tuple[str, Credit]]) -> None:
    """Name the tasks that cannot be judged, with their reason, and say how often the sandbox failed.

    ``credits`` are with their tasks' ids.
    """
    bad: defaultdict[str, list[Credit]] = defaultdict(list)
    lost: list[Credit] = []
    for task_id, credit in credits:
        if credit.outcome is Outcome.UNJUDGEABLE:
            bad[task_id].append(credit)
        elif credit.outcome is Outcome.INFRASTRUCTURE:
            lost.append(credit)
    for task_id, rows in islice(bad.items(), NAMED):
        say(command, f"task {task_id!r}: {len(rows)} samples without a verdict: {rows[0].stage}")
    if len(bad) > NAMED:
        say(command, f"and {len(bad) - NAMED} more tasks, {sum(map(len, bad.values()))} samples in all")
    if lost:
        again = "; --resume judges them again" if command == "assess" else ""
        say(command, f"{len(lost)} samples without a verdict, the sandbox failed: {lost[0].stage}{again}")
