"""Weights put aside on a CPU stay what they were, which verl's own helper does not see to."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("verl")

import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard

from egca_plugin.adapters.verl.detached_cpu import CpuDetachActorWorker, DetachActorWorker


@pytest.fixture
def module(tmp_path: Any) -> Iterator[torch.nn.Module]:
    """A layer under FSDP2, alone in its group."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    mesh = dist.device_mesh.init_device_mesh("cpu", (1,))
    yield fully_shard(torch.nn.Linear(2, 2, bias=False), mesh=mesh)
    dist.destroy_process_group()


def restored(worker_class: type, module: torch.nn.Module) -> torch.Tensor:
    """The weights after: put aside, train, bring back."""
    worker = object.__new__(worker_class)
    worker._strategy_handlers = None
    worker.config = SimpleNamespace(actor=SimpleNamespace(strategy="fsdp2"))
    worker.actor = SimpleNamespace(engine=SimpleNamespace(module=module))
    worker.save_model_to_cpu(0)
    with torch.no_grad():
        module.weight.to_local().add_(1.0)
    worker.restore_model_from_cpu(0)
    return module.weight.to_local().detach().clone()


def test_what_was_put_aside_comes_back(module: torch.nn.Module) -> None:
    before = module.weight.to_local().detach().clone()
    assert torch.equal(restored(CpuDetachActorWorker, module), before)


def test_verls_own_brings_back_what_was_trained(module: torch.nn.Module) -> None:
    """Should this fail, verl copies by itself now, and the class can go."""
    before = module.weight.to_local().detach().clone()
    assert torch.equal(restored(DetachActorWorker, module), before + 1.0)
