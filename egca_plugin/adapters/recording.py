"""Training records: the credits line of each sample with where its advantage went, in tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from egca_plugin.adapters.samples import Row, Scope
from egca_plugin.credit.tokens import decode
from egca_plugin.monitor.records import credit_line


def lines(
    step: int, scope: Scope, keys: Sequence[str], responses: Sequence[torch.Tensor], real: Sequence[int], tokenizer: Any
) -> Iterator[dict[str, Any]]:
    """One record per sample that was judged.

    ``keys`` are ``{uid}_{session}_{output}``; ``responses`` the sampled ids per row, unpadded; ``real`` the rows that
    are no padding.
    """
    for i in real:
        row = scope.rows[i]
        if row is not None and row.judged:
            ids = responses[i].tolist()
            yield {"step": step, "key": keys[i]} | _line(row, ids, tokenizer) | _placed(scope, i)


def _line(row: Row, ids: list[int], tokenizer: Any) -> dict[str, Any]:
    text = decode(tokenizer, ids, foreign=row.foreign)
    return {
        "task_id": row.task_id,
        "completion": text,
        **credit_line(row.credit, text),
        "fallback": row.fallback or None,
        "tokens": len(ids),
        "token_spans": [[span.start, span.end] for span in row.spans],
        **({} if row.instead is None else {"counterfactual": tokenizer.decode([row.instead])}),
        "credited_text": [tokenizer.decode(ids[span.start : span.end]) for span in row.spans],
    }


def _placed(scope: Scope, i: int) -> dict[str, Any]:
    """``group_advantage`` is GRPO's A_i; ``concentration`` T / |S|, 1 where the credit stayed uniform."""
    advantages = scope.group_advantages
    group_advantage = float(advantages[i][advantages[i].abs().argmax()]) if advantages is not None else None
    placement = scope.placement
    return {
        "group_advantage": group_advantage,
        "moved": bool(placement and placement.moved[i]),
        "credited_tokens": placement.credited[i] if placement else None,
        "concentration": round(placement.concentration[i], 4) if placement else 1.0,
    }
