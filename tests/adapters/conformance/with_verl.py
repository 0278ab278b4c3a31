"""verl: its own advantage and loss functions, its DataProto, and the channel of the reward loop."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from framework import (
    TINY,
    WRONG,
    Asked,
    Batch,
    Counting,
    Framework,
    Grid,
    judges_nothing,
    padded,
    rows_of,
    stepped,
)
from omegaconf import OmegaConf
from verl import DataProto
from verl.trainer.ppo import core_algos

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.metrics import step_metrics
from egca_plugin.adapters.samples import Row, Scope
from egca_plugin.adapters.verl import channel, settings
from egca_plugin.adapters.verl.estimator import credits, egca_advantage

CLIP = {"clip_ratio": 0.2, "clip_ratio_low": 0.2, "clip_ratio_high": 0.2, "clip_ratio_c": 3.0, "global_batch_info": {}}


class Verl(Framework):
    name: ClassVar[str] = "verl"
    shows: ClassVar[str] = "its advantage and loss functions, DataProto and reward channel"

    def __init__(self, model: Path, home: Path, batch: Batch = TINY) -> None:
        super().__init__(model, home, batch)
        self._judge = PoolJudge(batch.config, largest_group=batch.group)
        self.uid = np.array([task.task_id for task in batch.tasks for _ in range(batch.group)], dtype=object)
        self.rows = asyncio.run(rows_of(self._judge, self.tokenizer, batch))
        self._metrics: dict[str, float] = {}

    @property
    def version(self) -> str:
        return metadata.version("verl")

    def close(self) -> None:
        self._judge.close()

    def _channelled(self, asked: Asked | None) -> list[Row | None]:
        """The rows as they arrive in the trainer: packed into ``reward_extra_info`` and unpacked."""
        changed = [asked.change(i, row) if asked else row for i, row in enumerate(self.rows)]
        return channel.unpack_batch([{"reward_extra_info": channel.pack(row) if row else {}} for row in changed])

    def grid(self, asked: Asked | None) -> Grid:
        ids = padded([torch.tensor(one) for one in self.ids], self.tokenizer.pad_token_id)
        mask = padded([torch.ones(len(one), dtype=torch.long) for one in self.ids])
        rewards = torch.zeros(mask.shape)
        rewards[torch.arange(len(mask)), mask.sum(1) - 1] = torch.tensor([row.credit.reward for row in self.rows])
        if asked is None:
            stock = core_algos.compute_grpo_outcome_advantage(rewards, mask, self.uid)[0]
            return Grid(stock, mask.bool(), ids)
        rows = self._channelled(asked)
        if asked.hidden:
            for span in self.rows[WRONG].spans:
                mask[WRONG, span.start : span.end] = 0
        with credits(Scope(asked.config, True, rows)) as scope:
            placed, _ = egca_advantage(rewards, mask, index=self.uid)
        self._metrics = step_metrics(rows, scope.placement, range(len(rows)))
        return Grid(placed, mask.bool(), ids)

    def _loss(self, grid: Grid, now: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        config: Any = OmegaConf.create(CLIP)
        loss = core_algos.get_policy_loss_fn("vanilla")
        return loss(before, now, grid.advantages, grid.mask.long(), "token-mean", config)[0]

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
        """verl's ``gspo`` gives each token its own advantage and goes; ``geo_mean`` averages them."""
        settings.check(
            OmegaConf.create(
                {
                    "algorithm": {"adv_estimator": "egca"},
                    "reward": {"reward_manager": {"source": "register", "name": "egca"}},
                    "actor_rollout_ref": {"actor": {"policy_loss": {"loss_mode": "geo_mean"}}},
                }
            )
        )

    def unjudged(self) -> None:
        asyncio.run(rows_of(judges_nothing(), self.tokenizer))

    def extras(self) -> None:
        packed = [{**channel.pack(row), "own": float(i)} for i, row in enumerate(self.rows)]
        columns = {key: np.array([one[key] for one in packed], dtype=object) for key in packed[0]}
        batch = DataProto.from_dict(tensors={"x": torch.arange(len(packed))}, non_tensors=columns)
        batch.reorder(torch.arange(len(packed) - 1, -1, -1))
        batch = DataProto.concat(batch.chunk(2))
        for i, own, text in zip(
            batch.batch["x"], batch.non_tensor_batch["own"], batch.non_tensor_batch["egca"], strict=True
        ):
            assert own == float(i)
            assert channel.unpack({"egca": text}) == self.rows[int(i)]

    def judged(self, epochs: int) -> int:
        judge = Counting(self._judge)
        self.rows = asyncio.run(rows_of(judge, self.tokenizer))
        for _ in range(epochs):
            self.step(Asked())
        return judge.samples
