"""TRL trainers on the tiny policy: real model, real trainer, real sandbox, and responses that the test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tiny_policy as policy
from trl import GRPOConfig, GRPOTrainer

from egca_plugin.adapters.trl import EgcaGRPOTrainer, dataset
from egca_plugin.adapters.trl.judging import PoolJudge
from egca_plugin.pipeline import Group
from egca_plugin.types import Credit, Task

GROUP = 4  # right, wrong, raising, broken: what tiny_policy.answers gives, one of each
REWARDS = [1.0, 0.0, 0.0, 0.0]


class Uniform:
    """The judge's verdicts without its spans."""

    def __init__(self, judge: PoolJudge) -> None:
        self._judge = judge

    def __call__(self, groups: Sequence[Group]) -> list[list[Credit | None]]:
        return [[credit and replace(credit, spans=()) for credit in credits] for credits in self._judge(groups)]


def says(task: Task, place: int) -> str:
    """What the policy is made to say: each group holds one answer of each kind, and no two are of one length."""
    return "So. " * place + "\n" + policy.answers(task)[place % GROUP]


def scripted(says: Any = says, hide: str = "", tasks: Sequence[Task] = policy.TASKS) -> Any:
    """A rollout function of TRL's. ``hide``: text that counts as the environment's, not the model's."""
    by_prompt = {task.prompt: task for task in tasks}

    def rollout(prompts: list[Any], trainer: GRPOTrainer) -> dict[str, Any]:
        tokenizer = trainer.processing_class
        texts = [says(by_prompt[prompt[0]["content"]], place) for place, prompt in enumerate(prompts)]
        ids = [[*tokenizer(text).input_ids, tokenizer.eos_token_id] for text in texts]
        output: dict[str, Any] = {
            "prompt_ids": [tokenizer(prompt[0]["content"]).input_ids for prompt in prompts],
            "completion_ids": ids,
            "logprobs": None,
        }
        if hide:
            output["env_mask"] = [visible(tokenizer, text, row, hide) for text, row in zip(texts, ids, strict=True)]
        return output

    return rollout


def visible(tokenizer: Any, text: str, ids: list[int], hide: str) -> list[int]:
    """1 for the tokens that do not touch ``hide``."""
    at = text.find(hide)
    if at < 0:
        return [1] * len(ids)
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return [int(end <= at or start >= at + len(hide)) for start, end in offsets] + [1]


def config(folder: Path, **settings: Any) -> GRPOConfig:
    chosen = {
        "per_device_train_batch_size": 2 * GROUP,
        "per_device_eval_batch_size": 2 * GROUP,
        "num_generations": GROUP,
        "max_steps": 1,
        "max_completion_length": 96,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": True,
        "bf16": False,
        "disable_tqdm": True,
        **settings,
    }
    return GRPOConfig(str(folder), **chosen)


def rows(tasks: Sequence[Task] = policy.TASKS) -> Any:
    """With references unlike what the policy says, as in the tests of the verl adapter."""
    return dataset(map(policy.otherwise, tasks))


def ours(model: Path, folder: Path, judge: Any, *, egca: Any = None, data: Any = None, **more: Any) -> EgcaGRPOTrainer:
    rollout = more.pop("rollout_func", scripted())
    funcs = more.pop("reward_funcs", None)
    return EgcaGRPOTrainer(
        str(model),
        reward_funcs=funcs,
        args=config(folder, **more),
        train_dataset=rows() if data is None else data,
        eval_dataset=rows(),
        egca=egca,
        judge=judge,
        rollout_func=rollout,
    )


def stock(model: Path, folder: Path, *, data: Any = None, rollout_func: Any = None, **settings: Any) -> GRPOTrainer:
    """TRL's own trainer, with the rewards that the sandbox gives."""

    def reward(completions: list[Any], **_: Any) -> list[float]:
        return [REWARDS[place % GROUP] for place in range(len(completions))]

    data, rollout = rows() if data is None else data, rollout_func or scripted()
    return GRPOTrainer(str(model), reward, config(folder, **settings), train_dataset=data, rollout_func=rollout)


def scored(trainer: GRPOTrainer, data: Any = None) -> dict[str, Any]:
    """One generation batch: by default of two prompts, each as often as a group is large."""
    chosen = rows(policy.TASKS[:2]) if data is None else data
    trainer.model.train()
    return trainer._generate_and_score_completions([row for row in chosen for _ in range(trainer.num_generations)])
