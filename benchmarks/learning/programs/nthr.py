"""NTHR's weights (arXiv 2505.18830): negatives are lowered on the tokens that would harm right siblings most.

A step on a token of a failing sample changes the likelihood of a right sibling's token by the inner product of their
hidden states times that of their prediction errors (the gradient of the unembedding). Tokens of a failing sample whose
sum over the siblings' tokens is above BETA times the least of the right samples' own mean get their advantage times
``2 |p - 1/2|``, p the group's pass rate.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from benchmarks.learning.programs.credit import groups_of
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.rollout import Sample, prompts_of
from benchmarks.learning.programs.start import batch
from benchmarks.learning.programs.worlds import World

BETA = 1.0


@torch.no_grad()
def soften(policy: Policy, samples: Sequence[Sample], world: World) -> None:
    """Lower the weights of failing samples in mixed groups, in place."""
    for group in groups_of(samples):
        right, wrong = [s for s in group if s.passed], [s for s in group if not s.passed]
        if not right or not wrong:
            continue
        parts = [_features(policy, one, world) for one in right]
        hidden, error = (torch.cat(part) for part in zip(*parts, strict=True))
        goal = hidden.T @ error  # (width, vocabulary): the sum over right tokens of hidden x error
        own = [float(_scores(*part, goal).mean()) for part in parts]
        factor = 2 * abs(len(right) / len(group) - 0.5)
        for one in wrong:
            harmful = _scores(*_features(policy, one, world), goal) > BETA * min(own)
            one.weights = torch.where(harmful, one.weights * factor, one.weights)


def _scores(hidden: torch.Tensor, error: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """(T,) inner product of every token's gradient of the unembedding with ``goal``."""
    return ((hidden @ goal) * error).sum(-1)


def _features(policy: Policy, one: Sample, world: World) -> tuple[torch.Tensor, torch.Tensor]:
    """(T, width) last hidden states in front of a sample's tokens, and (T, vocabulary) one-hot minus probability."""
    ids, _ = batch([(prompts_of(world, [one.task])[0].tolist(), one.ids)], world.vocabulary.pad)
    hidden = policy.hidden(ids[:, :-1])[0, world.vocabulary.prompt - 1 :]
    error = -torch.softmax(policy.head(hidden), -1)
    error[torch.arange(len(error)), torch.tensor(one.ids)] += 1
    return hidden, error
