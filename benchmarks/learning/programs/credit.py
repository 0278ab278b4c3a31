"""From judged and localised samples to the advantage of every token, as an arm has it.

Spans, decisions and scales go through the plugin's own ``adapters.tensors.place``; controls and praise are made here.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from benchmarks.learning.programs.arms import Arm
from benchmarks.learning.programs.rollout import Sample
from egca_plugin.adapters.tensors import place
from egca_plugin.credit.praise import of_passing
from egca_plugin.types import TokenSpan

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
            _praise(arm, group)


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
            continue
        if arm.matched:
            own = one.weights * (done.credited[row] / done.tokens[row])
        elif arm.elsewhere:
            own = own.roll(rng.randrange(len(own)))
        one.weights = own.clone()


def _praise(arm: Arm, group: Sequence[Sample]) -> None:
    """A proven sample is right in front of its decision: there it gets what a passing one would.

    That is the advantage of a passing sample in the group enlarged by the proven ones, times ``arm.share``.
    """
    proven = [one for one in group if not one.passed and one.answer.verified and one.decision is not None]
    if not proven:
        return
    rate = (sum(one.passed for one in group) + len(proven)) / (len(group) + len(proven))
    praise = arm.share * of_passing(rate)
    for one in proven:
        at = one.decision
        weights = one.weights.clone()
        weights[:at] = praise
        if arm.praise == "rest":
            weights[at + 1 :] = praise  # type: ignore[operator]
        one.weights = weights
