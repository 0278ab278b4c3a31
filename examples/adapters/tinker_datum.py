"""Tinker with EGCA: a group of samples becomes training data whose advantages lie on the blamed tokens.

    data = datums(task, prompt_ids, sampled, judge, tokenizer)      # sampled: [(ids, logprobs), ...], one prompt's
    training_client.forward_backward(data, loss_fn="importance_sampling")

Tinker takes an advantage for each target token, ``loss_fn_inputs["advantages"]`` of shape (N,), so nothing of it has to
be extended. Tried with tinker 0.38's own Datum; no training client was reached.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from typing import Any

import torch

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing
from egca_plugin.adapters.tensors import place_rows
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Group
from egca_plugin.types import Completion, Task

CONFIG = EgcaConfig()


def advantages(task: Task, responses: Sequence[Sequence[int]], judge: PoolJudge, tokenizer: Any) -> list[list[float]]:
    """GRPO's advantage of each sampled token of each response, on the blamed ones where one is to blame."""
    reader = Reader(tokenizer)
    read = [reader.read(ids) for ids in responses]
    credits = asyncio.run(judge(Group(task, tuple(Completion(one.text) for one in read))))
    placing = Placing.of(CONFIG, True)
    rows = [c and reader.row(one, c, task.task_id, placing) for c, one in zip(credits, read, strict=True)]
    known = [row.credit.reward for row in rows if row]
    mean, spread = statistics.fmean(known), statistics.pstdev(known) + 1e-6
    level = torch.tensor([[(row.credit.reward - mean) / spread if row else 0.0] for row in rows])
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(ids)) for ids in responses], batch_first=True).bool()
    placed, _ = place_rows(level.expand(mask.shape), mask, rows, CONFIG)
    return [line[: len(ids)].tolist() for line, ids in zip(placed, responses, strict=True)]


def datums(
    task: Task,
    prompt: Sequence[int],
    sampled: Sequence[tuple[Sequence[int], Sequence[float]]],
    judge: PoolJudge,
    tokenizer: Any,
) -> list[Any]:
    """One Datum a sample; targets are shifted by one, and the prompt's carry no advantage."""
    import tinker

    placed = advantages(task, [ids for ids, _ in sampled], judge, tokenizer)
    before = [0.0] * (len(prompt) - 1)
    return [
        tinker.Datum(
            model_input=tinker.ModelInput.from_ints([*prompt, *ids[:-1]]),
            loss_fn_inputs={
                "target_tokens": [*prompt[1:], *ids],
                "logprobs": [*before, *logprobs],
                "advantages": [*before, *own],
            },
        )
        for (ids, logprobs), own in zip(sampled, placed, strict=True)
    ]
