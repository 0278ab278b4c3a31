"""examples/grpo_loop.py on the tiny policy: a trainer that knows nothing of EGCA but two calls."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import tiny_policy as policy
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import egca_plugin as egca

EXAMPLE = Path(__file__).parents[2] / "examples" / "grpo_loop.py"


@pytest.mark.slow
def test_the_example_trains_and_puts_the_advantage_on_fewer_tokens(tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = policy.build(tmp_path / "model")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    before = [one.detach().clone() for one in model.parameters()]
    train = runpy.run_path(str(EXAMPLE))["train"]
    with egca.Judge(workers=1) as judge:
        steps = list(train(model, tokenizer, policy.TASKS, judge, steps=4, tokens=40, rate=1e-3))
    rewards, shares = zip(*steps, strict=True)
    assert 0 < sum(rewards) / len(rewards) < 1
    assert min(shares) < 0.9
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


def test_the_example_is_as_short_as_it_is_said_to_be() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 60
