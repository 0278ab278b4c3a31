"""The reward manager on verl's own DataProto, with a judge that says what the test wants."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
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

from egca_plugin.adapters.samples import Ticket
from egca_plugin.adapters.verl import channel, rows
from egca_plugin.adapters.verl.reward import EgcaRewardManager
from egca_plugin.adapters.verl.service import Sample
from egca_plugin.errors import TokenizerError
from egca_plugin.pipeline import PENDING
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion, Credit, Kind, Mode, Outcome, Span, StdinCase, Task

TASK = policy.TASKS[0]
TEXT = policy.answers(TASK)[1]

SHOWN = "```python\ndef double(x):\n    return 2 * x\n```"  # by a tool


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


class Service:
    """The credit services, as a reward worker sees them."""

    def __init__(self, reason: str) -> None:
        self.reason, self.asked = reason, []

    async def judge(self, sample: Sample) -> tuple[Credit, Ticket]:
        self.asked.append(sample)
        credit = Credit(Mode.LOGIC, 0.25, Outcome.WRONG_ANSWER, 1, 2, reason=self.reason)
        return credit, replace(sample.ticket, where="node-1")


@pytest.fixture(scope="module")
def tokenizer(tiny: Tiny) -> Any:
    return AutoTokenizer.from_pretrained(tiny.model)


def ask(
    tokenizer: Any,
    judge: Judge,
    ids: list[int],
    *,
    padding: int = 0,
    row: Any = None,
    scorer: Any = None,
    service: Any = None,
    egca: str = "verified",
    **columns: Any,
) -> dict:
    responses = torch.tensor([ids + [tokenizer.pad_token_id] * padding])
    mask = torch.tensor([[1] * 3 + [1] * len(ids) + [0] * padding])
    cell = row if row is not None else parquet.row(TASK, data_source="t", split="train", index=7)["reward_model"]
    data = DataProto(
        batch=TensorDict({"prompts": torch.ones(1, 3), "responses": responses, "attention_mask": mask}, batch_size=1),
        non_tensor_batch={
            "reward_model": np.array([cell], dtype=object),
            "extra_info": np.array([{"index": 7}], dtype=object),
            "data_source": np.array(["mine"], dtype=object),
            **{name: np.array([value], dtype=object) for name, value in columns.items()},
        },
    )

    async def run() -> dict:  # verl's managers keep the event loop that they were made in
        settings = OmegaConf.create({"egca": egca})
        return await EgcaRewardManager(settings, tokenizer, scorer, judge=judge, service=service).run_single(data)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("turns", "read"), [(2, TEXT + SHOWN), (4, TEXT + "\n")], ids=["one turn", "a tool's behind it"]
)
def test_of_several_turns_what_a_tool_says_is_not_read(tokenizer: Any, turns: int, read: str) -> None:
    """verl's reward loop is told how many turns there were, and no mask."""
    judge = Judge(None)
    said = [*tokenizer(TEXT).input_ids, tokenizer.eos_token_id, *tokenizer(SHOWN).input_ids]
    result = ask(tokenizer, judge, said, uid="group", global_steps=3, __num_turns__=turns)
    assert [completion.text for _, completion, _ in judge.asked] == [read]
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert row.tokens == len(said), "spans count all that the response holds"


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
    assert row.placing == channel.Placing(credit="decision", praise=0.5, thinking="shared")


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
    def fail(self: Any, *args: Any) -> Any:
        raise TokenizerError("bytes do not match")

    monkeypatch.setattr("egca_plugin.credit.tokens.TokenBytes.align", fail)
    result = ask(tokenizer, Judge(Span(0, 4)), tokenizer(TEXT).input_ids)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert (row.spans, row.fallback, result["reward_score"]) == ((), "tokenizer_mismatch", 0.25)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"style": "rule"}, "reward_model: got"),
        ({"ground_truth": json.dumps({"inputs": ["1"], "outputs": []})}, "got 1 inputs and 0 outputs"),
        ({"ground_truth": json.dumps({"task_id": "x", "tests": []})}, "field tests"),
    ],
)
def test_a_row_that_cannot_be_read_keeps_its_place_with_reward_0(tokenizer: Any, cell: Any, said: str) -> None:
    judge = Judge(None)
    result = ask(tokenizer, judge, [5], row=cell)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert (result["reward_score"], row.reason, row.judged, judge.asked) == (0.0, "bad_task", True, [])
    assert row.task_id == "a row of the data set (mine, index 7)"
    assert said in row.credit.stage


def test_a_row_of_somebody_elses_is_judged_as_it_is(tokenizer: Any) -> None:
    judge = Judge(None)
    cell = {"ground_truth": json.dumps({"inputs": ["1\n"], "outputs": ["2\n"]})}
    prompt = np.array([[{"role": "user", "content": "Add one."}]], dtype=object)
    ask(tokenizer, judge, tokenizer(TEXT).input_ids, row=cell, raw_prompt=prompt[0])
    ((task, _, _),) = judge.asked
    assert (task.kind, task.prompt, task.cases) == (Kind.STDIN, "Add one.", (StdinCase("1\n", ("2\n",)),))


def test_a_row_that_is_no_code_goes_to_the_scorer_that_verl_configured(tokenizer: Any) -> None:
    asked: list[dict[str, Any]] = []

    def compute_score(**given: Any) -> dict[str, Any]:
        asked.append(given)
        return {"score": 0.75, "acc": True, "pred": "42"}

    judge = Judge(None)
    ids = [*tokenizer(TEXT).input_ids, tokenizer.eos_token_id]
    result = ask(tokenizer, judge, ids, row={"ground_truth": "42"}, scorer=compute_score, response_len=len(ids))
    (given,) = asked
    assert (given["data_source"], given["ground_truth"], given["solution_str"]) == ("mine", "42", TEXT)
    assert given["extra_info"]["index"] == 7
    assert judge.asked == []
    extra = result["reward_extra_info"]
    assert (result["reward_score"], extra["acc"], tuple(extra)) == (0.75, 1.0, channel.COLUMNS)
    row = channel.unpack(extra)
    assert row is not None
    assert (row.scorer, row.judged, row.spans, row.tokens) == ("verl", False, (), len(ids))


def test_where_a_service_holds_the_group_the_reward_has_a_ticket_for_the_rest(tokenizer: Any) -> None:
    service, judge = Service(PENDING), Judge(None)
    ids = tokenizer(TEXT).input_ids
    result = ask(tokenizer, judge, ids, service=service, uid="u1", session_id=3, global_steps=7)
    row = channel.unpack(result["reward_extra_info"])
    assert row is not None
    assert (result["reward_score"], row.ticket, row.tokens) == (0.25, Ticket("node-1", "u1", 3), len(ids))
    (sample,) = service.asked
    assert (sample.response.text, sample.step, sample.task.task_id) == (TEXT, 7, TASK.task_id)
    assert judge.asked == []
    of_a_key = ask(tokenizer, judge, ids, service=service, egca_key="u1_3_0")
    assert channel.unpack(of_a_key["reward_extra_info"]).ticket == row.ticket  # type: ignore[union-attr]


def test_a_verdict_that_says_all_needs_no_ticket(tokenizer: Any) -> None:
    result = ask(tokenizer, Judge(None), [5], service=Service(""), uid="u1", session_id=0)
    assert channel.unpack(result["reward_extra_info"]).ticket is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("columns", "egca"),
    [
        ({"uid": "u", "session_id": 0, rows.VALIDATION: True}, "verified"),
        ({"uid": "u", "session_id": 0}, "off"),
        ({}, "verified"),
    ],
)
def test_validation_a_run_without_egca_and_a_row_without_a_name_are_judged_at_once(
    tokenizer: Any, columns: dict[str, Any], egca: str
) -> None:
    service, judge = Service(PENDING), Judge(None)
    ask(tokenizer, judge, [5], service=service, egca=egca, **columns)
    assert (service.asked, len(judge.asked)) == ([], 1)
