"""The CPU rollout's policy: its log-probabilities are the policy's, and stale weights are noticed."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("verl")

import torch
from tiny_policy import Tiny

from egca_plugin.adapters.verl.policy_cpu import Policy, Sampling
from egca_plugin.errors import FrameworkError

PROMPTS = [[2, 40, 41, 42], [2, 50]]


@pytest.fixture
def policy(tiny: Tiny) -> Policy:
    return Policy(str(tiny.model), torch.float32, eos=0, pad=1, seed=0)


def logprobs(model: Any, prompt: list[int], answer: list[int], temperature: float) -> torch.Tensor:
    """What an actor computes: one forward pass over the whole sequence."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits.float() / temperature, -1).gather(1, torch.tensor(answer)[:, None]).squeeze(1)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_are_those_of_a_forward_pass(policy: Policy, temperature: float) -> None:
    """Prompts of unequal length in one batch: padding and positions must not leak in."""
    answers = policy.generate(PROMPTS, Sampling(temperature, 1.0, -1, 24))
    for prompt, (ids, said, finished) in zip(PROMPTS, answers, strict=True):
        assert len(ids) == len(said)
        assert finished == (ids[-1] == 0)
        assert torch.allclose(torch.tensor(said), logprobs(policy.model, prompt, ids, temperature), atol=1e-4)


def test_a_groups_prompt_is_read_once_and_says_what_it_would_alone(policy: Policy) -> None:
    group = [PROMPTS[0]] * 3 + [PROMPTS[1]] * 3
    read: list[tuple[int, ...]] = []

    def watch(model: Any, args: Any, inputs: dict[str, Any]) -> None:
        read.append(tuple(inputs["input_ids"].shape))

    policy.model.register_forward_pre_hook(watch, with_kwargs=True)
    greedy = Sampling(0, 1.0, -1, 16)
    answers = policy.generate(group, greedy)
    assert read[:2] == [(2, 3), (6, 1)]  # two prompts of up to four tokens but the last, then six samples by the token
    alone = [policy.generate([prompt], greedy)[0] for prompt in PROMPTS]
    assert [ids for ids, _, _ in answers] == [ids for ids, _, _ in alone for _ in range(3)]
    sampled = policy.generate(group, Sampling(1.0, 1.0, -1, 24))
    assert len({tuple(ids) for ids, _, _ in sampled[:3]}) == 3
    for prompt, (ids, said, _) in zip(group, sampled, strict=True):
        assert torch.allclose(torch.tensor(said), logprobs(policy.model, prompt, ids, 1.0), atol=1e-4)


def test_temperature_zero_is_greedy(policy: Policy) -> None:
    first, second = (policy.generate(PROMPTS[:1], Sampling(0, 1.0, -1, 16)) for _ in range(2))
    assert first == second


def test_new_weights_are_used(policy: Policy) -> None:
    before = policy.generate(PROMPTS, Sampling(0, 1.0, -1, 16))
    torch.manual_seed(1)
    policy.load({name: torch.randn_like(p) for name, p in policy.model.named_parameters()})
    policy.finish_load()
    assert policy.generate(PROMPTS, Sampling(0, 1.0, -1, 16)) != before


def test_a_parameter_that_was_not_sent_is_named(policy: Policy) -> None:
    sent = {name: p.clone() for name, p in policy.model.named_parameters() if "norm" not in name}
    policy.load(sent)
    with pytest.raises(FrameworkError, match="were not sent by the actor"):
        policy.finish_load()


def test_a_parameter_that_is_not_ours_is_named(policy: Policy) -> None:
    with pytest.raises(FrameworkError, match=r"model\.nonsense"):
        policy.load({"model.nonsense": torch.zeros(1)})


def test_an_abort_answers_with_what_there_is(policy: Policy) -> None:
    policy.eos = {10**6}  # never sampled: only the abort can end it
    threading.Timer(0.2, policy.aborted.set).start()
    ((ids, said, finished),) = policy.generate(PROMPTS[:1], Sampling(1.0, 1.0, -1, 100_000 // 250))
    assert not finished
    assert len(ids) == len(said) >= 1
