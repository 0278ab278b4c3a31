"""TRL: its own trainer, dataloader and loss, on responses that a rollout function says."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import torch
import trl_runs as runs
from framework import TASKS, TINY, Asked, Batch, Framework, Grid

from egca_plugin.adapters.trl import dataset
from egca_plugin.adapters.trl.judging import PoolJudge
from egca_plugin.pipeline import Group
from egca_plugin.types import Credit, Task


class _Counting:
    def __init__(self, judge: PoolJudge) -> None:
        self._judge, self.samples = judge, 0

    def __call__(self, groups: Sequence[Group]) -> list[list[Credit | None]]:
        self.samples += sum(len(group.completions) for group in groups)
        return self._judge(groups)


class Trl(Framework):
    name: ClassVar[str] = "TRL"
    shows: ClassVar[str] = "its trainer, whole steps of it"

    def __init__(self, model: Path, home: Path, batch: Batch = TINY) -> None:
        super().__init__(model, home, batch)
        self._judge = PoolJudge(batch.config, largest_group=batch.group)
        self._rows = dataset(batch.tasks)

    @property
    def version(self) -> str:
        return metadata.version("trl")

    def close(self) -> None:
        self._judge.close()

    def _trainer(self, asked: Asked | None, **more: Any) -> Any:
        blamed = TASKS[0].reference.splitlines()[1].strip().removeprefix("y = ") + " + 5"
        hide = blamed if asked and asked.hidden else ""
        more |= {
            "data": self._rows,
            "rollout_func": runs.scripted(self._says, hide, self.batch.tasks),
            "num_generations": self.batch.group,
            "per_device_train_batch_size": len(self.ids),
            "per_device_eval_batch_size": len(self.ids),
        }
        if asked is None:
            return runs.stock(self.model, self.home, **more)
        trainer = runs.ours(self.model, self.home, self._judge, egca=asked.config, **more)
        if hide:  # from the loss alone: what the environment writes is not read, and so never blamed
            begin = trainer._egca_reward.begin
            trainer._egca_reward.begin = lambda inputs, ids, tool_mask=None: begin(inputs, ids)
        take, change = trainer._egca_reward.take, asked.change
        trainer._egca_reward.take = lambda: [row and change(i, row) for i, row in enumerate(take())]
        return trainer

    def _says(self, task: Task, place: int) -> str:
        return self.batch.says[self.batch.tasks.index(task)][place % self.batch.group]

    def grid(self, asked: Asked | None) -> Grid:
        self._made = self._trainer(asked)
        self._output = output = runs.scored(self._made, self._rows)
        mask = (output["completion_mask"] * output.get("tool_mask", 1)).bool()
        advantages = output["advantages"]
        placed = advantages if advantages.dim() == 2 else advantages.unsqueeze(1).expand(mask.shape)
        return Grid(placed, mask, output["completion_ids"])

    def step(self, asked: Asked | None) -> dict[str, torch.Tensor]:
        trainer = self._trainer(asked)
        trainer.train()
        return {name: value.detach().clone() for name, value in trainer.model.named_parameters()}

    def gradient(self, grid: Grid) -> torch.Tensor:
        now = torch.full(grid.mask.shape, -1.0, requires_grad=True)
        trainer = self._made
        trainer._get_per_token_logps_and_entropies = lambda *_, **__: (now, torch.zeros_like(now), None)
        trainer.current_gradient_accumulation_steps = 1
        trainer._compute_loss(trainer.model, {**self._output, "advantages": grid.advantages}).backward()
        assert now.grad is not None
        return now.grad

    def fallbacks(self) -> dict[str, float]:
        return {name: values[-1] for name, values in self._made._metrics["train"].items()}

    def refuse(self) -> None:
        self._trainer(Asked(), importance_sampling_level="sequence")

    def unjudged(self) -> None:
        trainer = runs.ours(self.model, self.home, lambda groups: [[None] * len(one.completions) for one in groups])
        runs.scored(trainer)

    def extras(self) -> None:
        """The data set's other columns, beside their own samples, at a further reward function."""
        seen: list[tuple[str, int]] = []

        def further(prompts: list[Any], extra_info: list[dict[str, Any]], **_: Any) -> list[float]:
            seen.extend((prompt[0]["content"], info["index"]) for prompt, info in zip(prompts, extra_info, strict=True))
            return [0.0] * len(prompts)

        runs.scored(runs.ours(self.model, self.home, self._judge, reward_funcs=further))
        assert seen == [(task.prompt, i) for i, task in enumerate(self.batch.tasks) for _ in range(self.batch.group)]

    def judged(self, epochs: int) -> int:
        judge = _Counting(self._judge)
        trainer = runs.ours(self.model, self.home, judge, num_iterations=epochs, max_steps=epochs)
        trainer.train()
        return judge.samples
