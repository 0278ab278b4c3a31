"""OpenRLHF: its own sample generator, experience maker, replay buffer, losses and DeepSpeed engine, in one process."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import openrlhf_runs as runs
import torch
from framework import TINY, WRONG, Asked, Batch, Counting, Framework, Grid, judges_nothing, padded
from openrlhf.models import PolicyLoss
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.utils.agent import SingleTurnAgentExecutor

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.openrlhf import settings
from egca_plugin.adapters.openrlhf.executor import SingleTurn, judged
from egca_plugin.adapters.settings import Settings

PROMPT = 256  # tokens that the longest prompt may have


class _Logging(SingleTurnAgentExecutor):
    """Gives each sample something of its own to carry."""

    count = 0

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        output = await super().execute(*args, **kwargs)
        output["extra_logs"] = {"own": float(self.count)}
        self.count += 1
        return output


class OpenRlhf(Framework):
    name: ClassVar[str] = "OpenRLHF"
    shows: ClassVar[str] = "its experience maker, replay buffer, losses and DeepSpeed engine"

    def __init__(self, model: Path, home: Path, batch: Batch = TINY) -> None:
        super().__init__(model, home, batch)
        self._judge = PoolJudge(batch.config, largest_group=batch.group)
        self._args = self._parsed()
        self._samples = self._sampled(SingleTurn)

    @property
    def version(self) -> str:
        return metadata.version("openrlhf")

    def close(self) -> None:
        self._judge.close()

    def _parsed(self, *more: str) -> Any:
        """OpenRLHF's options for this batch."""
        sizes = {
            "--rollout.n_samples_per_prompt": self.batch.group,
            "--rollout.batch_size": len(self.batch.tasks),
            "--train.batch_size": len(self.ids),
            "--rollout.max_new_tokens": max(map(len, self.ids)),
            "--data.max_len": max(map(len, self.ids)) + PROMPT,
        }
        return runs.parsed(self.model, *(str(word) for option in sizes.items() for word in option), *more)

    def _sampled(self, kind: Any, judge: Any = None, args: Any = None) -> list[Experience]:
        executor = runs.executor(judge or self._judge, kind)
        chosen, batch = Settings(True, self.batch.config), self.batch
        return runs.sampled_of(executor, self.tokenizer, args or self._args, batch.tasks, batch.texts, settings=chosen)

    def _run(self, asked: Asked | None) -> tuple[runs.Run, list[Experience]]:
        egca = Settings(True, asked.config) if asked else None
        run = runs.Run(self.model, deepcopy(self._args), egca=egca)
        if asked is None:
            return run, runs.bare(self._samples)
        samples = deepcopy(self._samples)
        for i, sample in enumerate(samples):
            (answer,) = sample.labels
            sample.labels = [replace(answer, row=asked.change(i, answer.row))]
        if asked.hidden:  # behind the context window
            (answer,) = samples[WRONG].labels
            cut = answer.first + answer.row.spans[0].start
            for name in ("sequences", "attention_mask"):
                setattr(samples[WRONG], name, getattr(samples[WRONG], name)[:, :cut])
            samples[WRONG].action_mask = samples[WRONG].action_mask[:, : cut - 1]
        return run, samples

    def grid(self, asked: Asked | None) -> Grid:
        run, samples = self._run(asked)
        found = runs.by_sample(run.experiences(samples))
        self._metrics = run.maker.metrics if asked else {}
        return Grid(*(padded([found[i][part] for i in range(len(found))]) for part in range(3)))

    def step(self, asked: Asked | None) -> dict[str, torch.Tensor]:
        run, samples = self._run(asked)
        return run.step(samples)

    def gradient(self, grid: Grid) -> torch.Tensor:
        now = torch.full(grid.mask.shape, -1.0, requires_grad=True)
        PolicyLoss()(now, now.detach(), grid.advantages, grid.mask)[0].backward()
        assert now.grad is not None
        return now.grad

    def fallbacks(self) -> dict[str, float]:
        return self._metrics

    def refuse(self) -> None:
        settings.check(runs.ON, runs.parsed(self.model, "--actor.policy_loss_type", "gspo"))

    def unjudged(self) -> None:
        self._sampled(SingleTurn, judges_nothing())

    def extras(self) -> None:
        """An executor's own logs, and the data set's labels."""
        run = runs.Run(self.model, deepcopy(self._args), egca=runs.ON)
        samples = self._sampled(judged(_Logging))
        labels = [sample.labels[0].label for sample in samples]
        for one in run.experiences(samples):
            assert one.info["own"].tolist() == [float(i) for i in one.index]
            assert one.labels == [labels[i] for i in one.index]

    def judged(self, epochs: int) -> int:
        judge = Counting(self._judge)
        args = self._parsed("--train.max_epochs", str(epochs))
        runs.Run(self.model, args, egca=runs.ON).step(self._sampled(SingleTurn, judge, args))
        return judge.samples
