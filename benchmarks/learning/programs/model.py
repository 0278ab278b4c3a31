"""A small decoder-only transformer with a key-value cache, sampled with common random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

Cache = list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True, slots=True)
class Size:
    """Of a policy. ``places``: the longest prompt and response together."""

    vocabulary: int
    places: int
    width: int = 96
    layers: int = 3
    heads: int = 4


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.behind = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor, cache: tuple[torch.Tensor, torch.Tensor] | None, at: int) -> torch.Tensor:
        rows, length, width = x.shape
        q, k, v = self.qkv(self.before(x)).view(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if cache is not None:
            cache[0][:, :, at : at + length] = k
            cache[1][:, :, at : at + length] = v
            k, v = cache[0][:, :, : at + length], cache[1][:, :, : at + length]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
        x = x + self.out(y.transpose(1, 2).reshape(rows, length, width))
        added: torch.Tensor = self.down(F.relu(self.up(self.behind(x))))
        return x + added


class Policy(nn.Module):
    """Next-token logits over a world's vocabulary."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.token, self.place = nn.Embedding(size.vocabulary, size.width), nn.Embedding(size.places, size.width)
        self.blocks = nn.ModuleList(_Block(size.width, size.heads) for _ in range(size.layers))
        self.norm, self.head = nn.LayerNorm(size.width), nn.Linear(size.width, size.vocabulary, bias=False)
        self.apply(_start)

    def forward(self, ids: torch.Tensor, cache: Cache | None = None, at: int = 0) -> torch.Tensor:
        """(B, T, vocabulary) logits; with a cache, ``ids`` are the tokens from place ``at`` on."""
        logits: torch.Tensor = self.head(self.hidden(ids, cache, at))
        return logits

    def hidden(self, ids: torch.Tensor, cache: Cache | None = None, at: int = 0) -> torch.Tensor:
        """(B, T, width) what the logits are made of."""
        x: torch.Tensor = self.token(ids) + self.place.weight[at : at + ids.shape[1]]
        for i, block in enumerate(self.blocks):
            x = block(x, None if cache is None else cache[i], at)
        normed: torch.Tensor = self.norm(x)
        return normed

    def log_probs(self, ids: torch.Tensor, begin: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T - begin) log-probability of every token from ``begin`` on, and the entropy there (no gradient)."""
        logs = torch.log_softmax(self(ids[:, :-1])[:, begin - 1 :], -1)
        with torch.no_grad():
            entropy = -(logs.exp() * logs).sum(-1)
        return logs.gather(2, ids[:, begin:].unsqueeze(2)).squeeze(2), entropy

    def new_cache(self, rows: int) -> Cache:
        size = self.size
        shape = (rows, size.heads, size.places, size.width // size.heads)
        return [(torch.zeros(shape), torch.zeros(shape)) for _ in self.blocks]


@torch.no_grad()
def sample(
    policy: Policy, prompts: torch.Tensor, luck: torch.Tensor, end: int, given: Sequence[Sequence[int]] = ()
) -> list[list[int]]:
    """One response a row of ``prompts`` (B, P), with its end where it has one; ``given[i]`` are its first tokens.

    ``luck`` (B, places - P) are uniform numbers: the token at a place is drawn by the inverse of the cumulated
    distribution, so that two policies that agree write the same text, and two that nearly agree nearly the same (common
    random numbers). Zeros would not be greedy: see :func:`greedy_luck`.
    """
    rows, begin = prompts.shape
    most = policy.size.places - begin
    cache, alive = policy.new_cache(rows), torch.arange(rows)
    logits = policy(prompts, cache)[:, -1]
    out: list[list[int]] = [[] for _ in range(rows)]
    for t in range(most):
        new = _drawn(logits, luck[alive, t])
        for i, row in enumerate(alive.tolist()):
            if given and t < len(given[row]):
                new[i] = given[row][t]
            out[row].append(int(new[i]))
        going = new != end
        if t == most - 1 or not bool(going.any()):
            break
        if not bool(going.all()):
            alive, new = alive[going], new[going]
            cache = [(k[going], v[going]) for k, v in cache]
        logits = policy(new.unsqueeze(1), cache, begin + t)[:, -1]
    return out


def greedy_luck(rows: int, places: int) -> torch.Tensor:
    """The ``luck`` with which the likeliest token is taken at every place."""
    return torch.full((rows, places), -1.0)


def _drawn(logits: torch.Tensor, luck: torch.Tensor) -> torch.Tensor:
    if bool((luck < 0).any()):
        return logits.argmax(-1)
    total = torch.softmax(logits, -1).cumsum(-1)
    drawn = torch.searchsorted(total, (luck * total[:, -1]).unsqueeze(1)).squeeze(1)
    return drawn.clamp(max=logits.shape[1] - 1)


def _start(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
