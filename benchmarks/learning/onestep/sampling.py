"""Samples of one prompt from a causal language model: the prompt is read once, finished rows are dropped."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from egca_plugin.types import Task


def model_of(path: Path) -> Any:
    """The model of a Hugging Face directory, in float32."""
    model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    return model.eval()


def tokenizer_of(path: Path) -> Any:
    """Its tokenizer."""
    return AutoTokenizer.from_pretrained(path)


def prompt_of(tokenizer: Any, task: Task) -> list[int]:
    """The ids of a task's prompt as one user's turn, with the assistant's begun."""
    message = [{"role": "user", "content": task.prompt}]
    return list(tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)["input_ids"])


def seed_of(name: str) -> int:
    """The same number for the same name, in any process and on any host."""
    return zlib.crc32(name.encode())


@torch.inference_mode()
def sample(model: Any, prompt: Sequence[int], rows: int, limit: int, end: int, seed: int) -> list[list[int]]:
    """``rows`` responses at temperature 1, of at most ``limit`` ids, each with the ``end`` that it came to."""
    generator = torch.Generator().manual_seed(seed)
    found: list[list[int]] = [[] for _ in range(rows)]
    cache = DynamicCache(config=model.config)
    logits = model(torch.tensor([list(prompt)]), past_key_values=cache, logits_to_keep=1).logits[:, -1]
    cache.batch_repeat_interleave(rows)
    logits, alive = logits.repeat(rows, 1), list(range(rows))
    for _ in range(limit):
        luck = torch.rand(rows, generator=generator)[alive]  # a number a row and step, whoever has finished
        chosen = _draw(logits, luck)
        for row, token in zip(alive, chosen.tolist(), strict=True):
            found[row].append(token)
        going = [k for k, token in enumerate(chosen.tolist()) if token != end]
        if not going:
            break
        if len(going) < len(alive):
            cache.batch_select_indices(torch.tensor(going))
            alive, chosen = [alive[k] for k in going], chosen[going]
        logits = model(chosen[:, None], past_key_values=cache, use_cache=True).logits[:, -1]
    return found


def _draw(logits: torch.Tensor, luck: torch.Tensor) -> torch.Tensor:
    """(B,) ids by inversion of the distribution function: the same luck gives the same id."""
    reach = torch.softmax(logits.double(), -1).cumsum(-1)
    return (
        torch.searchsorted(reach, (luck.double() * reach[:, -1])[:, None], right=True)
        .squeeze(1)
        .clamp(max=logits.shape[1] - 1)
    )
