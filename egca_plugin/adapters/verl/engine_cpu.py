"""verl's own FSDP engine under the device name ``cpu``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from verl.workers.engine import EngineRegistry, FSDPEngineWithLMHead


@EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")
class CpuFSDPEngine(FSDPEngineWithLMHead):
    """verl's engine, which offloads a reference model from the accelerator to pinned memory: neither is there."""

    def _build_fsdp_module(self, module: Any) -> Any:
        config = self.engine_config
        # fsdp/transformer_impl.py:459 takes forward_only as the wish to offload; pinning needs an accelerator.
        self.engine_config = replace(config, forward_only=False, offload_policy=False)
        try:
            return super()._build_fsdp_module(module)
        finally:
            self.engine_config = config
