"""The arms: who gets a failing sample's advantage. The credit code under test is the plugin's own ``tensors.place``.

At equal negative mass only the place differs: ``grpo``, ``conserve``, ``wrong_20``, ``late``, ``random``, ``mix_0.5``,
``cap_8``. With the mass lowered to the span's share: ``unit``, ``unit_wrong_20``, ``unit_random``, and the uniform
``mass_matched``. ``positives_only`` gives failing samples nothing at all. Without those controls a comparison of scales
proves nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from egca_plugin.adapters.tensors import place
from egca_plugin.types import TokenSpan

MARGIN = 1  # tokens on either side: a statement is longer than its faulty token


@dataclass(frozen=True, slots=True)
class Arm:
    """``aim``: where the span lies (``none``, ``first``, ``last`` fault, ``random``); ``wrong``: share of first-fault
    spans put at random instead; ``uniform_mass``: keep credit uniform and scale it, ``span`` to the span's share of the
    tokens, ``zero`` to nothing."""

    aim: str = "none"
    scale: str = "conserve"
    mix: float = 1.0
    cap: float = 0.0
    wrong: float = 0.0
    uniform_mass: str = "full"


ARMS = {
    "grpo": Arm(),
    "conserve": Arm("first"),
    "wrong_20": Arm("first", wrong=0.2),
    "late": Arm("last"),
    "random": Arm("random"),
    "mix_0.5": Arm("first", mix=0.5),
    "cap_8": Arm("first", cap=8.0),
    "unit": Arm("first", scale="unit"),
    "unit_wrong_20": Arm("first", scale="unit", wrong=0.2),
    "unit_random": Arm("random", scale="unit"),
    "mass_matched": Arm("first", uniform_mass="span"),
    "positives_only": Arm(uniform_mass="zero"),
}


def group_advantages(passed: torch.Tensor, group: int) -> torch.Tensor:
    """GRPO's (r - mean) / (std + 1e-6) within each group of ``group`` consecutive samples."""
    rewards = passed.float().view(-1, group)
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    return (centred / (rewards.std(dim=1, keepdim=True) + 1e-6)).flatten()


def token_advantages(
    arm: Arm, samples: torch.Tensor, right: torch.Tensor, group: int, rng: random.Random
) -> torch.Tensor:
    """(B, T) advantages of ``samples`` where ``right`` (B, T) are the passing programs."""
    faulty = samples != right
    advantages = group_advantages(~faulty.any(dim=1), group).unsqueeze(1).expand(samples.shape).clone()
    mask = torch.ones_like(samples)
    spans = [_span(arm, row, rng) for row in faulty]
    if arm.uniform_mass == "full":
        return place(advantages, mask, spans, scale=arm.scale, mix=arm.mix, cap=arm.cap)[0]
    failing = faulty.any(dim=1)
    covered = torch.tensor([sum(s.end - s.start for s in row) for row in spans])
    share = covered / samples.shape[1] if arm.uniform_mass == "span" else torch.zeros(len(samples))
    return advantages * torch.where(failing, share, torch.ones_like(share)).unsqueeze(1)


def _span(arm: Arm, faulty: torch.Tensor, rng: random.Random) -> tuple[TokenSpan, ...]:
    faults = faulty.nonzero().flatten().tolist()
    if not faults or arm.aim == "none":
        return ()
    centre = faults[-1] if arm.aim == "last" else faults[0]
    if arm.aim == "random" or (arm.wrong and rng.random() < arm.wrong):
        centre = rng.randrange(MARGIN, len(faulty) - MARGIN)
    return (TokenSpan(max(centre - MARGIN, 0), min(centre + MARGIN + 1, len(faulty))),)
