"""EGCA inside OpenRLHF: stock where the credit is uniform, another update where it is not, and every sum kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openrlhf")

import openrlhf_runs as runs
import tiny_policy as policy
import torch
from openrlhf.models import PolicyLoss
from transformers import AutoTokenizer

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.openrlhf import settings
from egca_plugin.adapters.settings import Settings
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError, FrameworkError

KINDS = {
    **{name: f"--algo.advantage.estimator {name}" for name in settings.LEVEL},
    "sequence mean": "--actor.loss_agg_mode seq-mean-token-mean",
    "two epochs": "--train.max_epochs 2",
    "two optimizer steps": "--train.batch_size 4",
    "dual clip, entropy": "--actor.dual_clip 3 --actor.entropy_coef 0.01",
    "KL as a loss": "--algo.kl.init_coef 0.1 --algo.kl.use_loss --algo.kl.estimator k3",
    "KL in the reward": "--algo.kl.init_coef 0.1",
    "KL in the reward, dr_grpo": "--algo.kl.init_coef 0.1 --algo.advantage.estimator dr_grpo",
    "rollout correction": "--algo.advantage.is_correction_level token --algo.advantage.is_correction_threshold 0 1e9",
    "sequence mask": "--algo.advantage.is_correction_level seq --algo.advantage.is_correction_threshold 0 1e9",
    "length penalties": "--reward.overlong_buffer_len 60 --reward.stop_properly_penalty_coef 0.5",
    "dynamic batch": "",
    "zero 3": "--ds.zero_stage 3",
    "LoRA": "--ds.lora.rank 4 --ds.lora.target_modules q_proj v_proj",
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """On so small a model torch's threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=120)


@pytest.fixture(scope="module")
def reference(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("reference"), steps=60, seed=1)


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Any:
    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="module")
def executor() -> Iterator[Any]:
    judge = PoolJudge(runs.ON.egca, largest_group=runs.GROUP)
    yield runs.executor(judge)
    judge.close()


def options(model: Path, kind: str) -> Any:
    args = runs.parsed(model, *KINDS[kind].split())
    if kind == "dynamic batch":  # its parser would ask for flash-attn
        args.train.dynamic_batch_enable, args.rollout.max_tokens_per_gpu, args.train.max_tokens_per_gpu = True, 400, 300
    return args


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", KINDS)
def test_uniform_credit_is_stock_bit_for_bit_and_spans_change_the_update(
    model: Path, reference: Path, tokenizer: Any, executor: Any, kind: str
) -> None:
    args = options(model, kind)
    ref = reference if args.algo.kl.init_coef > 0 else None
    samples = runs.sampled(executor, tokenizer, args)
    lengths = [int(s.action_mask.sum()) for s in samples]
    assert len(set(lengths)) == len(lengths), "equal lengths could not tell the loss types apart"

    def run(egca: Settings | None, given: Any) -> tuple[runs.Run, dict[str, torch.Tensor]]:
        torch.manual_seed(0)  # LoRA begins at random
        one = runs.Run(model, deepcopy(args), reference=ref, egca=egca)
        before.append(one.parameters())
        return one, one.step(given)

    before: list[dict[str, torch.Tensor]] = []
    stock, stock_after = run(None, runs.bare(samples))
    assert not same(stock_after, before[0])
    uniform, uniform_after = run(runs.ON, runs.uniform(samples))
    assert same(stock_after, uniform_after)
    assert uniform.maker.metrics["egca/moved"] == 0
    spanned, spanned_after = run(runs.CONSERVE, samples)
    assert not same(stock_after, spanned_after)
    metrics = spanned.maker.metrics
    assert (metrics["egca/pass_rate"], metrics["egca/moved"]) == (1 / runs.GROUP, 3 / runs.GROUP)
    for (placed, returns, mask), (level, stock_returns, _) in zip(spanned.made, stock.made, strict=True):
        assert torch.equal(returns, stock_returns)
        assert torch.allclose((placed * mask).sum(1), (level * mask).sum(1), rtol=1e-4, atol=1e-5), "the sum is kept"


def test_switched_off_it_is_stock_bit_for_bit(model: Path, tokenizer: Any, executor: Any) -> None:
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args)
    stock = runs.Run(model, deepcopy(args)).step(runs.bare(samples))
    off = runs.Run(model, args, egca=replace(runs.ON, enabled=False))
    assert same(stock, off.step(samples))
    assert "egca/moved" not in off.maker.metrics
    assert off.maker.metrics["egca/pass_rate"] == 1 / runs.GROUP


def test_the_advantage_lies_on_the_blamed_tokens_and_nowhere_else(model: Path, tokenizer: Any, executor: Any) -> None:
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args)
    stock = runs.by_sample(runs.Run(model, deepcopy(args)).experiences(runs.bare(samples)))
    for i, (advantages, mask, ids) in runs.by_sample(runs.Run(model, args, egca=runs.ON).experiences(samples)).items():
        if i % runs.GROUP == 0:
            assert torch.equal(advantages, stock[i][0]), "a program that passes is left alone"
        if i % runs.GROUP == 1:
            (answer,) = samples[i].labels
            (span,) = answer.row.spans
            blamed = samples[i].sequences[0][answer.first :][span.start : span.end]
            assert torch.equal(ids[(advantages < 0) & mask], blamed), "to the token"
            assert tokenizer.decode(blamed) == " +"
            before = tokenizer.decode(samples[i].sequences[0][answer.first :][: span.start])
            praised = tokenizer.decode(ids[(advantages > 0) & mask])
            assert praised == before.partition("```python\n")[2], "the program, as far as it was right"


def test_the_gradient_of_openrlhfs_loss_lies_there_too(model: Path, tokenizer: Any, executor: Any) -> None:
    args = runs.parsed(model)
    for one in runs.Run(model, args, egca=runs.ON).experiences(runs.sampled(executor, tokenizer, args)):
        log_probs = one.action_log_probs.clone().requires_grad_()
        PolicyLoss()(log_probs, one.action_log_probs, one.advantages, one.action_mask)[0].backward()
        assert torch.equal(log_probs.grad != 0, (one.advantages != 0) & one.action_mask.bool())


def test_a_truncated_span_falls_back_and_is_counted(model: Path, tokenizer: Any, executor: Any) -> None:
    """The context window cuts the sample behind the executor: what the judge saw is not all that is trained on."""
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args)
    (answer,) = samples[1].labels
    cut = answer.first + answer.row.spans[0].start
    for name in ("sequences", "attention_mask"):
        setattr(samples[1], name, getattr(samples[1], name)[:, :cut])
    samples[1].action_mask = samples[1].action_mask[:, : cut - 1]
    run = runs.Run(model, args, egca=runs.ON)
    advantages, mask, _ = runs.by_sample(run.experiences(samples))[1]
    left = advantages[mask]
    assert len(left) == answer.row.spans[0].start
    assert bool((left == left[0]).all())
    assert left[0] != 0
    assert run.maker.metrics["egca/fallback/span_masked"] == 1 / len(samples)


def test_a_response_that_the_length_limit_cut_off_is_judged_as_it_was_sampled(
    model: Path, tokenizer: Any, executor: Any
) -> None:
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args, cut={0: 9})
    assert [float(sample.rewards) for sample in samples] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert bool(samples[0].truncated)


def test_a_sample_without_a_verdict_teaches_nothing_and_costs_no_other(
    model: Path, tokenizer: Any, executor: Any
) -> None:
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args)
    samples[1].labels = [replace(samples[1].labels[0], row=None)]
    run = runs.Run(model, args, egca=runs.ON)
    found = {i: advantages for i, (advantages, _, _) in runs.by_sample(run.experiences(samples)).items()}
    assert found[1].abs().max() == 0
    assert all(bool(torch.isfinite(one).all()) for one in found.values())
    assert found[2].abs().max() > 0
    assert run.maker.metrics["egca/lost_samples"] == 1


def test_praise_never_falls_on_a_fault(model: Path, tokenizer: Any, executor: Any) -> None:
    """A penalty for length can lift a blamed sample above its group."""
    args = runs.parsed(model)
    samples = runs.sampled(executor, tokenizer, args)
    samples[1].rewards = samples[1].info["reward"] = torch.tensor([2.0])
    run = runs.Run(model, args, egca=runs.ON)
    advantages, mask, _ = runs.by_sample(run.experiences(samples))[1]
    assert bool((advantages[mask] == advantages[mask][0]).all())
    assert run.maker.metrics["egca/fallback/positive_advantage"] == 1 / len(samples)


def test_an_executor_that_does_not_judge_is_named(model: Path, tokenizer: Any, executor: Any) -> None:
    args = runs.parsed(model)
    samples = runs.bare(runs.sampled(executor, tokenizer, args))
    with pytest.raises(FrameworkError, match="agent_func_path"):
        runs.Run(model, args, egca=runs.ON).experiences(samples)


def test_records_tell_of_the_tokens_as_they_were_sampled(
    model: Path, tokenizer: Any, executor: Any, tmp_path: Path
) -> None:
    args = runs.parsed(model)
    egca = replace(runs.ON, egca=replace(runs.ON.egca, records=str(tmp_path)))
    run = runs.Run(model, args, egca=egca)
    run.maker.step = 7
    run.experiences(runs.sampled(executor, tokenizer, args))
    (file,) = tmp_path.iterdir()
    lines = sorted((json.loads(line) for line in file.read_text().splitlines()), key=lambda line: line["key"])
    assert [line["key"] for line in lines[:4]] == ["7.0_0_0", "7.0_1_0", "7.0_2_0", "7.0_3_0"]
    assert [line["mode"] for line in lines[:4]] == ["correct", "logic", "syntax", "syntax"]
    assert [line["completion"] for line in lines[:4]] == [runs.says(policy.TASKS[0], place) for place in range(4)]
    assert lines[1]["credited_text"] == [" +"]
    assert lines[0]["group_advantage"] > 0 > lines[1]["group_advantage"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("--actor.policy_loss_type gspo", "policy_loss_type"),
        ("--algo.advantage.estimator gae", "estimator"),
        ("--algo.advantage.estimator reinforce --algo.advantage.gamma 0.9", "gamma"),
        ("--algo.advantage.estimator reinforce_baseline --algo.kl.init_coef 0.01", "use_loss"),
        ("--data.label_key answer", "label_key"),
        ("--vllm.num_engines 0", "num_engines"),
        ("--reward.model_name_or_path judge", "reward.model_name_or_path"),
    ],
)
def test_what_would_do_nothing_or_harm_is_refused(model: Path, more: str, named: str) -> None:
    args = runs.parsed(model, *more.split())
    with pytest.raises(ConfigError, match=named):
        settings.check(runs.ON, args)


def test_it_learns_what_was_sampled(model: Path) -> None:
    with pytest.raises(ConfigError, match=r"egca\.credit: got 'counterfactual', .* with OpenRLHF"):
        settings.check(Settings(True, EgcaConfig(credit="counterfactual")), runs.parsed(model))


def test_praise_is_of_the_size_of_one_group(model: Path) -> None:
    praising = Settings(True, EgcaConfig(credit="decision", praise=0.5, traces=""))
    whitened = runs.parsed(model, "--algo.advantage.estimator", "reinforce_baseline")
    assert settings.check(runs.ON, whitened).egca == replace(runs.ON.egca, praise=0.0), "a default is left out"
    with pytest.raises(ConfigError, match=r"egca\.praise: .*reinforce_baseline"):
        settings.check(praising, whitened)
    for estimator in settings.OF_A_GROUP:
        assert settings.check(praising, runs.parsed(model, "--algo.advantage.estimator", estimator)) == praising


def test_without_placing_every_estimator_and_loss_may_train(model: Path) -> None:
    args = runs.parsed(model, *["--algo.advantage.estimator", "gae", "--actor.policy_loss_type", "gspo"])
    off = replace(runs.ON, enabled=False)
    assert settings.check(off, args) == off


def test_the_bank_may_lie_beside_the_checkpoints(model: Path) -> None:
    chosen = replace(runs.ON, egca=replace(runs.ON.egca, bank="checkpoints"))
    found = settings.check(chosen, runs.parsed(model, "--ckpt.path", "out/ckpt"))
    assert found.egca.bank == "out/ckpt/egca_bank"
