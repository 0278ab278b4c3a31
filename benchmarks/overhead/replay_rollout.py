"""Rollout backend ``actor_rollout_ref.rollout.name=replay``: recorded responses, at a set pace.

A request waits as long as a server would take that decodes all requests together at ``tokens_per_s`` each, and gets
the next recorded response to its prompt. The core is idle meanwhile, as it is beside an accelerator. Weights are
received and dropped, so that their transport is paid for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from verl.utils import normalize_token_ids
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from benchmarks.overhead import replay_file
from egca_plugin.adapters.verl.rollout_cpu import server_name
from egca_plugin.errors import SampleError


class ReplayServer:
    """The Ray actor behind the name; its methods are those that verl calls of a rollout server."""

    def __init__(self, config: Any, model_config: Any) -> None:
        self._tokenizer = omega_conf_to_dataclass(model_config).tokenizer
        responses, self._pace = replay_file.read()
        self._limit = config.response_length
        self._responses = {number: [self._ids(text) for text in texts] for number, texts in responses.items()}
        self._asked: Counter[int] = Counter()
        self._global_steps: int | None = None

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return [*ids, self._tokenizer.eos_token_id][: self._limit]

    async def ready(self) -> bool:
        return True

    async def generate(
        self, prompt_ids: Any, sampling_params: dict[str, Any], request_id: str, **media: Any
    ) -> TokenOutput:
        """The next recorded response. Raises SampleError for a prompt that was not recorded."""
        text = self._tokenizer.decode(normalize_token_ids(prompt_ids))
        number = replay_file.number_of(text)
        if number not in self._responses:
            raise SampleError(f"replay: no recorded response to the prompt {text!r:.120}")
        ids = self._responses[number][self._asked[number] % len(self._responses[number])]
        self._asked[number] += 1
        await asyncio.sleep(len(ids) / self._pace)
        return TokenOutput(
            token_ids=list(ids),
            log_probs=[0.0] * len(ids),
            stop_reason="completed",
            extra_fields={"global_steps": self._global_steps},
        )

    async def load_weights(self, weights: dict[str, torch.Tensor]) -> None: ...

    async def finish_weights(self, global_steps: int | None) -> None:
        self._global_steps = global_steps

    async def abort_all_requests(self, reject_request: bool = False) -> None: ...
    async def resume_generation(self) -> None: ...
    async def sleep(self) -> None: ...
    async def wake_up(self, tags: Any = None) -> None: ...
    async def clear_kv_cache(self) -> None: ...
    async def release_kv_cache(self) -> None: ...
    async def resume_kv_cache(self) -> None: ...
    async def start_profile(self, **kwargs: Any) -> None: ...
    async def stop_profile(self) -> None: ...


class ReplayReplica(RolloutReplica):
    """One server on the actor's node, under the name at which the CPU rollout's adapter sends the weights."""

    async def launch_servers(self) -> None:
        node = await self.workers[0].__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id())
        name = server_name(self.replica_rank)
        place = NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"name": name, "max_concurrency": self.max_concurrency, "scheduling_strategy": place}
        server = ray.remote(ReplayServer).options(**options).remote(self.config, self.model_config)
        await server.ready.remote()
        self.servers = [server]
        self._server_handle, self._server_address = server, name
