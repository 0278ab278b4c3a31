"""In a rollout worker: any executor judges its samples, a prompt's together, and rows that are no code keep theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openrlhf")

import openrlhf_runs as runs
import tiny_policy as policy
import torch
from openrlhf.utils.agent import AgentInstanceBase, MultiTurnAgentExecutor, SingleTurnAgentExecutor
from transformers import AutoTokenizer

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.openrlhf.executor import SingleTurn, judged
from egca_plugin.errors import FrameworkError, SandboxError
from egca_plugin.pipeline import Group
from egca_plugin.types import Credit, Mode, Outcome


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=1)


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="module")
def judge() -> Iterator[PoolJudge]:
    pool = PoolJudge(runs.ON.egca, largest_group=runs.GROUP)
    yield pool
    pool.close()


class Seen:
    """A judge that passes all, and keeps what it was asked."""

    def __init__(self) -> None:
        self.groups: list[Group] = []

    async def __call__(self, group: Group) -> list[Credit | None]:
        self.groups.append(group)
        return [Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1)] * len(group.completions)


class Twice(AgentInstanceBase):
    """Asks for the program a second time."""

    def __init__(self) -> None:
        self.turns = 0

    async def step(self, states: Any, **_: Any) -> dict[str, Any]:
        self.turns += 1
        done = self.turns == 2
        said = "\n" if done else "<|im_end|>\nuser\nWrite it again.\nassistant\n"
        return {"rewards": torch.tensor(0.5), "environment_feedback": said, "done": done}


class Multi(MultiTurnAgentExecutor):
    def __init__(self) -> None:
        super().__init__(Twice)


def test_a_prompts_samples_are_judged_once_and_as_one_group_in_the_order_of_sampling(
    model: Path, tokenizer: Any
) -> None:
    seen = Seen()
    runs.sampled(runs.executor(seen), tokenizer, runs.parsed(model))
    texts = [[one.text for one in group.completions] for group in seen.groups]
    assert texts == [
        [runs.says(task, g * runs.GROUP + k) for k in range(runs.GROUP)] for g, task in enumerate(policy.TASKS[:2])
    ]
    assert {(group.step, group.judge_only) for group in seen.groups} == {(1, False)}


class Shown(Twice):
    """Shows the right program, as a tool that reads files does."""

    async def step(self, states: Any, **more: Any) -> dict[str, Any]:
        told = await super().step(states, **more)
        right = policy.answers(policy.TASKS[0])[0]
        return told if told["done"] else {**told, "environment_feedback": f"<|im_end|>\nuser\n{right}\nassistant\n"}


class Showing(MultiTurnAgentExecutor):
    def __init__(self) -> None:
        super().__init__(Shown)


def test_a_program_that_the_environment_shows_is_no_answer(model: Path, tokenizer: Any, judge: PoolJudge) -> None:
    args = runs.parsed(model, "--data.max_len", "300")
    right, wrong = policy.answers(policy.TASKS[0])[:2]
    texts = [wrong, "def", wrong, right, *[wrong, "def"] * 2]
    samples = runs.sampled(runs.executor(judge, judged(Showing)), tokenizer, args, policy.TASKS[:1], texts=texts)
    assert [float(sample.rewards) for sample in samples] == [0, 1, 0, 0]


def test_of_two_turns_the_last_program_is_judged_and_the_environments_tokens_get_nothing(
    model: Path, tokenizer: Any, judge: PoolJudge
) -> None:
    args = runs.parsed(model, "--data.max_len", "300")
    right, wrong = policy.answers(policy.TASKS[0])[:2]
    texts = [right, wrong, wrong, right, *[wrong, wrong] * 2]
    samples = runs.sampled(runs.executor(judge, judged(Multi)), tokenizer, args, policy.TASKS[:1], texts=texts)
    assert [float(sample.rewards) for sample in samples] == [0, 1, 0, 0]
    advantages, mask, ids = runs.by_sample(runs.Run(model, args, egca=runs.ON).experiences(samples))[0]
    blamed, praised = (advantages < 0) & mask, (advantages > 0) & mask
    assert tokenizer.decode(ids[blamed]) == " +"
    between = torch.nonzero(mask).flatten().diff().argmax()  # the last token of the first turn
    assert int(blamed.nonzero()[0]) > int(torch.nonzero(mask).flatten()[between])
    begun = wrong.partition("```python\n")[2].partition(" + 5")[0]
    assert tokenizer.decode(ids[praised]) == begun, "of the last program, and of no turn before it"
    assert int(praised.nonzero()[-1]) + 1 == int(blamed.nonzero()[0])
    assert "again" in tokenizer.decode(ids[~mask])


def test_a_row_that_is_no_code_keeps_the_executors_reward_and_plain_credit(
    model: Path, tokenizer: Any, judge: PoolJudge
) -> None:
    args = runs.parsed(model, "--data.max_len", "300")
    maths = {"style": "rule", "ground_truth": "42"}
    executor = runs.executor(judge, judged(Multi))
    right, wrong = policy.answers(policy.TASKS[0])[:2]
    samples = runs.sampled(
        executor, tokenizer, args, policy.TASKS[:1], texts=[right, wrong] * runs.GROUP, labels=[maths]
    )
    assert [float(sample.rewards) for sample in samples] == [1.0] * runs.GROUP, "the sum of two turns"
    run = runs.Run(model, args, egca=runs.ON)
    run.experiences(samples)
    assert run.maker.metrics["egca/no_code"] == 1
    assert samples[0].labels[0].label == maths


def test_a_row_that_cannot_be_read_has_reward_0(model: Path, tokenizer: Any, judge: PoolJudge) -> None:
    bad = {"style": "rule", "ground_truth": '{"task_id": "x", "entry_point": 3}'}
    samples = runs.sampled(
        runs.executor(judge), tokenizer, runs.parsed(model), policy.TASKS[:1], texts=["x"] * runs.GROUP, labels=[bad]
    )
    assert [float(sample.rewards) for sample in samples] == [0.0] * runs.GROUP
    assert {sample.labels[0].row.credit.reason for sample in samples} == {"bad_task"}


def test_a_sample_without_a_verdict_has_the_mean_of_its_siblings(model: Path, tokenizer: Any) -> None:
    class Loses(Seen):
        async def __call__(self, group: Group) -> list[Credit | None]:
            wrong = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1)
            return [None, *await super().__call__(group), wrong, wrong][: len(group.completions)]

    samples = runs.sampled(runs.executor(Loses()), tokenizer, runs.parsed(model), policy.TASKS[:1])
    assert [float(sample.rewards) for sample in samples] == [1, 1, 1, 1]
    assert samples[0].labels[0].row is None


def test_an_executor_that_fails_on_one_sample_does_not_keep_its_siblings_waiting(model: Path, tokenizer: Any) -> None:
    class Fails(SingleTurnAgentExecutor):
        calls = 0

        async def execute(self, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == 1:
                raise ValueError("no prompt")
            return await super().execute(*args, **kwargs)

    seen = Seen()
    with pytest.raises(ValueError, match="no prompt"):
        runs.sampled(runs.executor(seen, judged(Fails)), tokenizer, runs.parsed(model), policy.TASKS[:1])
    assert [len(group.completions) for group in seen.groups] == [runs.GROUP - 1]


def test_where_nothing_can_be_judged_the_run_stops(model: Path, tokenizer: Any) -> None:
    async def broken(group: Group) -> list[Credit | None]:
        raise SandboxError("none of 4 samples could be judged")

    with pytest.raises(SandboxError, match="none of 4"):
        runs.sampled(runs.executor(broken), tokenizer, runs.parsed(model), policy.TASKS[:1])


def test_started_without_the_launcher_it_says_so(tokenizer: Any) -> None:
    with pytest.raises(FrameworkError, match=r"adapters\.openrlhf\.train"):
        asyncio.run(SingleTurn().execute("a prompt", {"ground_truth": ""}, None, 9, tokenizer, None))
