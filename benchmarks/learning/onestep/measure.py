"""Stage ``measure``: for each recorded group, where every arm's step leads.

To first order a step d changes what is measured by <d, its gradient>, so the gradients of arms and measures say it for
every optimiser at once, without a forward pass. ``finite`` takes the step and looks, as a check of that.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmarks.learning.onestep.gradients import Weighting, gradients
from benchmarks.learning.onestep.policy import Policy, Texts
from benchmarks.learning.onestep.record import Row, samples_of
from benchmarks.learning.programs.arms import ARMS
from benchmarks.learning.programs.credit import assign

STEPPED = (
    "grpo", "positives", "negatives_0.1", "mass_matched", "unit", "unit_random", "conserve", "decision",
    "decision_random", "tele_half", "praise_prefix",
)  # fmt: skip
LIKELIHOODS = ("right", "wrong", "tail", "reference")  # mean log-likelihood a token of these texts
GOALS = ("passing", "right", "wrong")  # what a group says of the steps on others: pass rate and likelihoods
LENGTH = 1.0  # of a step, in the adapters' parameters


@dataclass(frozen=True, slots=True)
class Found:
    """Gradients (P,) of one group's arms, of what is measured on it, and of what other groups' steps are held to."""

    arms: dict[str, torch.Tensor]
    measures: dict[str, torch.Tensor]
    goals: dict[str, torch.Tensor]


def weights_of(rows: Sequence[Row], seed: int, arms: Sequence[str] = STEPPED) -> dict[str, list[torch.Tensor]]:
    """Every arm's advantage of every sampled token, over the number of tokens: the token mean of the loss."""
    tokens = sum(len(row.ids) for row in rows)
    found = {}
    for arm in arms:
        samples = samples_of(rows)
        assign(ARMS[arm], samples, random.Random(seed))
        found[arm] = [one.weights / tokens for one in samples]
    return found


def measures_of(rows: Sequence[Row]) -> dict[str, list[torch.Tensor]]:
    """Weightings of the rows that stand for what is measured; ``tail`` only where a decision is proven.

    ``right`` and ``wrong`` are the siblings that pass and fail; ``tail`` is what failing ones say from their decision
    on.
    """
    found = {
        "right": _mean([torch.full((len(row.ids),), float(row.passed)) for row in rows]),
        "wrong": _mean([torch.full((len(row.ids),), float(not row.passed)) for row in rows]),
    }
    if any(row.decision is not None for row in rows):
        found["tail"] = _mean([_behind(row) for row in rows])
    return found


def passing(rows: Sequence[Row]) -> list[torch.Tensor]:
    """The weighting whose gradient is that of the pass rate: reward less the mean of the others, over the rows."""
    total, n = sum(row.passed for row in rows), len(rows)
    return [torch.full((len(row.ids),), (row.passed - (total - row.passed) / (n - 1)) / n) for row in rows]


def look(policy: Policy, texts: Texts, rows: Sequence[Row], seed: int) -> Found:
    """Gradients of one group; the last of ``texts`` is the task's reference, in front of it stand the rows'."""
    arms, measured = weights_of(rows, seed), measures_of(rows)
    reference = torch.full((len(texts.ids[-1]),), 1 / len(texts.ids[-1]))
    blank = torch.zeros(len(reference))
    whole: dict[str, Weighting] = {name: [*weights, blank] for name, weights in {**arms, **measured}.items()}
    whole["reference"] = [*(torch.zeros(len(row.ids)) for row in rows), reference]
    whole["passing"] = [*passing(rows), blank]
    found = gradients(policy, texts, whole)
    return Found(
        {name: found[name] for name in arms},
        {name: found[name] for name in LIKELIHOODS if name in found},
        {name: found[name] for name in GOALS},
    )


def goals(policy: Policy, texts: Texts, rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Gradients (P,) of GOALS alone, for a group on which no step is taken."""
    measured = measures_of(rows)
    return gradients(policy, texts, {"passing": passing(rows), "right": measured["right"], "wrong": measured["wrong"]})


def steps(arms: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """The first step of every arm by three optimisers, of which GRPO's is LENGTH long in each.

    ``matched``: along the gradient, every arm's as long as GRPO's. ``raw``: gradient descent, all at the rate of GRPO,
    so that an arm with less mass goes less far. ``adam``: the sign of the gradient, which is Adam's first step, equally
    long for all.
    """
    base = arms["grpo"].norm()
    return {
        "matched": {name: LENGTH * unit(g) for name, g in arms.items()},
        "raw": {name: LENGTH * g / base for name, g in arms.items()},
        "adam": {name: LENGTH * unit(g.sign()) for name, g in arms.items()},
    }


def unit(vector: torch.Tensor) -> torch.Tensor:
    """The vector at length 1; zero stays zero."""
    length = float(vector.norm())
    return vector / length if length else vector


def linear(taken: Mapping[str, torch.Tensor], measures: Mapping[str, torch.Tensor]) -> dict[str, dict[str, float]]:
    """Change of every measure by every step, to first order."""
    return {arm: {name: float((step * g).sum()) for name, g in measures.items()} for arm, step in taken.items()}


def finite(
    policy: Policy, texts: Texts, rows: Sequence[Row], taken: Mapping[str, torch.Tensor]
) -> dict[str, dict[str, float]]:
    """The same by taking each step: the log-likelihoods after it less those before."""
    weightings = measures_of(rows)
    before = policy.all_log_probs(texts)
    found = {}
    for arm, step in taken.items():
        policy.step = step
        change = [after - old for after, old in zip(policy.all_log_probs(texts), before, strict=True)]
        found[arm] = {
            name: float(sum((w * c).sum() for w, c in zip(weighting, change, strict=False)))
            for name, weighting in weightings.items()
        }
        found[arm]["reference"] = float(change[-1].mean())
    policy.step = torch.zeros(policy.parameters)
    return found


def reference_ids(tokenizer: object, source: str, end: int) -> list[int]:
    """The ids of a task's reference as the model would answer with it."""
    text = f"```python\n{source.strip()}\n```"
    return [*tokenizer.encode(text, add_special_tokens=False), end]  # type: ignore[attr-defined]


def _mean(rows: list[torch.Tensor]) -> list[torch.Tensor]:
    """0-1 weights turned into the mean over rows of the mean over a row's own tokens."""
    counted = sum(bool(row.any()) for row in rows)
    return [row / (counted * row.sum().clamp(min=1)) for row in rows]


def _behind(row: Row) -> torch.Tensor:
    weights = torch.zeros(len(row.ids))
    if row.decision is not None:
        weights[row.decision :] = 1
    return weights
