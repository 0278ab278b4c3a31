"""One training run, and the exact gradient measures on recorded batches of the untrained policy."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.learning.arms import ARMS, Arm, token_advantages
from benchmarks.learning.synthetic import Policy, World

GROUP, TASKS_A_STEP = 8, 12


@dataclass(frozen=True, slots=True)
class Run:
    """One cell of the matrix."""

    arm: str
    lr: float
    seed: int
    steps: int


def train(run: Run, world: World, start: Policy) -> dict[str, Any]:
    """Train a copy of ``start``; pass rates by step (sampled, training tasks) and exact ones before and after."""
    policy = Policy()
    policy.load_state_dict(start.state_dict())
    optimizer = torch.optim.Adam(policy.parameters(), run.lr)
    torch.manual_seed(run.seed + 1)
    rng = random.Random(run.seed + 1)
    began, curve = time.perf_counter(), []
    for _ in range(run.steps):
        features, right = _draw(world, rng)
        samples = policy.sample(features)
        curve.append((samples == right).all(dim=1).float().mean().item())
        advantages = token_advantages(ARMS[run.arm], samples, right, GROUP, rng)
        loss = -(advantages * policy.log_probs(features, samples)).mean()  # verl's token-mean at ratio 1
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
    return {
        "arm": run.arm,
        "lr": run.lr,
        "seed": run.seed,
        "steps": run.steps,
        "start": _exact(start, world.features, world.programs),
        "final": _exact(policy, world.features, world.programs),
        "held_out_start": _exact(start, world.held_out_features, world.held_out_programs),
        "held_out": _exact(policy, world.held_out_features, world.held_out_programs),
        "during": statistics.fmean(curve),
        "curve": [round(x, 4) for x in curve],
        "seconds": round(time.perf_counter() - began, 2),
    }


def gradients(world: World, policy: Policy, seed: int, batches: int = 48) -> dict[str, dict[str, float]]:
    """Per arm, on the same recorded batches: where the failing samples' mass lies, and how the gradient compares with
    the exact gradient of the pass probability.

    ``faulty_share``: sum of |a| on the first faulty tokens over the sum of |a| on all tokens of failing samples.
    ``cosine``: mean cosine of a batch's gradient with the exact gradient; ``failing_cosine``: the same of the failing
    samples' part alone, which is all that the arms change. ``snr``: |E g|^2 / E|g - E g|^2 over batches, both
    estimated without bias. Zero where there is no gradient at all.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)
    drawn = [_draw(world, rng) for _ in range(batches)]
    recorded = [(features, right, policy.sample(features)) for features, right in drawn]
    exact = _flat_gradient(policy, policy.pass_probability(world.features, world.programs).mean())
    passing = [_pull(ARMS["positives_only"], policy, *batch, random.Random(seed))[0] for batch in recorded]
    measured = {}
    for name, arm in ARMS.items():
        pulls = [_pull(arm, policy, *batch, random.Random(f"{seed} {k}")) for k, batch in enumerate(recorded)]
        whole = torch.stack([g for g, _ in pulls])
        failing = whole - torch.stack(passing)
        noise = whole.var(dim=0).sum().item()
        signal = max(whole.mean(dim=0).square().sum().item() - noise / batches, 0.0)
        measured[name] = {
            "faulty_share": statistics.fmean(share for _, share in pulls),
            "cosine": torch.cosine_similarity(whole, exact.unsqueeze(0), dim=1).mean().item(),
            "failing_cosine": torch.cosine_similarity(failing, exact.unsqueeze(0), dim=1).mean().item(),
            "snr": signal / noise if noise else 0.0,
        }
    return measured


def _draw(world: World, rng: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.tensor([t for t in rng.sample(range(len(world.programs)), TASKS_A_STEP) for _ in range(GROUP)])
    return world.features[rows], world.programs[rows]


def _pull(
    arm: Arm, policy: Policy, features: torch.Tensor, right: torch.Tensor, samples: torch.Tensor, rng: random.Random
) -> tuple[torch.Tensor, float]:
    advantages = token_advantages(arm, samples, right, GROUP, rng)
    gradient = _flat_gradient(policy, (advantages * policy.log_probs(features, samples)).mean())
    faulty = samples != right
    failing = faulty.any(dim=1)
    mass = advantages[failing].abs()
    first = faulty[failing].float().argmax(dim=1, keepdim=True)
    return gradient, (mass.gather(1, first).sum() / mass.sum().clamp(min=1e-12)).item()


def _flat_gradient(policy: Policy, objective: torch.Tensor) -> torch.Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(objective, list(policy.parameters()))])


@torch.no_grad()
def _exact(policy: Policy, features: torch.Tensor, programs: torch.Tensor) -> float:
    return policy.pass_probability(features, programs).mean().item()
