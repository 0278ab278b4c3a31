"""Weights from the trainer's processes to rollout processes: all of them, as they are, in buckets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("verl")

import torch
from verl.checkpoint_engine import CheckpointEngineRegistry

from egca_plugin.adapters.verl import transport_cpu
from egca_plugin.adapters.verl.transport_cpu import NAME, RayQueueEngine

WEIGHTS = [(f"layer.{n}", torch.arange(n, n + 6).float().view(2, 3)) for n in range(5)]
TENSOR_BYTES = 24


class Line:
    """Ray's queue without Ray; counts what passes."""

    def __init__(self, maxsize: int, actor_options: dict[str, Any]) -> None:
        self.buckets: list[int] = []
        self._queue: asyncio.Queue[dict[str, torch.Tensor]] = asyncio.Queue(maxsize)

    async def put_async(self, bucket: dict[str, torch.Tensor]) -> None:
        self.buckets.append(len(bucket))
        await self._queue.put(bucket)

    async def get_async(self) -> dict[str, torch.Tensor]:
        return await self._queue.get()


def engines(ranks: int, rollouts: int, room: int) -> tuple[list[RayQueueEngine], list[RayQueueEngine]]:
    """As verl's CheckpointEngineManager.build_process_group connects them."""
    made = [RayQueueEngine(bucket_size=room) for _ in range(ranks + rollouts)]
    sending, receiving = RayQueueEngine.build_topology(ranks, rollouts, [one.prepare() for one in made])
    for one, queues in zip(made, sending["queues"] + receiving["queues"], strict=True):
        one.init_process_group(queues=queues)
    return made[:ranks], made[ranks:]


async def transfer(ranks: int, rollouts: int, room: int) -> list[list[tuple[str, torch.Tensor]]]:
    senders, receivers = engines(ranks, rollouts, room)

    async def received(engine: RayQueueEngine) -> list[tuple[str, torch.Tensor]]:
        return [pair async for pair in engine.receive_weights(global_steps=1)]

    consumed = [iter(WEIGHTS) for _ in senders]
    sent = [one.send_weights(weights) for one, weights in zip(senders, consumed, strict=True)]
    *got, _ = await asyncio.gather(*map(received, receivers), asyncio.gather(*sent))
    assert all(next(weights, None) is None for weights in consumed), "producing a weight is a collective of all ranks"
    for one in senders + receivers:
        one.finalize()
        assert one._queues == []
    return got


@pytest.mark.parametrize("room", [1, 2 * TENSOR_BYTES, 1 << 20])
def test_every_rollout_worker_gets_every_weight(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(transport_cpu, "Queue", Line)
    for got in asyncio.run(transfer(ranks=2, rollouts=2, room=room)):
        assert [name for name, _ in got] == [name for name, _ in WEIGHTS]
        assert all(torch.equal(a, b) for (_, a), (_, b) in zip(got, WEIGHTS, strict=True))


def test_a_bucket_holds_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Line] = []
    monkeypatch.setattr(transport_cpu, "Queue", lambda **given: lines.append(Line(**given)) or lines[-1])
    asyncio.run(transfer(ranks=1, rollouts=1, room=2 * TENSOR_BYTES))
    assert lines[0].buckets == [2, 2, 1, 0]


def test_verl_finds_it_by_name() -> None:
    assert CheckpointEngineRegistry.get(NAME) is RayQueueEngine
