"""Stand-in for ``torch.cuda``: the names that verl reads from ``get_torch_device()`` and ``torch.cpu`` lacks."""

from __future__ import annotations

import resource
from typing import Any

import psutil
import torch


def __getattr__(name: str) -> Any:  # synchronize, stream, Event, current_stream ...
    return getattr(torch.cpu, name)


def get_device_name(device: Any = None) -> str:
    return "CPU"  # a key of verl.utils.flops_counter._DEVICE_FLOPS


def empty_cache() -> None: ...


def memory_allocated(device: Any = None) -> int:
    """Resident bytes of this process."""
    return int(psutil.Process().memory_info().rss)


def max_memory_allocated(device: Any = None) -> int:
    """Peak resident bytes of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


memory_reserved, max_memory_reserved = memory_allocated, max_memory_allocated


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """(free, total) bytes of this machine."""
    memory = psutil.virtual_memory()
    return memory.available, memory.total


def get_rng_state(device: Any = None) -> torch.Tensor:
    return torch.get_rng_state()


def set_rng_state(state: torch.Tensor, device: Any = None) -> None:
    torch.set_rng_state(state)
