"""The CPU rollout's server: what becomes of a request when its replica leaves the rotation, or gets an adapter."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("verl")

from tiny_policy import TASKS, Tiny
from transformers import AutoTokenizer

from egca_plugin.adapters.verl.rollout_cpu import HFServer, HFServerAdapter
from egca_plugin.errors import FrameworkError

GREEDY = {"temperature": 0, "top_p": 1.0, "top_k": -1}


@pytest.fixture
def server(tiny: Tiny) -> HFServer:
    config = SimpleNamespace(dtype="float32", seed=0, prompt_length=64, response_length=8, max_num_seqs=8)
    model = SimpleNamespace(tokenizer=AutoTokenizer.from_pretrained(tiny.model), local_path=tiny.model)
    return HFServer(config, model, 0)


def ask(server: HFServer, tiny: Tiny) -> Any:
    prompt = AutoTokenizer.from_pretrained(tiny.model)(TASKS[0].prompt).input_ids
    return server.generate(prompt, GREEDY, "r")


def test_a_replica_that_leaves_the_rotation_sends_its_requests_elsewhere(server: HFServer, tiny: Tiny) -> None:
    """verl's client asks another server for what comes back as aborted; held back here it would wait for ever."""

    async def leaves() -> list[Any]:
        await server.abort_all_requests()  # as around a weight sync: hold
        held = asyncio.create_task(ask(server, tiny))
        await asyncio.sleep(0.3)
        assert not held.done()
        await server.abort_all_requests(reject_request=True)
        return [await asyncio.wait_for(held, 5), await asyncio.wait_for(ask(server, tiny), 5)]

    for answer in asyncio.run(leaves()):
        assert (answer.token_ids, answer.stop_reason) == ([], "aborted")


def test_back_in_the_rotation_it_generates(server: HFServer, tiny: Tiny) -> None:
    async def returns() -> Any:
        await server.abort_all_requests(reject_request=True)
        await server.resume_generation()
        return await asyncio.wait_for(ask(server, tiny), 60)

    answer = asyncio.run(returns())
    assert len(answer.token_ids) == len(answer.log_probs) > 0
    assert answer.stop_reason in ("completed", "length")


def test_an_adapter_that_cannot_be_loaded_names_the_setting_that_merges_it() -> None:
    adapter = object.__new__(HFServerAdapter)
    with pytest.raises(FrameworkError, match=r"model\.lora\.merge=true"):
        asyncio.run(adapter.update_weights([], peft_config={"r": 8}))
