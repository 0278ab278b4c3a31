"""verl's own FSDP engine, unchanged, under the device name ``cpu``."""

from __future__ import annotations

from verl.workers.engine import EngineRegistry, FSDPEngineWithLMHead

EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")(FSDPEngineWithLMHead)
