"""verl's platform ``cpu``, chosen by ``VERL_PLATFORM=cpu`` and never detected by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import torch
import torch.distributed as dist
from verl.plugin.platform import PlatformBase, PlatformRegistry

from egca_plugin.adapters.verl import torch_cpu

# verl builds its process group as f"cpu:gloo,{device_name}:{backend}" (verl/utils/distributed.py:63,89): on this
# platform "cpu:gloo,cpu:gloo", which torch refuses as a duplicate. Registering that very string as a backend name,
# through torch's public hook, makes it mean plain gloo.
_DOUBLED = "cpu:gloo,cpu:gloo"


def _gloo(store: Any, rank: int, size: int, timeout: Any) -> Any:
    return dist.ProcessGroupGloo(store, rank, size, timeout)


if _DOUBLED not in dist.Backend.backend_list:
    dist.Backend.register_backend(_DOUBLED, _gloo, devices=["cpu"])


@PlatformRegistry.register(platform="cpu")
class PlatformCPU(PlatformBase):
    """A machine without an accelerator: gloo between processes, psutil for memory figures."""

    device_name = "cpu"
    vendor_name = "cpu"
    device_module: ModuleType = torch_cpu

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        return False  # never detected: only VERL_PLATFORM=cpu

    def current_device(self) -> torch.device:  # type: ignore[override]  # verl's int names an accelerator
        return torch.device("cpu")  # verl does tensor.to(get_device_id())

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None: ...

    def synchronize(self, device_index: int | None = None) -> None: ...

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None: ...

    def empty_cache(self) -> None: ...

    def get_device_capability(self, device_index: int = 0) -> tuple[int | None, int | None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextlib.contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None: ...

    def profiler_stop(self) -> None: ...

    def ray_resource_name(self) -> str:
        return "GPU"  # a label only: verl/single_controller/ray/base.py:233 counts nothing but GPU and NPU

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> Any:
        return None
