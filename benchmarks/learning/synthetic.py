"""Synthetic programming: fixed-length programs with a few decisions that the task's features settle.

A program has LENGTH tokens. At DECISIONS places the right token depends on one feature of the task; everywhere else it
is boilerplate. Exactly one program passes, so the faulty tokens of a sample are known, and so
is the policy's probability of passing, with its gradient. Tasks are combinations of features: a policy that learns the
rule passes tasks it was never trained on (``held_out``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import nn

LENGTH, DECISIONS, CHOICES, BOILERPLATE = 48, 6, 5, 24
VOCABULARY = BOILERPLATE + CHOICES
START = VOCABULARY  # what the policy sees in front of the first token


@dataclass(frozen=True, slots=True)
class World:
    """``features``: (tasks, DECISIONS) in 0..CHOICES-1; ``programs``: (tasks, LENGTH), the one that passes."""

    features: torch.Tensor
    programs: torch.Tensor
    held_out_features: torch.Tensor
    held_out_programs: torch.Tensor


def make_world(seed: int, tasks: int = 48, *, shared: bool = True) -> World:
    """Two disjoint sets of ``tasks`` tasks.

    ``shared``: all over one template and one rule, so that what is learned on one task serves the others. Otherwise
    every task has a program of its own, which can only be memorised; nothing can be said of held-out tasks then.
    """
    rng = random.Random(seed)
    one = _template(rng)
    chosen = rng.sample(range(CHOICES**DECISIONS), 2 * tasks)
    features = torch.tensor([[number // CHOICES**d % CHOICES for d in range(DECISIONS)] for number in chosen])
    programs = torch.stack([_program(*(one if shared else _template(rng)), row) for row in features])
    return World(features[:tasks], programs[:tasks], features[tasks:], programs[tasks:])


def _template(rng: random.Random) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Boilerplate (LENGTH,), places of the decisions (DECISIONS,) and the rule, feature -> right choice."""
    boilerplate = torch.tensor([rng.randrange(BOILERPLATE) for _ in range(LENGTH)])
    places = torch.tensor(sorted(rng.sample(range(4, LENGTH - 2), DECISIONS)))
    rule = torch.tensor([rng.sample(range(CHOICES), CHOICES) for _ in range(DECISIONS)])
    return boilerplate, places, rule


def _program(boilerplate: torch.Tensor, places: torch.Tensor, rule: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    program = boilerplate.clone()
    program[places] = BOILERPLATE + rule[torch.arange(DECISIONS), row]
    return program


class Policy(nn.Module):
    """A GRU that reads the task's features at every step: next-token logits of a program."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.task = nn.Embedding(DECISIONS * CHOICES, width)
        self.token = nn.Embedding(VOCABULARY + 1, width)
        self.place = nn.Embedding(LENGTH, width)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.out = nn.Linear(width, VOCABULARY)

    def log_probs(self, features: torch.Tensor, programs: torch.Tensor) -> torch.Tensor:
        """(B, LENGTH) log-probability of every token of ``programs``."""
        before = torch.cat([torch.full((len(programs), 1), START), programs[:, :-1]], dim=1)
        hidden, _ = self.gru(self.token(before) + self.place.weight + self._context(features).unsqueeze(1))
        return torch.log_softmax(self.out(hidden), dim=-1).gather(2, programs.unsqueeze(2)).squeeze(2)

    @torch.no_grad()
    def sample(self, features: torch.Tensor) -> torch.Tensor:
        """(B, LENGTH) sampled programs at temperature 1, from torch's global generator."""
        context, state = self._context(features), None
        last, tokens = torch.full((len(features),), START), []
        for place in range(LENGTH):
            step = (self.token(last) + self.place.weight[place] + context).unsqueeze(1)
            hidden, state = self.gru(step, state)
            last = torch.multinomial(torch.softmax(self.out(hidden[:, 0]), dim=-1), 1).squeeze(1)
            tokens.append(last)
        return torch.stack(tokens, dim=1)

    def pass_probability(self, features: torch.Tensor, programs: torch.Tensor) -> torch.Tensor:
        """(B,) exact: one program passes, so it is that program's probability."""
        return self.log_probs(features, programs).sum(dim=1).exp()

    def _context(self, features: torch.Tensor) -> torch.Tensor:
        slots = torch.arange(DECISIONS) * CHOICES + features
        return self.task(slots).mean(dim=1)


def pretrain(world: World, seed: int, *, steps: int = 700, right: float = 0.72, rows: int = 64) -> Policy:
    """A policy that writes the boilerplate well and takes each decision rightly in ``right`` of the cases."""
    torch.manual_seed(seed)
    policy = Policy()
    optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
    for _ in range(steps):
        drawn = torch.randint(len(world.programs), (rows,))
        programs = world.programs[drawn]
        guess = torch.randint(BOILERPLATE, VOCABULARY, programs.shape)
        slip = (programs >= BOILERPLATE) & (torch.rand(programs.shape) > right)
        loss = -policy.log_probs(world.features[drawn], torch.where(slip, guess, programs)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return policy
