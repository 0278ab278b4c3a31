"""A response of 32k tokens, through the real reward manager, sandbox, estimator and placing, on verl's own objects.

Training on one needs more memory than a test may take; nothing of ours but what is here sees the length.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

pytest.importorskip("verl")

import tiny_policy as policy
import torch
from omegaconf import OmegaConf
from tensordict import TensorDict
from tiny_policy import Tiny
from transformers import AutoTokenizer
from verl import DataProto
from verl.trainer.ppo import core_algos

from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl import channel
from egca_plugin.adapters.verl.estimator import Scope, credits
from egca_plugin.adapters.verl.judging import PoolJudge
from egca_plugin.adapters.verl.reward import EgcaRewardManager
from egca_plugin.config import EgcaConfig
from egca_plugin.tasks import parquet

pytestmark = pytest.mark.slow

LENGTH = 32_768
TASK = policy.TASKS[0]
RIGHT, WRONG = policy.answers(TASK)[:2]
BLAMED = "x * 2 + 5"


def long_ids(tokenizer: Any) -> list[int]:
    """Words, words, words, and at the end a program with a fault: exactly LENGTH tokens."""
    program = [*tokenizer("\n" + WRONG).input_ids, tokenizer.eos_token_id]
    prose = tokenizer("Let me think about it, step by step. " * 4000).input_ids
    return [*prose[: LENGTH - len(program)], *program]


def test_the_fault_at_its_end_is_found_and_carries_the_advantage(tiny: Tiny) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    answers = [[*tokenizer(RIGHT).input_ids, tokenizer.eos_token_id], long_ids(tokenizer), []]
    judge = PoolJudge(Settings(True, EgcaConfig(traces="")), workers=1)
    manager = EgcaRewardManager(OmegaConf.create({}), tokenizer, None, judge=judge)
    results = [asyncio.run(manager.run_single(row(ids))) for ids in answers]
    rows = [channel.unpack(result["reward_extra_info"]) for result in results]

    assert [result["reward_score"] for result in results] == [1.0, 0.0, 0.0]
    right, long, empty = rows
    assert right is not None
    assert long is not None
    assert empty is not None
    assert (long.tokens, empty.tokens, empty.spans) == (LENGTH, 0, ())
    (span,) = long.spans
    assert tokenizer.decode(answers[1][span.start : span.end]).strip() in BLAMED
    assert span.start > LENGTH - 100

    mask = (torch.arange(LENGTH) < torch.tensor([len(ids) for ids in answers])[:, None]).long()
    rewards = torch.zeros(len(answers), LENGTH)
    rewards[0, len(answers[0]) - 1] = 1.0
    uid = np.array(["a"] * len(answers), dtype=object)
    with credits(Scope(EgcaConfig(), True, rows)):
        placed, plain = core_algos.get_adv_estimator_fn("egca")(
            token_level_rewards=rewards, response_mask=mask, config=OmegaConf.create({}), index=uid
        )
    assert torch.equal(placed[0], plain[0])
    assert torch.equal(placed[2], torch.zeros(LENGTH))
    assert torch.isfinite(placed).all()
    assert placed[1].nonzero().flatten().tolist() == list(range(span.start, span.end))
    assert torch.equal(placed[1, span.start : span.end], plain[1, span.start : span.end])


def row(ids: list[int]) -> DataProto:
    """One sample as verl's agent loop hands it to a reward worker."""
    cell = parquet.row(TASK, data_source="t", split="train", index=0)["reward_model"]
    tensors = {
        "prompts": torch.ones(1, 1, dtype=torch.long),
        "responses": torch.tensor([ids], dtype=torch.long),
        "attention_mask": torch.ones(1, 1 + len(ids), dtype=torch.long),
    }
    columns = {
        "reward_model": np.array([cell], dtype=object),
        "response_len": np.array([len(ids)]),
        "uid": np.array(["a"], dtype=object),
    }
    return DataProto(batch=TensorDict(tensors, batch_size=1), non_tensor_batch=columns)
