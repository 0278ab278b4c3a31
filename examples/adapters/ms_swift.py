"""ms-swift 4.6 with EGCA, as an external plugin: a reward function, and its GRPO trainer with placed advantages.

    swift rlhf --rlhf_type grpo --external_plugins examples/adapters/ms_swift.py --reward_funcs egca \\
        --remove_unused_columns false --importance_sampling_level token --dataset data/mbpp.jsonl ...

The data set has a column ``task``: `egca prepare`'s task, as JSON. Read from its sources and run on stand-ins of its
classes; ms-swift itself was not run. One process: with several, each judges its own samples.
"""

from __future__ import annotations

import asyncio
from typing import Any

import torch
from swift.rewards import ORM, orms
from swift.rlhf_trainers import GRPOTrainer
from swift.trainers import TrainerFactory

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.adapters.tensors import place_rows
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Group
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion

CONFIG = EgcaConfig()
Sampled = tuple[str, tuple[int, ...]]  # a task, and the ids that were sampled for it
JUDGED: dict[Sampled, Row | None] = {}  # the batch that was rewarded last


class Egca(ORM):
    """1.0 for a program that passes its tests, else 0.0; a prompt's samples are judged together."""

    reader: Reader  # set by the trainer, which has the tokenizer
    judge: PoolJudge

    def __call__(self, completions: Any, task: Any, response_token_ids: Any, **_: Any) -> list[float | None]:
        """ms-swift's call: a column of the data set and the sampled ids, turn by turn."""
        JUDGED.clear()
        sampled = [(text, tuple(ids)) for text, (ids,) in zip(task, response_token_ids, strict=True)]  # of one turn
        for text in dict.fromkeys(task):
            self._group(text, [one for one in sampled if one[0] == text])
        return [None if (row := JUDGED[one]) is None else row.credit.reward for one in sampled]

    def _group(self, text: str, sampled: list[Sampled]) -> None:
        task, read = parquet.decode(text), [self.reader.read(ids) for _, ids in sampled]
        credits = asyncio.run(self.judge(Group(task, tuple(Completion(one.text) for one in read))))
        for key, response, credit in zip(sampled, read, credits, strict=True):
            JUDGED[key] = credit and self.reader.row(response, credit, task.task_id, Placing.of(CONFIG, True))


class EgcaGRPOTrainer(GRPOTrainer):
    """ms-swift's, whose advantages, one a token already, move onto the blamed ones before its loss."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.importance_sampling_level != "token":
            raise ValueError("--importance_sampling_level: expected token; one ratio a sequence averages credit away")
        Egca.reader, Egca.judge = Reader(self.processing_class), PoolJudge(CONFIG, largest_group=self.num_generations)

    def _postprocess_batch(self, samples: Any, batch_encoded_inputs: Any) -> None:
        super()._postprocess_batch(samples, batch_encoded_inputs)
        for batch, encoded in zip(self.split_by_mini_batches(samples), batch_encoded_inputs, strict=True):
            grpo = encoded["grpo_batch"]
            rows = [JUDGED[sample.extra["task"], tuple(sample.response_token_ids[0])] for sample in batch]
            grpo.advantages = placed(grpo.advantages, grpo.completion_mask.bool(), rows)


def placed(advantages: torch.Tensor, mask: torch.Tensor, rows: list[Row | None]) -> torch.Tensor:
    """``advantages`` (B, T) on the blamed tokens, wherever in ``mask`` (B, T) each row's response begins."""
    begins = mask.long().argmax(1).tolist()
    return place_rows(advantages, mask, [r and r.shifted(at) for r, at in zip(rows, begins, strict=True)], CONFIG)[0]


orms["egca"] = Egca
TrainerFactory.TRAINER_MAPPING["grpo"] = f"{__name__}.{EgcaGRPOTrainer.__name__}"
