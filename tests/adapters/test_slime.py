"""slime's functions: what they refuse, and what they say where a flag is missing. The laws are in ``conformance/``."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("transformers")

import tiny_policy as policy
import torch
from transformers import AutoTokenizer

from egca_plugin.adapters import slime
from egca_plugin.errors import ConfigError, FrameworkError
from egca_plugin.pipeline import Group
from egca_plugin.tasks import parquet
from egca_plugin.types import Credit, Mode, Outcome

HERE = "egca_plugin.adapters.slime"
FINE = Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=0)


def options(**settings: Any) -> Namespace:
    flags = {
        "group_rm": True,
        "custom_reward_post_process_path": f"{HERE}.place",
        "custom_advantage_function_path": f"{HERE}.advantages",
        "advantage_estimator": "grpo",
        "n_samples_per_prompt": 2,
        "rollout_batch_size": 1,
        "rewards_normalization": True,
        "grpo_std_normalization": True,
    }
    return Namespace(**{**flags, **settings})


class Seen:
    """A judge that passes all, and keeps what it was asked."""

    def __init__(self) -> None:
        self.groups: list[Group] = []

    async def __call__(self, group: Group) -> list[Credit]:
        self.groups.append(group)
        return [FINE] * len(group.completions)


@pytest.fixture
def opened(model: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Namespace, Seen]:
    seen = Seen()
    monkeypatch.setattr(slime, "PoolJudge", lambda *_, **__: seen)
    args = options(hf_checkpoint=str(model))
    slime._of(args)
    return args, seen


def sample(model: Path, label: Any, text: str = "x") -> SimpleNamespace:
    ids = AutoTokenizer.from_pretrained(model)(text).input_ids
    about = {"group_index": 0, "prompt": "p", "label": label, "metadata": {"own": 1}, "loss_mask": None}
    return SimpleNamespace(
        tokens=[0, 0, *ids], response_length=len(ids), remove_sample=False, get_reward_value=lambda args: 1.0, **about
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"group_rm": False}, "--group-rm is not set"),
        ({"custom_reward_post_process_path": None}, r"--custom-reward-post-process-path: expected .*slime\.place"),
        ({"custom_advantage_function_path": None}, r"--custom-advantage-function-path: expected .*slime\.advantages"),
        ({"advantage_estimator": "gspo"}, "--advantage-estimator: got 'gspo', expected one of grpo, cispo"),
        ({"normalize_advantages": True}, "--normalize-advantages"),
        ({"egca": "on"}, "egca: got 'on', expected off, one of verified, paper"),
        ({"egca": {"scal": "unit"}}, r"egca\.scal: no such setting"),
        ({"egca": {"credit": "counterfactual"}}, r"egca\.credit: got 'counterfactual', .* with slime"),
        (
            {"egca": {"credit": "decision", "praise": 0.5}, "rewards_normalization": False},
            r"egca\.praise: got 0\.5, expected 0 or none with --disable-rewards-normalization",
        ),
    ],
)
def test_what_would_do_nothing_or_harm_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        slime.check(options(**settings))


def test_a_default_that_cannot_be_had_is_left_out() -> None:
    assert slime.check(options()).egca.praise_share == 0.5
    assert slime.check(options(rewards_normalization=False)).egca.praise_share == 0.0


def test_settings_come_from_slimes_own_configuration_file() -> None:
    """YAML reads the bare word off as false."""
    assert [slime.check(options(egca=word)).enabled for word in ("off", False, None, "paper")] == [
        False,
        False,
        True,
        True,
    ]
    assert slime.check(options(egca={"scale": "conserve"})).egca.scale == "conserve"
    assert not slime.check(options(egca="off", normalize_advantages=True)).enabled


def test_a_sample_alone_is_evaluation_and_only_judged(model: Path, opened: tuple[Namespace, Seen]) -> None:
    args, seen = opened
    one = sample(model, parquet.encode(policy.TASKS[0]))
    assert asyncio.run(slime.reward(args, one)) == 1.0
    assert asyncio.run(slime.reward(args, [one, one])) == [1.0, 1.0]
    assert [(len(group.completions), group.judge_only) for group in seen.groups] == [(1, True), (2, False)]


def test_what_the_loss_leaves_out_is_not_read(model: Path, opened: tuple[Namespace, Seen]) -> None:
    args, seen = opened
    one = sample(model, parquet.encode(policy.TASKS[0]), "x = 1\nx = 2")
    own = len(AutoTokenizer.from_pretrained(model)("x = 1").input_ids)
    one.loss_mask = [1] * own + [0] * (one.response_length - own)
    asyncio.run(slime.reward(args, one))
    assert [completion.text for completion in seen.groups[0].completions] == ["x = 1\n"]


def test_a_label_may_be_the_struct_around_the_task(model: Path, opened: tuple[Namespace, Seen]) -> None:
    args, seen = opened
    row = parquet.row(policy.TASKS[0], data_source="x", split="train", index=0)
    asyncio.run(slime.reward(args, [sample(model, row["reward_model"])]))
    assert seen.groups[0].task == policy.TASKS[0]


def test_a_label_without_tests_gives_reward_0(model: Path, opened: tuple[Namespace, Seen]) -> None:
    args, seen = opened
    one = sample(model, "42")
    assert asyncio.run(slime.reward(args, [one])) == [0.0]
    assert one.metadata[slime.KEY].credit.reason == "bad_task"
    assert not seen.groups


def test_a_rollout_of_several_samples_is_refused(opened: tuple[Namespace, Seen]) -> None:
    with pytest.raises(FrameworkError, match="several samples"):
        asyncio.run(slime.reward(opened[0], [[SimpleNamespace()]]))


def test_where_a_step_before_was_left_out_it_is_named(model: Path, opened: tuple[Namespace, Seen]) -> None:
    with pytest.raises(FrameworkError, match="--custom-rm-path"):
        slime.place(opened[0], [sample(model, "42")])
    with pytest.raises(FrameworkError, match="--custom-reward-post-process-path"):
        slime.advantages(opened[0], {"rewards": [0.5], "kl": [torch.zeros(1)], "total_lengths": [2]})


def test_of_a_removed_sample_nothing_is_credited(model: Path, opened: tuple[Namespace, Seen]) -> None:
    args, _ = opened
    samples = [sample(model, parquet.encode(policy.TASKS[0])) for _ in range(2)]
    samples[0].remove_sample = True
    asyncio.run(slime.reward(args, samples))
    raw, rides = slime.place(args, samples)
    assert raw == [1.0, 1.0]
    assert [len(ride) for ride in rides] == [1 + one.response_length for one in samples]
    assert samples[0].metadata == {"own": 1}


def test_a_rank_of_context_parallelism_takes_its_part_by_slimes_own_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = ModuleType("slime.backends.megatron_utils.cp_utils")
    cut.slice_log_prob_with_cp = lambda line, total, length: line[1:3]  # type: ignore[attr-defined]
    for name in ("slime", "slime.backends", "slime.backends.megatron_utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, cut.__name__, cut)
    data: dict[str, Any] = {"rewards": [[0.5, 1.0, 2.0, 3.0]], "kl": [torch.zeros(2)], "total_lengths": [5]}
    slime.advantages(options(), data)
    assert data["advantages"][0].tolist() == [2.0, 3.0]
    assert data["returns"][0].tolist() == [2.0, 3.0]
    assert data["rewards"] == [0.5]
