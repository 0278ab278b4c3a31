"""The ``adv`` phase: what placing the credit adds to verl's own advantage, per 1,000 tokens."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.common import bootstrap, table
from egca_plugin.adapters.tensors import place
from egca_plugin.types import TokenSpan

LENGTHS = (256, 1024, 4096, 8192)
ROWS = (16, 64, 256)


def measure(repeats: int = 30, seed: int = 0) -> dict[str, list[float]]:
    """Seconds of each of ``repeats`` calls of ``tensors.place``, by ``"rows x tokens"``; half of the rows moved."""
    return {f"{rows} x {length}": _time(rows, length, repeats, seed) for rows in ROWS for length in LENGTHS}


def _time(rows: int, length: int, repeats: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    lengths = [rng.randint(length // 2, length) for _ in range(rows)]
    mask = (torch.arange(length) < torch.tensor(lengths).unsqueeze(1)).long()
    advantages = torch.randn(rows, 1).expand(rows, length).clone() * mask
    spans: Sequence[tuple[TokenSpan, ...]] = [_span(rng, n) if k % 2 else () for k, n in enumerate(lengths)]
    place(advantages, mask, spans)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        place(advantages, mask, spans)
        seconds.append(time.perf_counter() - began)
    return seconds


def _span(rng: random.Random, length: int) -> tuple[TokenSpan, ...]:
    start = rng.randrange(length - 12)
    return (TokenSpan(start, start + 12),)


def tables(times: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Median milliseconds of a batch, and per 1,000 tokens of its grid."""
    rows = []
    for shape, seconds in times.items():
        count, length = map(int, shape.split(" x "))
        whole = bootstrap([1e3 * s for s in seconds])
        per_thousand = bootstrap([1e6 * s / (count * length) for s in seconds])
        rows.append([shape, whole.show("{:.2f}"), per_thousand.show("{:.4f}")])
    return [table("`adv`: placing the credit", ["rows x tokens", "ms", "ms per 1,000 tokens"], rows)]
