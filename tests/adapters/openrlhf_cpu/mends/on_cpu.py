"""What OpenRLHF and vLLM ask of a GPU, answered by a CPU; each mend is made when what it mends is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from egca_plugin.adapters.verl.hooks import after_import

PIECE = 1 << 20  # numbers: torch 2.13's store takes 8 MiB at a time


class Device(str):
    """``tensor.to(x)`` reads it as "cpu", ``f"cuda:{x}"`` as "cuda:0"."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return "0"


def torch_without_cuda(torch: Any) -> None:
    torch.cuda.current_device = lambda: Device("cpu")
    torch.cuda.set_device = lambda device: None
    torch.cuda.synchronize = lambda device=None: None
    torch.cuda.current_stream = lambda device=None: None
    empty = torch.empty

    def empty_here(*size: Any, **kwargs: Any) -> Any:
        return empty(*size, **{**kwargs, "device": "cpu"} if kwargs.get("device") == "cuda" else kwargs)

    torch.empty = empty_here


def mesh_of_cpus(module: Any) -> None:
    init = module.init_device_mesh
    module.init_device_mesh = lambda kind, *args, **kwargs: init("cpu" if kind == "cuda" else kind, *args, **kwargs)


def weights_over_the_store(module: Any) -> None:
    class OverStore:
        """Weights through the store of vLLM's own stateless group, in place of NCCL."""

        def __init__(self, group: Any, device: Any = None) -> None:
            self.group = group

        def broadcast(self, tensor: Any, src: int, stream: Any = None) -> None:
            for piece in tensor.detach().contiguous().view(-1).split(PIECE):
                found = self.group.broadcast(piece.clone(), src)  # a view is pickled with its whole storage
                if self.group.rank != src:
                    piece.copy_(found)  # into the tensor: what is received into was made contiguous

    module.PyNcclCommunicator = OverStore


def patient_store(module: Any) -> None:
    """Engines on a loaded CPU take more than vLLM's 300 s to start."""
    create = module.StatelessProcessGroup.create
    module.StatelessProcessGroup.create = staticmethod(lambda *a, **k: create(*a, **{"store_timeout": 1800, **k}))


def plain_weights(module: Any) -> None:
    """vLLM repacks a CPU's weights once they are loaded and can load no others; OpenRLHF loads after every step."""

    def dispatch(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = sys.modules["torch"].nn.functional.linear

    module.dispatch_cpu_unquantized_gemm = dispatch


MENDS: dict[str, Callable[[Any], None]] = {
    "torch": torch_without_cuda,
    "torch.distributed.device_mesh": mesh_of_cpus,
    "vllm.distributed.device_communicators.pynccl": weights_over_the_store,
    "vllm.distributed.utils": patient_store,
    "vllm.model_executor.layers.utils": plain_weights,
}


def install() -> None:
    """In this process. Modules that are imported already are mended now."""
    for name, mend in MENDS.items():
        after_import(name, lambda name=name, mend=mend: mend(sys.modules[name]))
