"""``egca.credit=counterfactual``: the token that a proof has in place of a decision is learnt, and nobody is blamed.

In front of its decision a proven sample was right so far. There the policy chose ``w``, and the proof says that ``y``
would have passed: one state, two actions, and the outcome of both. Its policy gradient over the two is

    p(w) (0 - V) grad log p(w)  +  p(y) (1 - V) grad log p(y)

of which the second half is learnt, ``1 - V`` being GRPO's advantage of a passing sample in the group enlarged by the
mended ones (:func:`egca_plugin.credit.praise.of_passing`). By the factor ``p(y)`` hardly anything is learnt of a repair
that the policy would hardly write; a wrong proof often names such a one.

``p grad log p`` is the gradient of ``p``, and that is PPO's ratio where the old log-probability of the token is 0. The
ratio is then at most 1, so the clip of a positive advantage never holds it back.

The sample's row becomes that of the repair up to the token: what stands behind it was sampled after another one, and
is masked. Nothing else of the row has an advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from egca_plugin.adapters.samples import Placement, Row
from egca_plugin.credit.praise import of_passing


@dataclass(frozen=True, slots=True)
class Swap:
    """Row ``row`` of a batch has the id ``token`` in the column ``column`` of its response, with this ``advantage``."""

    row: int
    column: int
    token: int
    advantage: float


def swaps(rows: Sequence[Row | None], placement: Placement, *, by_std: bool) -> list[Swap]:
    """Of the rows whose repair's token is known, and was sampled by the policy as the final mask has it.

    ``placement``: of these rows. ``by_std``: the framework divides a group's advantages by their deviation.
    """
    return [
        Swap(number, row.spans[0].start, row.instead, of_passing(row.credit.mended, by_std=by_std))
        for number, (row, moved) in enumerate(zip(rows, placement.moved, strict=True))
        if row is not None and row.instead is not None and row.learns_instead and moved
    ]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a trainer learns from in place of a sample: ``input_ids`` (P + T), the others (T), all without padding."""

    input_ids: torch.Tensor
    response_mask: torch.Tensor
    old_log_probs: torch.Tensor
    advantages: torch.Tensor


def learnt(swap: Swap, input_ids: torch.Tensor, response_mask: torch.Tensor, old_log_probs: torch.Tensor) -> Learnt:
    """The swapped row: prompt and response as ``input_ids`` (P + T), the others (T). What is given stays as it is."""
    at, prompt = swap.column, len(input_ids) - len(response_mask)
    ids, mask, old = input_ids.clone(), response_mask.clone(), old_log_probs.clone()
    ids[prompt + at] = swap.token
    mask[at + 1 :] = 0
    old[at] = 0
    advantages = torch.zeros_like(old)
    advantages[at] = swap.advantage
    return Learnt(ids, mask, old, advantages)
