"""The reward paths under test, each as the reward manager that verl's reward worker would call."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy
import psutil
import torch
from omegaconf import OmegaConf
from tensordict import TensorDict
from verl import DataProto
from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls

from benchmarks.overhead.prime import DATA_SOURCE
from benchmarks.overhead.recorded import Recording, Response
from egca_plugin.adapters.verl.reward import EgcaRewardManager
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion, Credit, Task

PRIME, UNIFORM, EGCA, DEBUGGER = "prime_code", "sandbox", "egca", "egca, debugger"


@dataclass(frozen=True, slots=True)
class RewardPath:
    """``score`` awaits one row's reward; ``row`` turns a response into what verl hands to the manager."""

    name: str
    row: Callable[[Response], DataProto]
    score: Callable[[DataProto], Any]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one batch took, in seconds, and the rewards in order."""

    wall_s: float
    cpu_s: float
    rewards: tuple[float, ...]


class PoolJudge:
    """The judge of verl's adapter over a pool that the benchmark owns and can count."""

    def __init__(self, config: EgcaConfig, workers: int) -> None:
        self.pool = open_pool(config, workers=workers)
        self.pool.start()

    async def __call__(
        self, task: Task, completion: Completion, step: int | None = None, *, judge_only: bool = False
    ) -> Credit:
        credits: list[Credit] = await self.pool.run(Group(task, (completion,), step))
        return credits[0]


def prime_path(recording: Recording, tokenizer: Any) -> RewardPath:
    """verl's ``naive`` manager, its default scorer and prime_code behind it."""
    manager = get_reward_manager_cls("naive")(OmegaConf.create({}), tokenizer, None)

    def row(response: Response) -> DataProto:
        return _row(response, tokenizer, DATA_SOURCE, json.dumps(recording.in_outs[response.task_id]))

    return RewardPath(PRIME, row, manager.run_single)


@contextmanager
def egca_path(
    recording: Recording, tokenizer: Any, config: EgcaConfig, name: str, workers: int
) -> Iterator[RewardPath]:
    """EGCA's manager; with ``config.localizer`` ``uniform`` it is the sandbox alone."""
    judge = PoolJudge(config, workers)
    settings = OmegaConf.create({"egca": "verified", "reward": {"num_workers": 1}})
    manager = EgcaRewardManager(settings, tokenizer, None, judge=judge)

    def row(response: Response) -> DataProto:
        return _row(response, tokenizer, "egca", parquet.encode(recording.tasks[response.task_id]))

    try:
        yield RewardPath(name, row, manager.run_single)
    finally:
        judge.pool.close()


def sandbox_only(config: EgcaConfig) -> EgcaConfig:
    """The same judging, and nobody who localises."""
    return replace(config, localizer="uniform")


def all_at_once(path: RewardPath, rows: Sequence[DataProto]) -> Spent:
    """Hand all rows over together, as an agent loop does with a finished batch."""

    async def gather() -> list[dict[str, Any]]:
        return await asyncio.gather(*(path.score(row) for row in rows))

    before = cpu_seconds()
    began = time.perf_counter()
    results = _loop().run_until_complete(gather())
    wall = time.perf_counter() - began
    return Spent(wall, cpu_seconds() - before, tuple(float(r["reward_score"]) for r in results))


def one_by_one(path: RewardPath, rows: Sequence[DataProto]) -> list[float]:
    """Seconds of each row alone."""
    times = []
    for row in rows:
        began = time.perf_counter()
        _loop().run_until_complete(path.score(row))
        times.append(time.perf_counter() - began)
    return times


def cpu_seconds() -> float:
    """User and system time of this process and all below it, the dead ones included that their parents waited for."""
    return sum(sum(times[:4]) for times in _each(lambda process: process.cpu_times()))


def memory_mb() -> float:
    """Proportional set size of this process and all below it, in MiB."""
    return sum(info.pss for info in _each(lambda process: process.memory_full_info())) / (1 << 20)


@contextmanager
def silence() -> Iterator[None]:
    """prime_code prints on every failure."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _each(read: Callable[[psutil.Process], Any]) -> Iterator[Any]:
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            yield read(process)
        except psutil.Error:  # it ended meanwhile
            continue


def _loop() -> asyncio.AbstractEventLoop:
    from verl.utils.ray_utils import get_event_loop

    return get_event_loop()


def _row(response: Response, tokenizer: Any, data_source: str, ground_truth: str) -> DataProto:
    """One sample as verl's agent loop packs it (agent_loop.py, _compute_score)."""
    ids = torch.tensor([tokenizer.encode(response.completion, add_special_tokens=False)])
    prompt = torch.ones((1, 8), dtype=torch.long)
    mask = torch.ones((1, prompt.shape[1] + ids.shape[1]), dtype=torch.long)
    values = {
        "data_source": data_source,
        "reward_model": {"style": "rule", "ground_truth": ground_truth},
        "extra_info": {"index": 0},
        "uid": response.task_id,
        "response_len": ids.shape[1],
    }
    columns = {name: numpy.array([value], dtype=object) for name, value in values.items()}
    tensors = {"prompts": prompt, "responses": ids, "attention_mask": mask}
    return DataProto(batch=TensorDict(tensors, batch_size=1), non_tensor_batch=columns)
