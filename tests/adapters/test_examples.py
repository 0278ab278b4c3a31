"""The examples of other frameworks, on stand-ins of the few classes of theirs that they touch."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

import tiny_policy as policy
import torch
from transformers import AutoTokenizer

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.config import EgcaConfig
from egca_plugin.tasks import parquet

EXAMPLES = Path(__file__).parents[2] / "examples" / "adapters"
TASK = policy.otherwise(policy.TASKS[0])
TEXTS = policy.answers(policy.TASKS[0])
BEGUN = TEXTS[1].partition("```python\n")[2].partition(" + 5")[0]  # the program in front of its fault


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(policy.build(tmp_path_factory.mktemp("model"), steps=0))


@pytest.fixture(scope="module")
def judge() -> Iterator[PoolJudge]:
    pool = PoolJudge(EgcaConfig(traces=""), largest_group=len(TEXTS))
    yield pool
    pool.close()


@pytest.fixture
def sampled(tokenizer: Any) -> list[list[int]]:
    return [[*tokenizer(text).input_ids, tokenizer.eos_token_id] for text in TEXTS]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def credited(tokenizer: Any, ids: Any, advantages: Any) -> tuple[str, str]:
    """What is praised, and what is blamed."""
    signs = [[token for token, one in zip(ids, advantages, strict=True) if one * sign > 0] for sign in (1, -1)]
    return str(tokenizer.decode(signs[0])), str(tokenizer.decode(signs[1]))


def test_a_datum_of_tinkers_has_the_advantage_on_the_blamed_targets(
    tokenizer: Any, judge: PoolJudge, sampled: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        import tinker  # noqa: F401
    except ImportError:
        stand_in = ModuleType("tinker")
        stand_in.Datum = SimpleNamespace  # type: ignore[attr-defined]
        stand_in.ModelInput = SimpleNamespace(from_ints=list)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "tinker", stand_in)
    prompt = tokenizer(TASK.prompt).input_ids
    given = [(ids, [-0.5] * len(ids)) for ids in sampled]
    found = example("tinker_datum").datums(TASK, prompt, given, judge, tokenizer)
    for datum, ids in zip(found, sampled, strict=True):
        inputs = {name: getattr(one, "data", one) for name, one in datum.loss_fn_inputs.items()}
        assert list(inputs["target_tokens"]) == [*prompt[1:], *ids]
        assert {len(one) for one in inputs.values()} == {len(prompt) + len(ids) - 1}
        assert not any(inputs["advantages"][: len(prompt) - 1])
    right, wrong = (datum.loss_fn_inputs["advantages"] for datum in found[:2])
    right, wrong = getattr(right, "data", right), getattr(wrong, "data", wrong)
    assert set(right[len(prompt) - 1 :]) == {right[-1]}
    assert credited(tokenizer, sampled[1], wrong[len(prompt) - 1 :]) == (BEGUN, " +")


def test_ms_swifts_trainer_places_what_its_reward_function_judged(
    tokenizer: Any, judge: PoolJudge, sampled: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trainer:
        """What the plugin extends: advantages one a token, and one micro batch."""

        importance_sampling_level, num_generations, processing_class = "token", len(TEXTS), tokenizer

        def split_by_mini_batches(self, samples: Any) -> Any:
            return [samples]

        def _postprocess_batch(self, samples: Any, batch_encoded_inputs: Any) -> None:
            batch = batch_encoded_inputs[0]["grpo_batch"]
            batch.advantages = torch.tensor([1.5, -0.5, -0.5, -0.5]).unsqueeze(1) * batch.completion_mask

    orms: dict[str, Any] = {}
    factory = SimpleNamespace(TRAINER_MAPPING={})
    for name, brings in {
        "swift": {},
        "swift.rewards": {"ORM": object, "orms": orms},
        "swift.rlhf_trainers": {"GRPOTrainer": Trainer},
        "swift.trainers": {"TrainerFactory": factory},
    }.items():
        module = ModuleType(name)
        module.__dict__.update(brings)
        monkeypatch.setitem(sys.modules, name, module)
    plugin = example("ms_swift")
    monkeypatch.setattr(plugin, "PoolJudge", lambda *_, **__: judge)
    assert factory.TRAINER_MAPPING == {"grpo": "ms_swift.EgcaGRPOTrainer"}
    trainer = plugin.EgcaGRPOTrainer()
    task = parquet.encode(TASK)
    rewards = orms["egca"]()(TEXTS, task=[task] * len(TEXTS), response_token_ids=[[ids] for ids in sampled])
    assert rewards == [1.0, 0.0, 0.0, 0.0]
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(ids)) for ids in sampled], batch_first=True)
    mask = torch.nn.functional.pad(mask, (2, 0))  # two columns of prompt
    batch = SimpleNamespace(completion_mask=mask, advantages=None)
    samples = [SimpleNamespace(extra={"task": task}, response_token_ids=[ids]) for ids in sampled]
    trainer._postprocess_batch(samples, [{"grpo_batch": batch}])
    assert set(batch.advantages[0][mask[0].bool()].tolist()) == {1.5}
    assert credited(tokenizer, sampled[1], batch.advantages[1][2 : 2 + len(sampled[1])]) == (BEGUN, " +")
