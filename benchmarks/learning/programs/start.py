"""The supervised start: a policy schooled on a world's noisy corpus, made once and kept."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from benchmarks.learning.programs.model import Policy, Size
from benchmarks.learning.programs.worlds import Row, World

ROWS, CORPUS = 24, 9000  # programs a step, and in all
TERM = 600  # steps
RATE = 3e-3


def start_of(world: World, folder: Path, tell: Callable[[str], None] = lambda _: None) -> Policy:
    """The schooled policy of ``world``, from ``folder`` where it has been made before, else schooled and kept there.

    It is kept after every term, in half precision, and so taken everywhere: the same file gives the same start on any
    host, and a schooling that was interrupted goes on with the next term.
    """
    torch.manual_seed(world.seed)
    policy = Policy(Size(len(world.vocabulary), world.longest))
    path = folder / f"{world.name}.pt"
    for term in range(_load(policy, path), len(world.schooling)):
        school(policy, list(world.corpus(CORPUS, term)), world, term, tell)
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        weights = {name: value.half() for name, value in policy.state_dict().items()}
        torch.save({"terms": term + 1, "weights": weights}, partial)
        partial.replace(path)
        _load(policy, path)
    return policy


def _load(policy: Policy, path: Path) -> int:
    """Take the weights that are kept; how many terms they have been schooled, 0 where there are none."""
    if not path.exists():
        return 0
    kept = torch.load(path, weights_only=True)
    policy.load_state_dict({name: value.float() for name, value in kept["weights"].items()})
    return int(kept["terms"])


def school(policy: Policy, data: Sequence[Row], world: World, term: int, tell: Callable[[str], None]) -> None:
    """One term: likelihood of the responses, AdamW, warm-up and cosine; programs of a like length share a batch."""
    optimizer = torch.optim.AdamW(policy.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01)
    rng = random.Random(world.seed + term)
    for step in range(TERM):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 40) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / TERM)))
        drawn = sorted(rng.sample(range(len(data)), ROWS * 4), key=lambda i: len(data[i][1]))
        at = rng.randrange(4) * ROWS
        ids, mask = batch([data[i] for i in drawn[at : at + ROWS]], world.vocabulary.pad)
        logs, _ = policy.log_probs(ids, world.vocabulary.prompt)
        loss = -(logs * mask).sum() / mask.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            tell(f"{world.name}: term {term + 1}, step {step} of {TERM}, loss {loss.item():.3f}")


def batch(rows: Sequence[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, P + T) ids padded behind, and the (B, T) float mask of the responses."""
    longest = max(len(response) for _, response in rows)
    ids = torch.tensor([[*prompt, *response, *[pad] * (longest - len(response))] for prompt, response in rows])
    lengths = torch.tensor([len(response) for _, response in rows])
    return ids, (torch.arange(longest) < lengths.unsqueeze(1)).float()
