"""The cells of the matrix as jobs for worker processes, which import this module and not ``__main__``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from benchmarks.learning.synthetic import Policy, World, make_world, pretrain
from benchmarks.learning.training import Run, gradients, train

REGIMES = {  # name: (share of decisions taken rightly before training, learning rate, tasks share a template)
    "hard": (0.5, 1e-3, True),
    "middle": (0.72, 1e-3, True),
    "easy": (0.9, 1e-3, True),
    "memorised": (0.72, 1e-3, False),
    "middle, lr 3e-3": (0.72, 3e-3, True),
}
DEFAULT = ("hard", "middle", "easy", "memorised")
Job = tuple[str, str, int, int, str]  # arm ("" for the gradients), regime, seed, steps, folder of the starts


def work(job: Job) -> dict[str, Any]:
    """Run one cell; its row says which."""
    arm, regime, seed, steps, folder = job
    torch.set_num_threads(1)
    right, lr, shared = REGIMES[regime]
    world = make_world(seed, shared=shared)
    start = _start(world, seed, right, Path(folder) / f"start-{right}-{seed}{'' if shared else '-memorised'}.pt")
    if not arm:
        return {"arm": "", "regime": regime, "seed": seed, "steps": steps, "gradients": gradients(world, start, seed)}
    return {**train(Run(arm, lr, seed, steps), world, start), "regime": regime}


def _start(world: World, seed: int, right: float, kept: Path) -> Policy:
    """The pretrained policy, made once and kept."""
    if kept.exists():
        policy = Policy()
        policy.load_state_dict(torch.load(kept, weights_only=True))
        return policy
    policy = pretrain(world, seed, right=right)
    partial = kept.with_suffix(f".{os.getpid()}")
    torch.save(policy.state_dict(), partial)
    partial.replace(kept)
    return policy
