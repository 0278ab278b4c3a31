"""The reward manager on verl's own DataProto, with a judge that says what the test wants."""

from __future__ import annotations

import asyncio
import json
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

from egca_plugin.adapters.verl import channel, rows
from egca_plugin.adapters.verl.reward import EgcaRewardManager
from egca_plugin.errors import TaskError, TokenizerError
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion, Credit, Mode, Outcome, Span, Task

TASK = policy.TASKS[0]
TEXT = policy.answers(TASK)[1]


class Judge:
    """Blames ``span`` and remembers what it was asked."""

    def __init__(self, span: Span | None) -> None:
        self.span, self.asked, self.judged_only = span, [], []

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit:
        self.asked.append((task, completion, step))
        self.judged_only.append(judge_only)
        spans = (self.span,) if self.span else ()
        return Credit(Mode.LOGIC, 0.25, Outcome.WRONG_ANSWER, 1, 2, spans=spans)


@pytest.fixture(scope="module")
def tokenizer(tiny: Tiny) -> Any:
    return AutoTokenizer.from_pretrained(tiny.model)


def ask(tokenizer: Any, judge: Judge, ids: list[int], *, padding: int = 0, row: Any = None, **columns: Any) -> dict:
    manager = EgcaRewardManager(OmegaConf.create({}), tokenizer, None, judge=judge)
    responses = torch.tensor([ids + [tokenizer.pad_token_id] * padding])
    mask = torch.tensor([[1] * 3 + [1] * len(ids) + [0] * padding])
    cell = row if row is not None else parquet.row(TASK, data_source="t", split="train", index=7)["reward_model"]
    data = DataProto(
        batch=TensorDict({"prompts": torch.ones(1, 3), "responses": responses, "attention_mask": mask}, batch_size=1),
        non_tensor_batch={
            "reward_model": np.array([cell], dtype=object),
            "extra_info": np.array([{"index": 7}], dtype=object),
            **{name: np.array([value], dtype=object) for name, value in columns.items()},
        },
    )
    return asyncio.run(manager.run_single(data))


def test_the_blamed_characters_become_the_sampled_tokens(tokenizer: Any) -> None:
    blamed = "y = x * 2 + 5"
    start = TEXT.index(blamed)
    judge = Judge(Span(start, start + len(blamed)))
    ids = [*tokenizer(TEXT).input_ids, tokenizer.eos_token_id]
    result = ask(tokenizer, judge, ids, padding=4, uid="group", global_steps=3)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    (span,) = row.spans
    assert blamed in tokenizer.decode(ids[span.start : span.end])
    assert blamed not in tokenizer.decode(ids[span.start + 1 : span.end])
    assert (result["reward_score"], row.tokens, row.task_id, row.fallback) == (0.25, len(ids), TASK.task_id, "")
    assert judge.asked == [(TASK, Completion(TEXT, "group"), 3)], "special tokens and padding are not the model's words"


def test_reasoning_is_brought_onto_the_tokens_with_the_settings_that_place_it(tokenizer: Any) -> None:
    thought = "<think>\ny = x * 2\n</think>"
    ids = tokenizer(f"{thought}\n{TEXT}").input_ids
    start = len(thought) + 1 + TEXT.index("y = x * 2 + 5")
    result = ask(tokenizer, Judge(Span(start, start + 13)), ids)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    (thinking,), (span,) = row.thinking, row.spans
    assert tokenizer.decode(ids[: thinking.end]).startswith(thought)
    assert thinking.start == 0
    assert thinking.end <= span.start
    assert row.placing == channel.Placing(thinking="shared")


def test_a_validation_row_is_only_judged(tokenizer: Any) -> None:
    judge = Judge(None)
    ask(tokenizer, judge, tokenizer(TEXT).input_ids, **{rows.VALIDATION: True})
    ask(tokenizer, judge, tokenizer(TEXT).input_ids)
    assert judge.judged_only == [True, False]


def test_only_the_last_output_of_a_session_is_judged_without_its_padding(tokenizer: Any) -> None:
    judge = Judge(None)
    ids = tokenizer(TEXT).input_ids
    ask(tokenizer, judge, ids, padding=5, response_len=len(ids))
    assert judge.asked[0][1].text == TEXT


def test_an_empty_response_is_judged_and_keeps_uniform_credit(tokenizer: Any) -> None:
    result = ask(tokenizer, Judge(Span(0, 4)), [], padding=1)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert (row.spans, row.tokens, row.fallback) == ((), 0, "span_without_tokens")


def test_ids_that_do_not_spell_their_text_are_a_counted_fallback(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, ids: Any) -> Any:
        raise TokenizerError("bytes do not match")

    monkeypatch.setattr("egca_plugin.credit.tokens.TokenBytes.align", fail)
    result = ask(tokenizer, Judge(Span(0, 4)), tokenizer(TEXT).input_ids)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert (row.spans, row.fallback, result["reward_score"]) == ((), "tokenizer_mismatch", 0.25)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"style": "rule"}, "data set row 7: reward_model"),
        ({"ground_truth": "no json"}, "ground_truth: not a task in JSON"),
        ({"ground_truth": json.dumps({"task_id": "x"})}, "field prompt"),
    ],
)
def test_a_row_without_a_task_names_itself(tokenizer: Any, cell: Any, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        ask(tokenizer, Judge(None), [5], row=cell)
