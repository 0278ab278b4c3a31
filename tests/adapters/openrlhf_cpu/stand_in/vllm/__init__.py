"""What OpenRLHF uses of vLLM, over Hugging Face's generate: one sequence a time, weights from the trainer."""

from __future__ import annotations

import asyncio
import importlib
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

__version__ = "0.29.0"


@dataclass
class SamplingParams:
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    max_tokens: int | None = None
    min_tokens: int = 1
    skip_special_tokens: bool = False
    logprobs: int | None = None


class AsyncEngineArgs:
    def __init__(
        self, model: str, worker_extension_cls: str = "", seed: int = 0, dtype: str = "bfloat16", **rest: Any
    ) -> None:
        self.model, self.worker_extension_cls, self.seed, self.dtype = model, worker_extension_cls, seed, dtype


class _Weights:
    """The policy as a worker's ``model_runner.model``."""

    def __init__(self, model: Any) -> None:
        self._own = model.state_dict()

    def load_weights(self, weights: Any) -> None:
        for name, tensor in weights:
            self._own[name].copy_(tensor)


class AsyncLLMEngine:
    @classmethod
    def from_engine_args(cls, args: AsyncEngineArgs) -> AsyncLLMEngine:
        return cls(args)

    def __init__(self, args: AsyncEngineArgs) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        torch.manual_seed(args.seed)
        self.model = AutoModelForCausalLM.from_pretrained(args.model, dtype=getattr(torch, args.dtype)).eval()
        if not torch.distributed.is_initialized():
            store = f"file://{tempfile.mkdtemp()}/store"
            torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
        module, _, name = args.worker_extension_cls.rpartition(".")
        self.worker = getattr(importlib.import_module(module), name)()
        self.worker.device = torch.device("cpu")
        self.worker.model_config = SimpleNamespace(dtype=self.model.dtype)
        self.worker.model_runner = SimpleNamespace(model=_Weights(self.model))
        self._thread = ThreadPoolExecutor(1)
        self._running = 0
        self.output_processor = SimpleNamespace(get_num_unfinished_requests=lambda: self._running)
        self._go = asyncio.Event()
        self._go.set()

    async def is_sleeping(self) -> bool:
        return False

    async def sleep(self, level: int = 1) -> None: ...
    async def wake_up(self, tags: Any = None) -> None: ...
    async def reset_prefix_cache(self) -> None: ...

    async def pause_generation(self, mode: str = "") -> None:
        self._go.clear()

    async def resume_generation(self) -> None:
        self._go.set()

    async def collective_rpc(self, method: str, args: tuple[Any, ...] = ()) -> list[Any]:
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(self._thread, lambda: getattr(self.worker, method)(*args))]

    async def generate(self, prompt: Any, params: SamplingParams, request_id: str) -> AsyncIterator[Any]:
        self._running += 1
        try:
            await self._go.wait()
            loop = asyncio.get_running_loop()
            yield await loop.run_in_executor(self._thread, self._generate, prompt["prompt_token_ids"], params)
        finally:
            self._running -= 1

    def _generate(self, ids: list[int], params: SamplingParams) -> Any:
        import torch

        with torch.inference_mode():
            out = self.model.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                do_sample=params.temperature > 0,
                temperature=params.temperature or None,
                top_p=params.top_p,
                top_k=0,
                max_new_tokens=params.max_tokens,
                min_new_tokens=params.min_tokens,
                return_dict_in_generate=True,
                output_logits=True,
            )
        new = out.sequences[0, len(ids) :].tolist()
        logprobs = None
        if params.logprobs is not None:
            each = [torch.log_softmax(logits[0].float() / params.temperature, -1) for logits in out.logits]
            logprobs = [
                {token: SimpleNamespace(logprob=float(one[token]))} for token, one in zip(new, each, strict=True)
            ]
        stopped = new[-1] == self.model.generation_config.eos_token_id
        one = SimpleNamespace(token_ids=new, text="", finish_reason="stop" if stopped else "length", logprobs=logprobs)
        return SimpleNamespace(outputs=[one])
