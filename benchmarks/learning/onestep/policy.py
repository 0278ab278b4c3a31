"""A causal language model of which low-rank adapters in the topmost layers are trained, held for many small steps.

An adapter adds ``B A x`` to a linear map, with A random and fixed and B zero: since the gradient with respect to A is
zero where B is, the first step of LoRA (arXiv 2106.09685) moves B alone, and B is all the parameters there are here.
Layers below the adapters never change, so what they make of a text is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import DynamicCache

from benchmarks.learning.onestep.sampling import model_of


@dataclass(frozen=True, slots=True)
class Texts:
    """Responses to one prompt, in front of the adapters: ``prompt`` is (1, P, width), ``hidden[i]`` is (1, T_i, width)
    and ``ids[i]`` the T_i ids of response ``i``."""

    prompt: torch.Tensor
    hidden: list[torch.Tensor]
    ids: list[list[int]]


class Policy:
    """``step`` (P,) float32 is what is added to the parameters; zero is the model itself."""

    def __init__(self, path: Path, layers: int, rank: int, seed: int = 0) -> None:
        self._trunk, self._top = model_of(path), model_of(path)
        self._top.requires_grad_(False)
        below = len(self._trunk.model.layers) - layers
        if layers < 1 or below < 0:
            raise ValueError(f"Policy: got {layers} layers to train, the model has {len(self._trunk.model.layers)}")
        self._trunk.model.layers = self._trunk.model.layers[:below]
        self._trunk.model.norm = nn.Identity()
        self._top.model.layers = self._top.model.layers[below:]
        for at, layer in enumerate(self._top.model.layers):
            layer.self_attn.layer_idx = at  # where its keys lie in a cache
        self._adapters = _adapt(self._top.model.layers, rank, seed)
        self.parameters = sum(adapter.size for adapter in self._adapters)
        self.step = torch.zeros(self.parameters)

    @property
    def step(self) -> torch.Tensor:
        """(P,) what stands in the adapters."""
        return self._step

    @step.setter
    def step(self, value: torch.Tensor) -> None:
        self._step = value
        parts = torch.split(value, [adapter.size for adapter in self._adapters])
        for adapter, part in zip(self._adapters, parts, strict=True):
            adapter.up = part.view(-1, adapter.down.shape[0])

    @torch.no_grad()
    def read(self, prompt: Sequence[int], responses: Sequence[Sequence[int]]) -> Texts:
        """What the layers below make of the responses."""
        cache, width = DynamicCache(config=self._trunk.config), max(map(len, responses))
        first = self._trunk.model(torch.tensor([list(prompt)]), past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(responses))
        padded = torch.tensor([[*ids, *([0] * (width - len(ids)))] for ids in responses])  # nothing looks ahead
        out = self._trunk.model(padded, past_key_values=cache, use_cache=True).last_hidden_state
        hidden = [out[row : row + 1, : len(ids)] for row, ids in enumerate(responses)]
        return Texts(first.last_hidden_state, hidden, [list(ids) for ids in responses])

    def log_probs(self, texts: Texts, row: int) -> torch.Tensor:
        """(T,) log-probabilities of one response's ids, with gradients where ``step`` has them."""
        ids = texts.ids[row]
        whole = torch.cat([texts.prompt, texts.hidden[row]], dim=1)[:, :-1]
        logits = self._top(inputs_embeds=whole, use_cache=False, logits_to_keep=len(ids)).logits[0]
        return _chosen(logits, torch.tensor(ids))

    @torch.no_grad()
    def all_log_probs(self, texts: Texts) -> list[torch.Tensor]:
        """:meth:`log_probs` of every response, without gradients; the prompt is read once."""
        cache = DynamicCache(config=self._top.config)
        first = self._top(inputs_embeds=texts.prompt, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
        cache.batch_repeat_interleave(len(texts.ids))
        width = max(map(len, texts.ids))
        padded = torch.cat([nn.functional.pad(h, (0, 0, 0, width - h.shape[1])) for h in texts.hidden])
        states = self._top.model(inputs_embeds=padded, past_key_values=cache, use_cache=True).last_hidden_state
        found = []
        for state, ids in zip(states, texts.ids, strict=True):
            logits = torch.cat([first[0], self._top.lm_head(state[: len(ids) - 1])])
            found.append(_chosen(logits, torch.tensor(ids)))
        return found


class _Adapter:
    """The forward hook of one linear map."""

    def __init__(self, linear: nn.Linear, rank: int, generator: torch.Generator) -> None:
        bound = 1 / math.sqrt(linear.in_features)  # LoRA's own: Kaiming's uniform with a = sqrt(5)
        self.down = (torch.rand(rank, linear.in_features, generator=generator) * 2 - 1) * bound
        self.up = torch.zeros(linear.out_features, rank)
        self.size = self.up.numel()
        linear.register_forward_hook(self)

    def __call__(self, linear: nn.Module, given: Any, out: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = (given[0] @ self.down.T) @ self.up.T
        return out + added


def _adapt(layers: nn.ModuleList, rank: int, seed: int) -> list[_Adapter]:
    generator = torch.Generator().manual_seed(seed)
    return [_Adapter(one, rank, generator) for one in layers.modules() if isinstance(one, nn.Linear)]


def _chosen(logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return torch.log_softmax(logits, -1).gather(1, ids[:, None]).squeeze(1)
