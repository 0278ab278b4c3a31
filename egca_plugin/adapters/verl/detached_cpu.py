"""verl's actor worker of separate asynchronous training, on a CPU.

Within a ``parameter_sync_step`` cycle verl puts the rollout's weights aside to compute old log-probabilities with, and
brings them back. It puts them aside with ``tensor.cpu()`` (fsdp_utils.py:1180), which copies from an accelerator. From
a CPU it copies nothing: what was put aside would be trained on, and every old log-probability but the first be wrong.
"""

from __future__ import annotations

from verl.experimental.separation.engine_workers import DetachActorWorker
from verl.single_controller.base.decorator import Dispatch, register


class CpuDetachActorWorker(DetachActorWorker):
    """Puts copies aside."""

    @register(dispatch_mode=Dispatch.ONE_TO_ALL)  # type: ignore[attr-defined]  # an enum that grows as it runs
    def save_model_to_cpu(self, n: int) -> None:
        """Copy this rank's shards under the key ``n``; FSDP2 only, the engine of the CPU platform."""
        super().save_model_to_cpu(n)
        shards, spec = self.cpu_saved_models[n]
        copies = {name: (tensor.clone(), placed) for name, (tensor, placed) in shards.items()}
        self.cpu_saved_models[n] = (copies, spec)
