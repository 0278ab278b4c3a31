"""From judged and localised samples to the advantage of every token, as an arm has it.

Spans, decisions and scales go through the plugin's own ``adapters.tensors.place``; controls and praise are made here.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence

import torch

from benchmarks.learning.programs.arms import Arm
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.rollout import Sample, prompts_of
from benchmarks.learning.programs.start import batch
from benchmarks.learning.programs.worlds import World
from egca_plugin.adapters.tensors import place
from egca_plugin.credit.praise import of_passing
from egca_plugin.types import TokenSpan

_NOT = re.compile(r"(?m)^( *if not )([^(\n].*):$")  # the families' layout has brackets there
LATE = 0.1  # share of a sample's tokens, from its end, that the arm ``late`` blames


def group_advantages(passed: Sequence[bool]) -> list[float]:
    """GRPO's (r - mean) / (std + 1e-6) of one group, with the unbiased deviation, as verl has it."""
    rewards = torch.tensor(passed, dtype=torch.float)
    return ((rewards - rewards.mean()) / (rewards.std() + 1e-6)).tolist()


def groups_of(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples of each group, in order."""
    found: dict[int, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.group, []).append(one)
    return list(found.values())


def assign(arm: Arm, samples: Sequence[Sample], rng: random.Random) -> None:
    """Set the weights of every sample of whole groups. Passing samples get GRPO's."""
    groups = groups_of(samples)
    for group in groups:
        for one, advantage in zip(group, group_advantages([s.passed for s in group]), strict=True):
            factor = 1.0 if one.passed else arm.negative
            one.weights = torch.full((len(one.ids),), advantage * factor)
    if arm.place != "all":
        _move(arm, [one for one in samples if not one.passed], rng)
    if arm.praise:
        for group in groups:
            _praise(arm, group, rng)
    for group in groups:
        if sum(one.passed for one in group) > arm.ceiling * len(group):
            for one in group:
                one.weights *= one.passed


def blamed(arm: Arm, one: Sample) -> tuple[TokenSpan, ...]:
    """The columns that a failing sample is blamed for; empty for uniform credit."""
    if arm.place == "late":
        length = len(one.ids)
        return (TokenSpan(length - max(1, round(LATE * length)), length),) if one.spans else ()
    if arm.place in ("decision", "oracle") and one.decision is not None:
        return (TokenSpan(one.decision, one.decision + 1),)
    return one.spans


def _move(arm: Arm, failing: Sequence[Sample], rng: random.Random) -> None:
    if not failing:
        return
    longest = max(len(one.ids) for one in failing)
    wide = torch.zeros(len(failing), longest)
    mask = torch.zeros(len(failing), longest)
    for row, one in enumerate(failing):
        wide[row, : len(one.ids)] = one.weights
        mask[row, : len(one.ids)] = 1
    placed, done = place(wide, mask, [blamed(arm, one) for one in failing], scale=arm.scale)
    for row, one in enumerate(failing):
        own = placed[row, : len(one.ids)]
        if not done.moved[row]:
            one.weights *= arm.unproven
            continue
        if arm.matched:
            own = one.weights * (done.credited[row] / done.tokens[row])
        elif arm.elsewhere:
            own = own.roll(rng.randrange(len(own)))
        one.weights = own.clone()


def further_rows(arm: Arm, samples: Sequence[Sample], world: World) -> list[Sample]:
    """A positive row for every proven sample whose repair the policy can write, as ``arm.further`` has it.

    Nothing of it was sampled, so it counts no drawn tokens.
    """
    rows: list[Sample] = []
    for group in groups_of(samples):
        proven = [one for one in group if not one.passed and one.answer.repaired]
        if not proven:
            continue
        weight = _as_passing(group, len(proven))
        for one in proven:
            row = _further(arm.further, one, world)
            if row is not None:
                row.weights *= weight
                rows.append(row)
    return rows


def _further(kind: str, one: Sample, world: World) -> Sample | None:
    """The row, with weight 1 on the tokens that are praised."""
    vocabulary = world.vocabulary
    wanted = world.tasks[one.task].reference if kind == "reference" else one.answer.repaired
    ids = vocabulary.encode(_NOT.sub(r"\1(\2):", ast.unparse(ast.parse(wanted))))
    if ids is None or vocabulary.prompt + len(ids) + 1 > world.longest:
        return None
    ids.append(vocabulary.end)
    if kind == "choice":
        if one.decision is None or one.decision >= len(ids) or ids[: one.decision] != one.ids[: one.decision]:
            return None
        ids = ids[: one.decision + 1]
    weights = torch.ones(len(ids))
    if kind == "patch":
        same, shortest = one.ids, min(len(ids), len(one.ids))
        first = next((k for k in range(shortest) if ids[k] != same[k]), shortest)
        last = next((k for k in range(shortest - first) if ids[-1 - k] != same[-1 - k]), shortest - first)
        weights[:first] = 0
        weights[len(ids) - last :] = 0
    if kind == "choice":
        weights[:-1] = 0
    return Sample(one.group, one.task, ids, begin=len(ids), passed=True, weights=weights)


def _as_passing(group: Sequence[Sample], proven: int) -> float:
    """The advantage of a passing sample in the group enlarged by the ``proven`` ones."""
    return of_passing((sum(one.passed for one in group) + proven) / (len(group) + proven))


@torch.no_grad()
def by_chance(policy: Policy, rows: Sequence[Sample], world: World) -> None:
    """Multiply the weight of each row's last token by the probability that the policy gives it, in place.

    Of a state in which the policy chose wrongly, and of which the right choice is proven, this is the policy gradient
    over both: ``p(right) A+`` for the one that was not sampled.
    """
    for one in rows:
        ids, _ = batch([(prompts_of(world, [one.task])[0].tolist(), one.ids)], world.vocabulary.pad)
        one.weights[-1] *= policy.log_probs(ids, world.vocabulary.prompt)[0][0, len(one.ids) - 1].exp()


def _random_place(one: Sample, rng: random.Random) -> int:
    """Where its blame was put; any place where its group has no advantage to blame it with."""
    blamed = one.weights.nonzero()
    return int(blamed[0]) if len(blamed) else rng.randrange(len(one.ids))


def _praise(arm: Arm, group: Sequence[Sample], rng: random.Random) -> None:
    """A proven sample is right in front of its decision: there it gets ``arm.share`` of what a passing one would."""
    proven = [one for one in group if not one.passed and one.answer.verified and one.decision is not None]
    if not proven:
        return
    passing = _as_passing(group, len(proven))
    for one in proven:
        at = _random_place(one, rng) if arm.elsewhere else one.decision
        weights = one.weights.clone()
        weights[:at] = arm.share * passing
        if arm.enlarged:
            weights[at] = -1 / passing
        if arm.praise == "rest":
            weights[at + 1 :] = arm.share * passing  # type: ignore[operator]
        one.weights = weights
