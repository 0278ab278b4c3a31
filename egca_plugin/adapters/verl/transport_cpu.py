"""Weight transport ``actor_rollout_ref.rollout.checkpoint_engine.backend=ray_queue``: from the trainer's processes to
rollout processes of their own, without an accelerator.

verl's own transports (nccl, nixl, ...) need one, and separate asynchronous training needs a transport. Buckets of
tensors travel through a Ray queue per rollout worker, made anew for every transfer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import torch
from ray.util.queue import Queue
from verl.checkpoint_engine import CheckpointEngine, CheckpointEngineRegistry

NAME = "ray_queue"
_DEPTH = 2  # buckets under way


@CheckpointEngineRegistry.register(NAME)
class RayQueueEngine(CheckpointEngine):
    """Lives in every trainer process and every rollout worker; only the trainer's rank 0 sends."""

    def __init__(self, bucket_size: int, **_: Any) -> None:
        self._room = bucket_size
        self._queues: list[Queue] = []

    def prepare(self) -> dict[str, Any]:
        return {}

    @classmethod
    def build_topology(
        cls, actor_wg_world_size: int, rollout_world_size: int, metadata: list[dict[str, Any]]
    ) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """verl's driver calls this: one queue a rollout worker, all of them at the trainer's rank 0."""
        queues = [Queue(maxsize=_DEPTH, actor_options={"num_cpus": 0}) for _ in range(rollout_world_size)]
        nothing: list[list[Queue]] = [[]] * (actor_wg_world_size - 1)
        return {"queues": [queues, *nothing]}, {"queues": [[queue] for queue in queues]}

    def init_process_group(self, **kwargs: Any) -> None:
        self._queues = kwargs["queues"]

    def finalize(self) -> None:
        """The driver's handles went with ``build_topology``: the last one to let go ends a queue's process."""
        self._queues = []

    async def send_weights(
        self, weights: Iterable[tuple[str, torch.Tensor]], global_steps: int | None = None
    ) -> dict[str, Any]:
        """Send every weight, in buckets. All ranks must consume ``weights``: producing one is a collective."""
        bucket: dict[str, torch.Tensor] = {}
        size = 0
        for name, tensor in weights:
            if not self._queues:
                continue
            bucket[name] = tensor.detach().cpu()
            size += tensor.nbytes
            if size >= self._room:
                await self._put(bucket)
                bucket, size = {}, 0
        await self._put(bucket)
        await self._put({})  # the end
        return {}

    async def _put(self, bucket: dict[str, torch.Tensor]) -> None:
        for queue in self._queues:
            await queue.put_async(bucket)

    async def receive_weights(  # type: ignore[override]  # verl declares a coroutine and iterates over it
        self, global_steps: int | None = None
    ) -> AsyncIterator[tuple[str, torch.Tensor]]:
        (queue,) = self._queues
        while bucket := await queue.get_async():
            for name, tensor in bucket.items():
                yield name, tensor
