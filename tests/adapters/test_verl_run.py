"""verl's own, unmodified v1 trainer on this machine's CPU, end to end: real Ray, TransferQueue, FSDP2 and sandbox.

Each run costs a minute of start-up, so two runs carry all checks: one with EGCA, and one with two controls in it, plain
GRPO (``egca=off``) and a weight sync that was cut. A seed gives both runs the same samples in the first step.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("verl")

from tiny_policy import TASKS, Tiny
from verl_runs import PROMPTS, SAMPLES, STEPS, Run, banked, train

pytestmark = [pytest.mark.verl, pytest.mark.slow]


@pytest.fixture(scope="module")
def egca(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("egca")
    dumps = (f"trainer.rollout_data_dir={home}/rollouts", f"trainer.validation_data_dir={home}/validation")
    run = train(tiny, home, validate=True, overrides=dumps)
    assert run.code == 0, run.log[-6000:]
    assert len(list(home.glob("rollouts/*.jsonl"))) == STEPS
    assert banked(home) >= {name for name in _references(run) if name.startswith("bank:")}
    return run


@pytest.fixture(scope="module")
def control(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERL_USE_EXTERNAL_MODULES", "cut_weight_sync")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        run = train(tiny, tmp_path_factory.mktemp("control"), validate=True, egca="off")
    assert run.code == 0, run.log[-6000:]
    return run


def test_every_step_reports_what_egca_did(egca: Run) -> None:
    assert sorted(egca.metrics) == list(range(STEPS + 1))
    for step in range(1, STEPS + 1):
        metrics = egca.metrics[step]
        shares = [value for name, value in metrics.items() if name.startswith("egca/mode/")]
        assert sum(shares) == pytest.approx(1.0)
        assert metrics["egca/outcome/infrastructure"] == metrics["egca/fallback/no_credit"] == 0
        assert metrics["egca/ms/judge/mean"] > 0
    assert egca.metrics[1]["actor/grad_norm"] > 0


def test_credit_moved_onto_spans_and_the_rest_of_the_row_was_left_alone(egca: Run) -> None:
    first = egca.metrics[1]
    assert 0 < first["egca/moved"] < 1
    assert 0 < first["egca/credited_tokens"] < 1
    assert first["egca/concentration/max"] > first["egca/concentration/mean"] * 0.999 > 1
    assert 0 < first["egca/mass/mean"] < first["egca/mass/max"] < 1
    # verl's own figures: returns are GRPO's advantages; what trained has them on the spans, and nothing beside them.
    assert first["critic/advantages/min"] == pytest.approx(first["critic/returns/min"], abs=1e-4)
    assert first["critic/returns/min"] < 0
    assert first["critic/advantages/mean"] > first["critic/returns/mean"] + 1e-4


def test_the_records_tell_whom_each_advantage_went_to(egca: Run) -> None:
    assert len(egca.records) == STEPS * PROMPTS * SAMPLES
    assert {record["task_id"] for record in egca.records} <= {task.task_id for task in TASKS}
    blamed = [record for record in egca.records if record["moved"]]
    assert {record["mode"] for record in blamed} & {"logic", "syntax"}
    for record in blamed:
        blame = record["decision"] or record["span"]
        start, end = blame["start"], blame["end"]
        assert record["completion"][start:end] in "".join(record["credited_text"])
        assert record["credited_tokens"] == sum(end - start for start, end in record["token_spans"])
        assert record["concentration"] == pytest.approx(record["tokens"] / record["credited_tokens"], rel=1e-3)
    for record in egca.records:
        if record["mode"] == "correct":
            assert (record["reward"], record["moved"]) == (1.0, False)


def test_failures_are_compared_with_what_the_policy_wrote(egca: Run) -> None:
    """The data's references are built otherwise than whatever this policy writes; its own passing programs are near."""
    near = ("sibling:", "bank:")
    compared = [record for record in egca.records if (record["reference"] or "").startswith(near)]
    assert compared
    assert not any(record["passed"] for record in compared)
    assert any(record["verified"] and record["divergence"] for record in compared)
    assert egca.metrics[STEPS]["egca/bank/programs"] >= 1
    assert egca.metrics[STEPS]["egca/bank/lost"] == 0


def test_validation_reports_accuracy_and_survives_the_extras(egca: Run) -> None:
    for step in (0, STEPS):
        assert "val-core/egca/tiny/acc/mean@1" in egca.metrics[step]


def test_rollout_and_actor_agree_on_every_probability(egca: Run) -> None:
    for step in range(1, STEPS + 1):
        assert egca.metrics[step]["training/rollout_probs_diff_max"] < 1e-4
        assert egca.metrics[step]["training/rollout_actor_probs_pearson_corr"] > 0.999


def test_without_weight_sync_they_would_not(control: Run) -> None:
    assert control.metrics[1]["training/rollout_probs_diff_max"] < 1e-4, "the first weights come from the disk"
    assert control.metrics[2]["training/rollout_probs_diff_max"] > 1e-2


def test_off_is_plain_grpo_on_the_same_samples_with_another_gradient(egca: Run, control: Run) -> None:
    ours, plain = egca.metrics[1], control.metrics[1]
    for name in ("critic/score/mean", "critic/returns/mean", "critic/returns/min", "response_length/mean"):
        assert ours[name] == pytest.approx(plain[name], abs=1e-6), f"{name}: a seed gives both runs the same samples"
    for name in ("mean", "max", "min"):
        assert plain[f"critic/advantages/{name}"] == plain[f"critic/returns/{name}"]
    assert "egca/moved" not in plain
    assert plain["egca/pass_rate"] == ours["egca/pass_rate"]
    # At ratio 1 the loss is minus the mean advantage, of which failed rows keep what lies on their spans.
    assert ours["actor/pg_loss"] < plain["actor/pg_loss"] - 1e-2
    assert abs(ours["actor/grad_norm"] - plain["actor/grad_norm"]) > 0.03 * plain["actor/grad_norm"]


def _references(run: Run) -> set[str]:
    return {record["reference"] for record in run.records if record["reference"]}
