"""What a step on one group does elsewhere: to its task as other samples tell it, and to all other tasks.

A group's samples estimate the gradient of its task's pass rate without bias (reward less the mean of the others). Those
of the stepped group itself would not: they are what the step was made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.learning.onestep import measure
from benchmarks.learning.onestep.measuring import Kept, Vectors

Effects = dict[str, dict[str, dict[str, float]]]  # by optimiser, arm, and what is measured


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the steps on one group change elsewhere, to first order.

    ``own``: ``same`` is the pass rate of its task as the other groups tell it, ``fresh_right`` and ``fresh_wrong`` the
    mean log-likelihood a token of the samples in them; what the task has no other group for is missing. ``others``: the
    pass rate of every other task, by its name.
    """

    own: Effects
    others: Effects


def elsewhere(kept: Kept) -> dict[str, Elsewhere]:
    """By ``BATCH.GROUP``, for all groups on which steps were taken."""
    lines = kept.lines()
    of_task: dict[str, list[Mapping[str, torch.Tensor]]] = {}
    for line in lines:
        of_task.setdefault(line["task_id"], []).extend(one.goals for one in kept.vectors(line["name"]))
    rates = {task: total(found, "passing") / len(found) for task, found in of_task.items()}
    told = {}
    for name, task, own in _stepped(lines, kept):
        goals = {}
        if others := len(of_task[task]) - 1:
            goals["same"] = (total(of_task[task], "passing") - total([own.goals], "passing")) / others
        if mixed := sum(bool(one) for one in of_task[task]) - 1:
            for kind in ("right", "wrong"):
                goals[f"fresh_{kind}"] = (total(of_task[task], kind) - total([own.goals], kind)) / mixed
        foreign = {other: rate for other, rate in rates.items() if other != task}
        steps = measure.steps({arm: g.float() for arm, g in own.arms.items()})
        told[name] = Elsewhere(
            {by: measure.linear(taken, goals) for by, taken in steps.items()},
            {by: measure.linear(taken, foreign) for by, taken in steps.items()},
        )
    return told


def total(groups: Sequence[Mapping[str, torch.Tensor]], goal: str) -> torch.Tensor:
    """(P,) sum of a goal's gradients, zero for groups without; (1,) zero where none has it."""
    return sum((one[goal].float() for one in groups if goal in one), torch.zeros(1))


def _stepped(lines: Sequence[dict[str, Any]], kept: Kept) -> Iterator[tuple[str, str, Vectors]]:
    for line in lines:
        for k, own in enumerate(kept.vectors(line["name"])):
            if own.arms:
                yield f"{line['name']}.{k}", line["task_id"], own
