"""Resets: part of a group's budget restarts from the prefix of a failing sample (arXiv 2605.25507).

A group is FIRST samples from scratch and EXTRA more. Those restart in front of the decision of one verified failing
sample of the group, and only what is sampled anew has a gradient; the failing sample's own rest is judged among them.
Groups in which nothing is verified spend the rest of the budget from scratch, as GRPO does.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from benchmarks.learning.programs.arms import Arm
from benchmarks.learning.programs.credit import group_advantages, groups_of
from benchmarks.learning.programs.judge import Judge
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.rollout import Sample, draw, judged, localised
from benchmarks.learning.programs.worlds import World

FIRST, EXTRA = 5, 3


def roll(
    arm: Arm, world: World, policy: Policy, judge: Judge, tasks: Sequence[int], luck: torch.Tensor, rng: random.Random
) -> list[Sample]:
    """All samples of the groups, one group for each of ``tasks``, with their weights.

    ``luck`` holds FIRST + EXTRA rows a group: the first ones are those that GRPO would use.
    """
    size = FIRST + EXTRA
    first = [g * size + k for g in range(len(tasks)) for k in range(FIRST)]
    samples = draw(world, policy, [tasks[row // size] for row in first], [row // size for row in first], luck[first])
    judged(world, judge, samples)
    points = _points(world, judge, groups_of(samples), rng)
    if arm.resets == "random":  # the same samples, another place
        points = {g: (one, rng.randrange(len(one.ids))) for g, (one, _) in points.items()}
    rows = [g * size + FIRST + k for g in range(len(tasks)) for k in range(EXTRA)]
    prefixes = [points[row // size][0].ids[: points[row // size][1]] if row // size in points else [] for row in rows]
    more = draw(
        world, policy, [tasks[row // size] for row in rows], [row // size for row in rows], luck[rows], prefixes
    )
    judged(world, judge, more)
    for group, extra in zip(groups_of(samples), groups_of(more), strict=True):
        _weigh(arm, group, extra, points.get(group[0].group))
    return [*samples, *more]


def _points(
    world: World, judge: Judge, groups: Sequence[Sequence[Sample]], rng: random.Random
) -> dict[int, tuple[Sample, int]]:
    """Of each group one failing sample with a proven decision: they are asked in random order until one has it."""
    queue = {
        group[0].group: rng.sample(bad, len(bad)) for group in groups if (bad := [s for s in group if not s.passed])
    }
    points: dict[int, tuple[Sample, int]] = {}
    while queue:
        asked = {g: rest.pop() for g, rest in queue.items()}
        localised(world, judge, list(asked.values()))
        points |= {g: (one, one.decision) for g, one in asked.items() if one.decision is not None}
        queue = {g: rest for g, rest in queue.items() if rest and g not in points}
    return points


def _weigh(arm: Arm, group: Sequence[Sample], extra: Sequence[Sample], point: tuple[Sample, int] | None) -> None:
    together = group if point else [*group, *extra]
    for one, advantage in zip(together, group_advantages([s.passed for s in together]), strict=True):
        one.weights = torch.full((len(one.ids),), advantage)
    if point:
        failed, at = point
        around = [*extra, failed]
        for one, advantage in zip(around, group_advantages([s.passed for s in around]), strict=True):
            if one is not failed:
                one.weights = torch.zeros(len(one.ids))
            one.weights[at:] = advantage  # of the failing sample: instead of its advantage among the first
    for one in (*group, *extra):
        one.weights = torch.where(one.weights < 0, one.weights * arm.negative, one.weights)
