"""slime: EGCA's functions called as slime calls them, and slime's own loss where it can be imported.

slime is no package of an index; to try its own code, put a checkout on ``PYTHONPATH``.
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from framework import (
    TINY,
    UNIT,
    WRONG,
    Asked,
    Batch,
    Counting,
    Framework,
    Grid,
    judges_nothing,
    padded,
    stepped,
)

from egca_plugin.adapters import slime
from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.metrics import step_metrics
from egca_plugin.tasks import parquet

try:
    from slime.utils.ppo_utils import compute_policy_loss, get_grpo_returns
    from slime.utils.types import Sample

    OWN = True
except ImportError:
    OWN = False

    @dataclass
    class Sample:  # type: ignore[no-redef]
        """The fields of slime's that are read (slime/utils/types.py)."""

        group_index: int = 0
        prompt: Any = ""
        tokens: list[int] = field(default_factory=list)
        response: str = ""
        response_length: int = 0
        label: Any = None
        reward: float | None = None
        loss_mask: list[int] | None = None
        remove_sample: bool = False
        metadata: dict[str, Any] = field(default_factory=dict)

        def get_reward_value(self, args: Namespace) -> Any:
            return self.reward

    def compute_policy_loss(ppo_kl: Any, advantages: Any, low: float, high: float) -> Any:  # type: ignore[no-redef]
        """PPO's, as slime documents it: -min(ratio A, clipped ratio A)."""
        ratio = (-ppo_kl).exp()
        return -torch.minimum(ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages), None

    def get_grpo_returns(rewards: torch.Tensor, kl: Any) -> Any:  # type: ignore[no-redef]
        return [torch.ones_like(one) * reward for one, reward in zip(kl, rewards, strict=True)]


HERE = "egca_plugin.adapters.slime"


def options(model: Path, batch: Batch = TINY, **settings: Any) -> Namespace:
    chosen = {
        "hf_checkpoint": str(model),
        "n_samples_per_prompt": batch.group,
        "rollout_batch_size": len(batch.tasks),
        "group_rm": True,
        "custom_rm_path": f"{HERE}.reward",
        "custom_reward_post_process_path": f"{HERE}.place",
        "custom_advantage_function_path": f"{HERE}.advantages",
        "advantage_estimator": "grpo",
        "rewards_normalization": True,
        "grpo_std_normalization": True,
        "normalize_advantages": False,
        "reward_key": None,
        **settings,
    }
    return Namespace(**chosen)


class Slime(Framework):
    name: ClassVar[str] = "slime"
    shows: ClassVar[str] = "EGCA's functions as slime calls them" + (", slime's own loss" if OWN else "")

    def __init__(self, model: Path, home: Path, batch: Batch = TINY) -> None:
        super().__init__(model, home, batch)
        self._judge: Any = PoolJudge(batch.config, largest_group=batch.group)
        self._metrics: dict[str, float] = {}

    @property
    def version(self) -> str:
        return "0.3.1"

    def close(self) -> None:
        self._judge.close()

    def _args(self, config: Any = UNIT, judge: Any = None) -> Namespace:
        """slime's options, with this driver's judge in the place of one for every batch."""
        args = options(
            self.model,
            self.batch,
            egca={name: getattr(config, name) for name in ("scale", "credit", "praise", "unlocated", "traces")},
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(slime, "PoolJudge", lambda *_, **__: judge or self._judge)
            slime._of(args)
        return args

    def sampled(self, args: Namespace) -> list[Any]:
        """What slime's rollout gives its custom reward, a prompt's samples at a time."""
        samples, size = [], self.batch.group
        for i, (text, ids) in enumerate(zip(self.batch.texts, self.ids, strict=True)):
            task = self.batch.tasks[i // size]
            prompt = self.tokenizer(task.prompt).input_ids
            sample = Sample(group_index=i // size, prompt=task.prompt, tokens=[*prompt, *ids], response=text)
            sample.response_length, sample.label, sample.metadata = len(ids), parquet.encode(task), {"own": i}
            samples.append(sample)
        for start in range(0, len(samples), size):
            group = samples[start : start + size]
            for sample, reward in zip(group, asyncio.run(slime.reward(args, group)), strict=True):
                sample.reward = reward
        return samples

    def grid(self, asked: Asked | None) -> Grid:
        args = self._args(asked.config if asked else UNIT)
        samples = self.sampled(args)
        rows = [sample.metadata[slime.KEY] for sample in samples]
        ids = padded([torch.tensor(one) for one in self.ids], self.tokenizer.pad_token_id)
        kl = [torch.zeros(sample.response_length) for sample in samples]
        mask = padded([torch.ones(sample.response_length) for sample in samples]).bool()
        if asked is None:
            rewards = torch.tensor([sample.reward for sample in samples]).reshape(-1, self.batch.group)
            rewards = rewards - rewards.mean(-1, keepdim=True)
            rewards = (rewards / (rewards.std(-1, keepdim=True) + 1e-6)).flatten()
            return Grid(padded(get_grpo_returns(rewards, kl)), mask, ids)
        for i, sample in enumerate(samples):
            sample.metadata[slime.KEY] = asked.change(i, rows[i])
        if asked.hidden:
            samples[WRONG].loss_mask = [1] * samples[WRONG].response_length
            for span in rows[WRONG].spans:
                samples[WRONG].loss_mask[span.start : span.end] = [0] * (span.end - span.start)
                mask[WRONG, span.start : span.end] = False
        observed: list[Any] = []
        slime._of(args).observer.observe = lambda step, scope, *_: observed.append(scope) or {}  # type: ignore
        _, rides = slime.place(args, samples)
        self._metrics = step_metrics(observed[0].rows, observed[0].placement, range(len(samples)))
        data = {"rewards": rides, "kl": kl, "total_lengths": [len(sample.tokens) for sample in samples]}
        slime.advantages(args, data)
        return Grid(padded(data["advantages"]), mask, ids)

    def _loss(self, grid: Grid, now: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Each sample's mean, as slime reduces (--calculate-per-token-loss is off)."""
        losses, _ = compute_policy_loss(before - now, grid.advantages, 0.2, 0.2)
        return ((losses * grid.mask).sum(1) / grid.mask.sum(1)).mean()

    def step(self, asked: Asked | None) -> dict[str, torch.Tensor]:
        grid = self.grid(asked)
        return stepped(self.model, self.tokenizer, lambda now, before: self._loss(grid, now, before))

    def gradient(self, grid: Grid) -> torch.Tensor:
        now = torch.full(grid.mask.shape, -1.0, requires_grad=True)
        self._loss(grid, now, now.detach()).backward()
        assert now.grad is not None
        return now.grad

    def fallbacks(self) -> dict[str, float]:
        return self._metrics

    def refuse(self) -> None:
        slime.check(options(self.model, advantage_estimator="gspo"))

    def unjudged(self) -> None:
        self.sampled(self._args(judge=judges_nothing()))

    def extras(self) -> None:
        args = self._args()
        samples = self.sampled(args)
        slime.place(args, samples)
        assert [sample.metadata for sample in samples] == [{"own": i} for i in range(len(samples))]

    def judged(self, epochs: int) -> int:
        judge = Counting(self._judge)
        args = self._args(judge=judge)
        _, rides = slime.place(args, samples := self.sampled(args))
        for _ in range(epochs):
            kl = [torch.zeros(sample.response_length) for sample in samples]
            slime.advantages(args, {"rewards": rides, "kl": kl, "total_lengths": [len(one.tokens) for one in samples]})
        return judge.samples
