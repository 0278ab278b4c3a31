"""The gradients of many weightings of the same tokens, for little more than the price of one.

A weighting gives every sampled token a number, and stands for the sum of weight times log-probability: an arm's loss is
one, and so is what is measured, as the mean log-likelihood of right siblings. The gradient is linear in the weights, so
tokens that all weightings treat alike share one backward pass: the prefix in front of a decision, say, or the whole of
a passing sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from benchmarks.learning.onestep.policy import Policy, Texts

Weighting = Sequence[torch.Tensor]  # the weights (T_i,) of every row


def gradients(policy: Policy, texts: Texts, weightings: Mapping[str, Weighting]) -> dict[str, torch.Tensor]:
    """(P,) gradient at step zero of every weighting's sum of weight times log-probability."""
    found = torch.zeros(len(weightings), policy.parameters)
    policy.step = torch.zeros(policy.parameters, requires_grad=True)
    for row in range(len(texts.ids)):
        table = torch.stack([weighting[row] for weighting in weightings.values()])
        _add(found, policy, texts, row, table)
    policy.step = torch.zeros(policy.parameters)
    return dict(zip(weightings, found, strict=True))


def _add(found: torch.Tensor, policy: Policy, texts: Texts, row: int, table: torch.Tensor) -> None:
    """Add one row's share; ``table`` is (weightings, T)."""
    columns, kind = torch.unique(table, dim=1, return_inverse=True)
    used = [k for k in range(columns.shape[1]) if bool((columns[:, k] != 0).any())]
    if not used:
        return
    log_probs = policy.log_probs(texts, row)
    for k in used:
        (part,) = torch.autograd.grad(log_probs[kind == k].sum(), policy.step, retain_graph=k != used[-1])
        found.addr_(columns[:, k], part)
