"""vLLM on a CPU, given other weights while it serves: prints as JSON what it then answers, and how likely that is.

As in a run of verl, the engine is a process of its own, which imports verl by its worker extension, and so the plugin.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import verl  # noqa: F401 - loads the plugin

PROMPT = [1, 9690, 198, 2683, 359]
# (name, factor of the MLP's last layers, packed anew as verl does behind a transfer)
STAGES = (("changed", 0.3, True), ("restored", 1.0, True), ("stale", 0.3, False))


class Reload:
    """A worker extension, as verl's: its methods are called in vLLM's worker."""

    model_runner: Any

    def load(self, factor: float, pack: bool) -> None:
        """The weights of MODEL with its down projections times ``factor``, in the way of verl's extension."""
        import torch
        from safetensors.torch import load_file
        from vllm.model_executor.model_loader.utils import process_weights_after_loading

        weights = load_file(Path(os.environ["MODEL"]) / "model.safetensors")
        model = self.model_runner.model
        model.load_weights((name, w * factor if "down_proj" in name else w) for name, w in weights.items())
        if pack:
            process_weights_after_loading(model, self.model_runner.model_config, torch.device("cpu"))


def main() -> None:
    from vllm import LLM, SamplingParams

    model = LLM(
        model=os.environ["MODEL"],
        dtype="float32",
        enforce_eager=True,
        max_model_len=256,
        max_num_seqs=4,
        kv_cache_memory_bytes=1 << 28,
        worker_extension_cls="vllm_reload.Reload",
        disable_log_stats=True,
    )

    def answer() -> list[Any]:
        model.reset_prefix_cache()
        greedy = SamplingParams(temperature=0, max_tokens=4, logprobs=0)
        (said,) = model.generate([{"prompt_token_ids": PROMPT}], greedy, use_tqdm=False)[0].outputs
        total = sum(found[token].logprob for token, found in zip(said.token_ids, said.logprobs, strict=True))
        return [list(said.token_ids), round(total, 4)]

    answers = {"first": answer()}
    for name, factor, pack in STAGES:
        model.collective_rpc("load", args=(factor, pack))
        answers[name] = answer()
    print(f"\n{json.dumps(answers)}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
