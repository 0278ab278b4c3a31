"""From what was measured to the result file, its tables and the picture."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import common
from benchmarks.common import Interval
from benchmarks.learning.onestep.cross import Effects, elsewhere
from benchmarks.learning.onestep.measure import LENGTH, LIKELIHOODS, STEPPED
from benchmarks.learning.onestep.measuring import Kept
from benchmarks.learning.onestep.record import SIZE, read
from benchmarks.learning.programs.arms import ARMS

NAME = "learning_onestep"
COLUMNS = {
    "right": "right siblings",
    "wrong": "wrong siblings",
    "tail": "wrong from the decision on",
    "reference": "reference",
    "fresh_right": "fresh right samples",
    "fresh_wrong": "fresh wrong samples",
    "same": "pass rate, same task",
    "others": "pass rate, other tasks",
}
CONTROLS = (("unit", "unit_random"), ("unit", "mass_matched"), ("decision", "decision_random"))
OPTIMISERS = {
    "matched": "along the gradient, every arm's step as long as GRPO's",
    "raw": "along the gradient at one rate for all: an arm with less mass goes less far",
    "adam": "Adam's first step, the sign of the gradient: equally long for all",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One group on which steps were taken; ``effects`` by optimiser, arm and measure, ``finite`` by arm and measure.

    ``others``: by optimiser, arm and task the change of another task's pass rate.
    """

    name: str
    task_id: str
    effects: Effects
    others: Effects
    finite: dict[str, dict[str, float]] | None
    lengths: dict[str, float]
    counts: dict[str, int]


def groups_of(kept: Kept) -> list[Group]:
    """What is kept, with the pass rates added."""
    found, crossed = [], elsewhere(kept)
    for line in kept.lines():
        for k, numbers in enumerate(line["groups"]):
            if numbers is None:
                continue
            name = f"{line['name']}.{k}"
            effects = {
                by: {arm: {**told, **crossed[name].own[by][arm]} for arm, told in arms.items()}
                for by, arms in numbers["linear"].items()
            }
            counts = {key: numbers[key] for key in ("passed", "verified", "decided", "tokens")}
            others = crossed[name].others
            found.append(Group(name, line["task_id"], effects, others, numbers["finite"], numbers["lengths"], counts))
    return found


def by_task(groups: Sequence[Group], values: Sequence[float | None]) -> Interval | None:
    """Mean over tasks of the mean over a task's groups, with a 95% bootstrap interval over tasks."""
    found: dict[str, list[float]] = {}
    for group, value in zip(groups, values, strict=True):
        if value is not None:
            found.setdefault(group.task_id, []).append(value)
    means = [statistics.fmean(some) for some in found.values()]
    return common.bootstrap(means, statistics.fmean) if means else None


def effect(group: Group, by: str, arm: str, measured: str, base: str = "") -> float | None:
    """What a step of ``arm`` changes, less what one of ``base`` does; None where it was not measured."""
    own = group.effects[by][arm].get(measured)
    if own is None or not base:
        return own
    return own - group.effects[by][base][measured]


def across(groups: Sequence[Group], by: str, arm: str, base: str = "") -> Interval | None:
    """Mean over pairs of tasks, a step on one and the pass rate of the other; the bootstrap draws both."""
    tasks = sorted({task for group in groups for task in (group.task_id, *group.others[by][arm])})
    index = {task: at for at, task in enumerate(tasks)}
    change, times = torch.zeros(2, len(tasks), len(tasks), dtype=torch.double)
    for group in groups:
        told = group.others[by][arm]
        for task, value in told.items():
            change[index[group.task_id], index[task]] += value - (group.others[by][base][task] if base else 0.0)
            times[index[group.task_id], index[task]] += 1
    if not times.any():
        return None
    mean, there = change / times.clamp(min=1), times.clamp(max=1)

    def statistic(drawn: Sequence[float]) -> float:
        often = torch.bincount(torch.tensor(drawn, dtype=torch.long), minlength=len(tasks)).double()
        pairs = float(often @ there @ often)
        return float(often @ mean @ often) / pairs if pairs else 0.0

    return common.bootstrap(range(len(tasks)), statistic)


def interval(groups: Sequence[Group], by: str, arm: str, measured: str, base: str = "") -> Interval | None:
    """What the steps of ``arm`` change, less what those of ``base`` do."""
    if measured == "others":
        return across(groups, by, arm, base)
    return by_task(groups, [effect(group, by, arm, measured, base) for group in groups])


def report(recorded: Path, kept: Kept, settings: Mapping[str, Any], folder: Path) -> Path:
    """Write ``learning_onestep.json`` and, where matplotlib is installed, its picture; the file's path.

    Raises SystemExit where no group has been measured.
    """
    groups = groups_of(kept)
    if not groups:
        raise SystemExit("egca bench learning onestep: no group has been measured yet; run the stages record, measure")
    tables = [table(groups, by) for by in OPTIMISERS]
    tables[1:1] = [table(groups, "matched", "grpo"), table(groups, "matched", "positives")]
    tables[3:3] = [places(groups)]
    tables.append(check(groups))
    batches, measured = read(recorded), len(kept.lines())
    told = {
        **settings,
        "group": SIZE,
        "length": LENGTH,
        "groups": len(groups),
        "tasks": len({group.task_id for group in groups}),
        "batches": {"recorded": len(batches), "measured": measured},
        "mean": {key: round(statistics.fmean(g.counts[key] for g in groups), 2) for key in groups[0].counts},
        "arms": {arm: asdict(ARMS[arm]) for arm in STEPPED},
    }
    path = common.write_result(NAME, settings=told, tables=tables, data={"by_group": _raw(groups)}, folder=folder)
    with suppress(ImportError):
        draw(groups, folder)
    return path


def table(groups: Sequence[Group], by: str, base: str = "") -> dict[str, Any]:
    """One row an arm: changes in thousandths, of a nat a token or of the pass rate; differences to ``base`` if named.

    ``gradient / GRPO's`` is the mean ratio of lengths.
    """
    body = []
    for arm in STEPPED:
        if arm == base:
            continue
        length = statistics.fmean(group.lengths[arm] / group.lengths["grpo"] for group in groups)
        cells = [_show(interval(groups, by, arm, m, base)) for m in COLUMNS]
        body.append([arm, f"{length:.2f}", *cells])
    title = f"One step: {OPTIMISERS[by]}" + (f"; less that of {base}" if base else "")
    return common.table(title, ["failing samples get", "gradient / GRPO's", *COLUMNS.values()], body)


def places(groups: Sequence[Group]) -> dict[str, Any]:
    """An arm less its control, which has as much mass at another place or everywhere; matched steps."""
    body = []
    for arm, control in CONTROLS:
        cells = [_show(interval(groups, "matched", arm, m, control)) for m in COLUMNS]
        body.append([f"{arm} less {control}", *cells])
    return common.table("The place, against another of the same mass", ["arm", *COLUMNS.values()], body)


def check(groups: Sequence[Group]) -> dict[str, Any]:
    """What the steps do that were taken, beside what the gradients say of the same."""
    some = [group for group in groups if group.finite]
    body = []
    for arm in STEPPED if some else ():
        cells = []
        for name in LIKELIHOODS:
            told = by_task(some, [effect(g, "matched", arm, name) for g in some])
            taken = by_task(some, [(g.finite or {})[arm].get(name) for g in some])
            cells.append(f"{1000 * taken.value:+.1f} / {1000 * told.value:+.1f}" if taken and told else "")
        body.append([arm, *cells])
    columns = ["failing samples get", *(COLUMNS[name] for name in LIKELIHOODS)]
    return common.table(f"Steps taken / told by the gradients, {len(some)} groups, matched", columns, body)


def draw(groups: Sequence[Group], folder: Path) -> Path:
    """Matched steps: a panel a measure, an arm a line, with intervals."""
    figure, axes = common.new_figure(len(COLUMNS), width=2.1, height=3.4)
    for axis, (name, title) in zip(axes, COLUMNS.items(), strict=True):
        for at, arm in enumerate(reversed(STEPPED)):
            found = interval(groups, "matched", arm, name)
            if found is None:
                continue
            value, low, high = (1000 * x for x in (found.value, found.low, found.high))
            axis.errorbar(value, at, xerr=[[value - low], [high - value]], fmt="o", color="tab:blue", markersize=3)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set_title(title, fontsize=8)
        axis.set_yticks(range(len(STEPPED)), reversed(STEPPED) if axis is axes[0] else [""] * len(STEPPED))
        axis.set_xlabel("thousandths" if name in ("same", "others") else "nats / 1000", fontsize=7)
    return common.save_figure(figure, NAME, folder)


def _raw(groups: Sequence[Group]) -> dict[str, Any]:
    """Matched effects of every group, rounded: enough to do the statistics again."""
    return {
        group.name: {
            arm: {name: float(f"{value:.4g}") for name, value in told.items()}
            for arm, told in group.effects["matched"].items()
        }
        for group in groups
    }


def _show(found: Interval | None) -> str:
    if found is None:
        return ""
    return Interval(*(1000 * x for x in (found.value, found.low, found.high))).show("{:+.1f}")
