"""Rollout backend ``actor_rollout_ref.rollout.name=hf_cpu``: Hugging Face ``generate`` in a Ray actor.

verl's agent loop sends one request per sample. Requests that arrive together are generated together; each answer
carries the log-probability of every sampled token, so verl's own check of rollout against actor
(``training/rollout_probs_diff_*``) works as it does with vLLM.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from verl.utils.config import omega_conf_to_dataclass
from verl.utils.tokenizer import normalize_token_ids
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput
from verl.workers.rollout.utils import ensure_async_iterator

from egca_plugin.adapters.verl.policy_cpu import Policy, Sampling
from egca_plugin.adapters.verl.rollout_names import NAME
from egca_plugin.errors import FrameworkError

logger = logging.getLogger(__name__)

QUIET_S, LATEST_S = 0.1, 2.0  # a batch starts once no request came for QUIET_S, at the latest after LATEST_S
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def server_name(replica_rank: int) -> str:
    """The Ray name under which the actor process finds its server."""
    return f"{NAME}_server_{replica_rank}"


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One prompt that waits for its answer."""

    prompt: list[int]
    sampling: Sampling
    answer: asyncio.Future[tuple[list[int], list[float], bool]]


class HFServer:
    """The Ray actor: queues requests, batches them, and holds them back between ``abort`` and ``resume``."""

    def __init__(self, config: Any, model_config: Any, replica_rank: int) -> None:
        model = omega_conf_to_dataclass(model_config)
        tokenizer = model.tokenizer
        if config.dtype not in DTYPES:
            raise FrameworkError(
                f"actor_rollout_ref.rollout.dtype: got {config.dtype!r}, expected one of {', '.join(DTYPES)}"
            )
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        self._config = config
        self._policy = Policy(
            model.local_path, DTYPES[config.dtype], tokenizer.eos_token_id, pad, config.seed + replica_rank
        )
        self._global_steps: int | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)  # generating and loading weights exclude each other
        self._waiting: list[Request] = []
        self._drain_task: asyncio.Task[None] | None = None
        self._running = asyncio.Event()
        self._running.set()
        self._rejecting = False

    async def ready(self) -> bool:
        return True

    async def generate(
        self, prompt_ids: Any, sampling_params: dict[str, Any], request_id: str, **media: Any
    ) -> TokenOutput:
        """verl's request (LLMServerClient.generate); ``media`` is empty for a text model."""
        prompt = list(normalize_token_ids(prompt_ids))
        room = self._config.prompt_length + self._config.response_length - len(prompt)
        limit = sampling_params.get("max_tokens") or min(self._config.response_length, room)
        sampling = Sampling(
            sampling_params["temperature"], sampling_params["top_p"], sampling_params["top_k"], min(limit, room)
        )
        if sampling.limit <= 0 or self._rejecting:
            reason = "aborted" if self._rejecting else "length"
            return TokenOutput(token_ids=[], log_probs=[], stop_reason=reason, extra_fields=self._version())
        request = Request(prompt, sampling, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._drain_task is None or self._drain_task.done():
            self._drain_task = asyncio.create_task(self._drain())
        ids, logprobs, finished = await request.answer
        aborted = not finished and len(ids) < sampling.limit
        return TokenOutput(
            token_ids=ids,
            log_probs=logprobs,
            stop_reason="aborted" if aborted else "completed" if finished else "length",
            extra_fields=self._version(),
        )

    def _version(self) -> dict[str, Any]:
        return {"global_steps": self._global_steps}

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await self._settle()
            await self._running.wait()
            if not self._waiting:  # they were answered meanwhile: this server left the rotation
                return
            sampling = self._waiting[0].sampling
            batch = [r for r in self._waiting if r.sampling == sampling][: self._config.max_num_seqs]
            self._waiting = [r for r in self._waiting if r not in batch]
            batch.sort(key=lambda request: request.prompt)  # not by arrival: a seed gives the same samples again
            began = time.perf_counter()
            try:
                answers = await loop.run_in_executor(
                    self._thread, self._policy.generate, [r.prompt for r in batch], sampling
                )
            except Exception as error:  # noqa: BLE001 - handed to every caller of the batch, who raises it
                for request in batch:
                    request.answer.set_exception(error)
                continue
            for request, answer in zip(batch, answers, strict=True):
                request.answer.set_result(answer)
            logger.info(
                "%s: %d sequences, %d tokens in %.2f s with the weights of step %s",
                *(NAME, len(batch), sum(len(a[0]) for a in answers), time.perf_counter() - began, self._global_steps),
            )

    async def _settle(self) -> None:
        """Wait for the other samples of the step: a late one would wait for this whole batch."""
        deadline = time.monotonic() + LATEST_S
        seen = -1
        while seen != len(self._waiting) and time.monotonic() < deadline:
            seen = len(self._waiting)
            await asyncio.sleep(QUIET_S)

    async def load_weights(self, weights: dict[str, torch.Tensor]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._policy.load, weights)

    async def finish_weights(self, global_steps: int | None) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._policy.finish_load)
        self._global_steps = global_steps

    async def abort_all_requests(self, reject_request: bool = False) -> None:
        """Answer what is being generated as it stands; hold everything else until ``resume_generation``.

        ``reject_request``: this server leaves the rotation. Answer what waits, and what still comes, as aborted: the
        client then asks another one.
        """
        self._running.clear()
        if reject_request:
            self._rejecting = True
            waiting, self._waiting = self._waiting, []
            for request in waiting:
                request.answer.set_result(([], [], False))
        self._policy.aborted.set()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._policy.aborted.clear)

    async def resume_generation(self) -> None:
        self._rejecting = False
        self._running.set()

    # Nothing is freed on a CPU and there is no cache between requests; the trainer calls these around every phase.
    async def sleep(self) -> None: ...
    async def wake_up(self, tags: Any = None) -> None: ...
    async def clear_kv_cache(self) -> None: ...
    async def release_kv_cache(self) -> None: ...
    async def resume_kv_cache(self) -> None: ...
    async def start_profile(self, **kwargs: Any) -> None: ...
    async def stop_profile(self) -> None: ...


class HFReplica(RolloutReplica):
    """One server, placed on the node of its actor process."""

    async def launch_servers(self) -> None:
        node = await self.workers[0].__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id())
        name = f"{server_name(self.replica_rank)}{'_reward' if self.is_reward_model else ''}"
        server = (
            ray.remote(HFServer)
            .options(
                name=name,
                max_concurrency=self.max_concurrency,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote(self.config, self.model_config, self.replica_rank)
        )
        await server.ready.remote()
        self.servers = [server]
        self._server_handle, self._server_address = server, name


class HFServerAdapter(BaseRollout):
    """Lives in the actor process; pushes the full weights to its replica's server through Ray's object store."""

    def __init__(self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1, **kwargs: Any) -> None:
        super().__init__(config, model_config, device_mesh)
        per_replica = self.config.tensor_model_parallel_size * self.config.data_parallel_size
        rank = int(os.environ["RANK"])
        self._replica_rank = rank // per_replica if replica_rank == -1 else replica_rank
        self._leads = rank % per_replica == 0

    @torch.no_grad()
    async def update_weights(
        self,
        weights: Iterable[tuple[str, torch.Tensor]] | AsyncIterable[tuple[str, torch.Tensor]],
        wire_format: str = "named_tensors",
        *,
        peft_config: Any = None,
        global_steps: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Send every weight, in buckets. All ranks must consume ``weights``: producing one is a collective."""
        if peft_config is not None:
            raise FrameworkError(
                f"weight sync: got a LoRA adapter, which {NAME} cannot load beside the weights; "
                "set actor_rollout_ref.model.lora.merge=true"
            )
        if wire_format != "named_tensors":
            raise FrameworkError(f"weight sync: got the wire format {wire_format!r}, {NAME} knows 'named_tensors'")
        server = ray.get_actor(server_name(self._replica_rank)) if self._leads else None
        room = self.config.checkpoint_engine.update_weights_bucket_megabytes << 20
        bucket: dict[str, torch.Tensor] = {}
        size = 0
        async for name, tensor in ensure_async_iterator(weights):
            bucket[name] = tensor.detach().cpu()
            size += tensor.nbytes
            if size >= room:
                await self._send(server, bucket)
                bucket, size = {}, 0
        await self._send(server, bucket)
        if server is not None:
            await server.finish_weights.remote(global_steps)

    @staticmethod
    async def _send(server: Any, bucket: dict[str, torch.Tensor]) -> None:
        if server is not None and bucket:
            await server.load_weights.remote(bucket)

    async def resume(self, tags: list[str]) -> None: ...

    async def release(self) -> None: ...
