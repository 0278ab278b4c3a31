"""EGCA inside TRL: stock where the credit is uniform, another update where it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

import tiny_policy as policy
import torch
import trl_runs as runs
from datasets import Dataset, load_dataset
from trl import GRPOTrainer

from egca_plugin.adapters.trl import EgcaGRPOTrainer
from egca_plugin.adapters.trl.judging import PoolJudge
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.praise import of_passing
from egca_plugin.errors import TaskError

pytestmark = pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")

RUNS = [
    *({"loss_type": loss} for loss in ("dapo", "grpo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo")),
    {"num_iterations": 2, "max_steps": 2},
    {"steps_per_generation": 2, "per_device_train_batch_size": runs.GROUP, "max_steps": 2},
    {"scale_rewards": "batch", "beta": 0.1},
    {"multi_objective_aggregation": "normalize_then_sum", "off_policy_mask_threshold": 0.5},
]
CONSERVE = EgcaConfig(scale="conserve", traces="")
BLAMED = " + 5"  # what the wrong answer of tiny_policy has too much


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """On so small a model torch's threads wait for each other: 80 times as long on a machine with other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=120)


@pytest.fixture(scope="module")
def judge() -> Iterator[PoolJudge]:
    pool = PoolJudge(EgcaConfig(traces=""), largest_group=runs.GROUP)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def plain(model: Path, judge: PoolJudge, tmp_path_factory: pytest.TempPathFactory) -> EgcaGRPOTrainer:
    """For tests that only score a batch."""
    return runs.ours(model, tmp_path_factory.mktemp("plain"), judge)


def parameters(trainer: GRPOTrainer) -> dict[str, torch.Tensor]:
    trainer.train()
    return {name: value.detach().clone() for name, value in trainer.model.named_parameters()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def last_log(trainer: GRPOTrainer) -> dict[str, float]:
    """Of the last step that generated."""
    return next(log for log in reversed(trainer.state.log_history) if "egca/pass_rate" in log)


@pytest.mark.parametrize("settings", RUNS, ids=lambda s: "-".join(map(str, s.values())))
def test_uniform_credit_is_stock_bit_for_bit_and_spans_change_the_update(
    model: Path, judge: PoolJudge, tmp_path: Path, settings: dict[str, Any]
) -> None:
    stock = parameters(runs.stock(model, tmp_path, **settings))
    assert same(stock, parameters(runs.ours(model, tmp_path, runs.Uniform(judge), **settings)))
    spanned = runs.ours(model, tmp_path, judge, **settings)
    assert not same(stock, parameters(spanned))
    log = last_log(spanned)
    assert (log["egca/pass_rate"], log["egca/moved"]) == (1 / runs.GROUP, 3 / runs.GROUP)
    assert 0 < log["egca/mass/max"] < 0.5
    assert log["rewards/egca/mean"] == 1 / runs.GROUP


def test_switched_off_it_is_stock_bit_for_bit(model: Path, judge: PoolJudge, tmp_path: Path) -> None:
    stock = parameters(runs.stock(model, tmp_path))
    off = runs.ours(model, tmp_path, judge, egca="off")
    assert same(stock, parameters(off))
    log = last_log(off)
    assert log["egca/mode/logic"] == 1 / runs.GROUP
    assert "egca/moved" not in log


def test_under_conserve_each_row_keeps_its_sum_on_the_tokens_to_blame(
    plain: EgcaGRPOTrainer, model: Path, judge: PoolJudge, tmp_path: Path
) -> None:
    output = runs.scored(runs.ours(model, tmp_path, judge, egca=CONSERVE))
    mask = output["completion_mask"]
    stock = runs.scored(runs.stock(model, tmp_path))["advantages"]
    lengths = mask.sum(1)
    assert len(set(lengths.tolist())) == len(lengths), "equal lengths could not tell the loss types apart"
    assert torch.allclose((output["advantages"] * mask).sum(1), stock * lengths, rtol=1e-5)
    for row in (1, 1 + runs.GROUP):  # the wrong answers
        moved = output["advantages"][row] != 0
        text = plain.processing_class.decode(output["completion_ids"][row][moved])
        assert BLAMED.strip() in text
        assert len(text) < 12
    assert torch.equal(output["advantages"][0] * mask[0], stock[0] * mask[0]), "a program that passes is left alone"
    by_default = runs.scored(plain)["advantages"][1]
    begun = int((by_default < 0).nonzero()[0])
    first = int((by_default > 0).nonzero()[0])
    assert plain.processing_class.decode(runs.scored(plain)["completion_ids"][1][:first]).endswith("```python\n")
    praised = [0.5] * (begun - first)  # half of what passes: of four and two proven ones three do, so that would get 1
    assert by_default[first : begun + 1].tolist() == pytest.approx([*praised, float(stock[1])], abs=1e-3)
    assert not by_default[:first].any(), "what stands in front of the program gets nothing"
    assert not by_default[begun + 1 :].any(), "what stands behind the decision gets nothing"


@pytest.mark.parametrize(("place", "passing"), [(0, 0), (1, 1)], ids=["the right answer's body", "the wrong one's"])
def test_what_the_environment_writes_is_no_answer(
    model: Path, judge: PoolJudge, tmp_path: Path, place: int, passing: int
) -> None:
    """A program whose body a tool has shown is not the model's; all others have that line of the right one too."""
    shown = policy.answers(policy.TASKS[0])[place].split("\n")[2]
    trainer = runs.ours(model, tmp_path, judge, rollout_func=runs.scripted(hide=shown))
    output = runs.scored(trainer, runs.rows(policy.TASKS[:1]))
    assert trainer._metrics["train"]["egca/pass_rate"] == [passing / runs.GROUP]
    assert sum(trainer._metrics["train"]["egca/fallback/span_masked"]) == 0
    assert bool((output["tool_mask"] == 0).any())


def test_a_truncated_response_is_judged_as_it_was_sampled(model: Path, judge: PoolJudge, tmp_path: Path) -> None:
    """Masked as a whole, it has no token to learn from; its siblings have."""

    def cut(prompts: list[Any], trainer: GRPOTrainer) -> dict[str, Any]:
        output = runs.scripted()(prompts, trainer)
        output["completion_ids"][1] = output["completion_ids"][1][:9]
        return output

    trainer = runs.ours(model, tmp_path, judge, rollout_func=cut, mask_truncated_completions=True)
    output = runs.scored(trainer)
    assert output["completion_mask"].sum(1).tolist()[1] == 0
    assert trainer._metrics["train"]["egca/moved"] == [5 / 8]
    assert trainer._metrics["train"]["egca/pass_rate"] == [2 / 8]


def test_a_task_that_cannot_be_used_is_counted_and_costs_no_other_sample(
    model: Path, judge: PoolJudge, tmp_path: Path
) -> None:
    good, bad = policy.TASKS[0], replace(policy.TASKS[1], reference="def succ(x:\n")
    trainer = runs.ours(model, tmp_path, judge)
    output = runs.scored(trainer, runs.dataset([policy.otherwise(good), bad]))
    metrics = trainer._metrics["train"]
    assert (metrics["egca/lost_samples"], metrics["egca/abstained/bad_task"]) == ([0.0], [0.5])
    assert metrics["egca/pass_rate"] == [1 / 8]
    assert output["advantages"][4:].abs().max() == 0
    assert output["advantages"][:4].abs().max() > 0
    assert runs.scored(trainer, runs.dataset([bad]))["advantages"].abs().max() == 0, "later it is borne"
    with pytest.raises(TaskError, match=r"none of the first 4 samples can be used.*does not compile"):
        runs.scored(runs.ours(model, tmp_path, judge), runs.dataset([bad]))


MATHS = {
    "data_source": "maths",
    "prompt": [{"role": "user", "content": policy.TASKS[1].prompt}],
    "reward_model": {"style": "rule", "ground_truth": "42"},
    "extra_info": {"index": 9, "split": "train", "task_id": ""},
}


def test_rows_that_are_no_code_are_for_the_other_reward_functions(
    model: Path, judge: PoolJudge, tmp_path: Path
) -> None:
    def second(completions: Sequence[Any], data_source: list[str], **_: Any) -> list[float | None]:
        return [None if source != "maths" else float(k % runs.GROUP == 1) for k, source in enumerate(data_source)]

    mixed = Dataset.from_list([*runs.rows(policy.TASKS[:1]), MATHS])
    with pytest.raises(TaskError, match=r"train_dataset: 1 of 2 rows have no tests .*\(such as '42'\)"):
        runs.ours(model, tmp_path, judge, data=mixed)
    trainer = runs.ours(model, tmp_path, judge, data=mixed, reward_funcs=second)
    advantages = runs.scored(trainer, mixed)["advantages"]
    metrics = trainer._metrics["train"]
    assert (metrics["egca/no_code"], metrics["egca/pass_rate"], metrics["egca/lost_samples"]) == ([0.5], [0.25], [0.0])
    lifted = [bool(row.max() > 0 and row.min() >= 0) for row in advantages]
    assert lifted == [True, False, False, False, False, True, False, False]
    assert all(len(set(row[row != 0].tolist())) == 1 for row in advantages[4:]), "plain GRPO"


def test_further_rewards_add_up_and_praise_never_falls_on_a_fault(
    model: Path, judge: PoolJudge, tmp_path: Path
) -> None:
    def first_wrong(completions: Sequence[Any], **_: Any) -> list[float]:
        return [2.0 if place % runs.GROUP == 1 else 0.0 for place in range(len(completions))]

    trainer = runs.ours(
        model, tmp_path, judge, reward_funcs=first_wrong, reward_weights=[1.0, 0.5], scale_rewards="none", egca=CONSERVE
    )
    output = runs.scored(trainer)
    mask, advantages = output["completion_mask"], output["advantages"]
    means = (advantages * mask).sum(1) / mask.sum(1)
    assert torch.allclose(means[:4], torch.tensor([0.5, 0.5, -0.5, -0.5]), atol=1e-5)
    assert bool((advantages[1] == advantages[1][0]).all()), "a blamed sample above its group keeps uniform credit"
    metrics = trainer._metrics["train"]
    assert (metrics["egca/fallback/positive_advantage"], metrics["egca/moved"]) == ([0.25], [0.5])


def test_records_and_metrics_are_those_of_the_other_trainers(model: Path, judge: PoolJudge, tmp_path: Path) -> None:
    trainer = runs.ours(model, tmp_path, judge, egca=EgcaConfig(records=str(tmp_path / "records"), traces=""))
    runs.scored(trainer)
    (file,) = (tmp_path / "records").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["mode"] for line in lines[:4]] == ["correct", "logic", "syntax", "syntax"]
    assert [line["completion"] for line in lines[:4]] == [runs.says(policy.TASKS[0], place) for place in range(4)]
    assert lines[1]["credited_text"] == [" +"]
    assert lines[0]["group_advantage"] > 0 > lines[1]["group_advantage"]
    assert {"egca/narrow", "egca/verified", "egca/credited_tokens", "egca/concentration/max", "egca/hack_alarm"} <= set(
        trainer._metrics["train"]
    )


def test_a_share_that_a_batch_does_not_name_was_zero_there(plain: EgcaGRPOTrainer) -> None:
    """TRL logs the mean of what was appended since its last log."""
    metrics = plain._metrics["train"]
    metrics.clear()
    hidden, plain.rollout_func = plain.rollout_func, runs.scripted(lambda task, place: policy.answers(task)[0])
    runs.scored(plain)
    plain.rollout_func = hidden
    runs.scored(plain)
    assert "egca/reference/given" not in metrics
    batches = {len(values) for name, values in metrics.items() if name.startswith("egca/") and "/ms/" not in name}
    assert batches == {2}
    assert metrics["egca/moved"] == [0.0, 0.75]


def test_evaluation_judges_and_does_not_localise(plain: EgcaGRPOTrainer) -> None:
    metrics = plain.evaluate()
    assert metrics["eval_egca/pass_rate"] == 1 / runs.GROUP
    assert metrics["eval_egca/abstained/judge_only"] > 0
    assert "eval_egca/moved" not in metrics


def test_the_policys_own_samples_train_it_through_a_pool_of_its_own(model: Path, tmp_path: Path) -> None:
    """README's example, nothing scripted: TRL generates, the sandbox that the trainer opened judges."""
    train, _ = policy.write_rows(tmp_path)
    tasks = load_dataset("parquet", data_files=str(train), split="train", cache_dir=str(tmp_path / "cache"))
    trainer = EgcaGRPOTrainer(
        str(model),
        args=runs.config(tmp_path, max_steps=2, per_device_train_batch_size=16),
        train_dataset=tasks,
        egca=EgcaConfig(traces=""),
    )
    try:
        trainer.train()
    finally:
        trainer.close()
    log = last_log(trainer)
    assert 0 < log["egca/pass_rate"] < 1
    assert log["egca/moved"] > 0
    assert 0 < log["egca/mass/max"] < 0.5
    assert log["egca/lost_samples"] == 0


def test_a_data_set_without_tasks_is_refused_at_the_start(model: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="train_dataset: the rows have no column reward_model"):
        runs.ours(model, tmp_path, None, data=runs.rows().remove_columns("reward_model"))


@pytest.mark.parametrize("settings", [{}, {"num_iterations": 2}], ids=["on policy", "with old log-probabilities"])
def test_the_repairs_token_is_learnt_in_place_of_the_decision(
    plain: EgcaGRPOTrainer, model: Path, judge: PoolJudge, tmp_path: Path, settings: dict[str, Any]
) -> None:
    trainer = runs.ours(model, tmp_path, judge, egca=EgcaConfig(credit="counterfactual", traces=""), **settings)
    sampled, output = runs.scored(plain), runs.scored(trainer)
    tokenizer, ids, advantages = trainer.processing_class, output["completion_ids"], output["advantages"]
    learnt = 0
    for row in range(len(ids)):
        if row % runs.GROUP == 0:
            assert torch.equal(ids[row], sampled["completion_ids"][row]), "a program that passes is left alone"
            assert (advantages[row] > 0).any()
        elif advantages[row].any():
            (at,) = advantages[row].nonzero()[0].tolist()
            assert int((ids[row] != sampled["completion_ids"][row]).sum()) == 1
            assert tokenizer.decode(sampled["completion_ids"][row, at]) == " +"
            assert tokenizer.decode(ids[row, at]).startswith("\n"), "the line ends there, where the sample went on"
            assert output["completion_mask"][row].tolist() == [1] * (at + 1) + [0] * (ids.shape[1] - at - 1)
            chance = float(advantages[row, at]) / of_passing(3 / 6)  # one passes and two are proven of four
            assert 0 < chance < 1
            if "old_per_token_logps" in output:
                assert float(output["old_per_token_logps"][row, at].exp()) == pytest.approx(chance, rel=1e-4)
            learnt += 1
    assert learnt > 0
    trainer.train()
    assert last_log(trainer)["egca/counterfactual"] > 0
