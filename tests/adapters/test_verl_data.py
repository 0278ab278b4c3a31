"""A real verl run on data as it is published: standard input, ``fn_name``, mathematics and a bad row in one parquet.

A row of ours is among them; no ``egca prepare``, and four settings (``grpo_egca.yaml`` has them). The policy is
scripted (:mod:`verl_data`), so that every reward is known beforehand, and which token should have come where it is
wrong: ``egca.credit=counterfactual`` learns that, beside a reference model.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

import verl_data as data
from tiny_policy import Tiny
from verl_runs import Run, train

pytestmark = [pytest.mark.verl, pytest.mark.slow]

STEPS = 2
ROWS = len(data.PROBLEMS) * data.SAMPLES  # a step
CODE = ROWS - data.SAMPLES


@pytest.fixture(scope="module")
def run(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("data")
    file = data.write(home / "train.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERL_USE_EXTERNAL_MODULES", "verl_data")
        patch.setenv(data.SWITCH, "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        done = train(
            replace(tiny, train=file, val=file),
            home,
            steps=STEPS,
            prompts=len(data.PROBLEMS),
            samples=data.SAMPLES,
            prompt_tokens=128,
            response_tokens=128,
            validate=True,
            overrides=(
                "egca.bad_rows=0.2",
                "egca.bank=''",
                "egca.credit=counterfactual",
                "actor_rollout_ref.actor.use_kl_loss=true",
            ),
        )
    assert done.code == 0, done.log[-6000:]
    return done


def test_every_row_is_scored_by_who_knows_it(run: Run) -> None:
    right = {problem.answers[0] for problem in data.PROBLEMS if problem is not data.BAD}
    for step in range(1, STEPS + 1):
        metrics = run.metrics[step]
        assert metrics["critic/score/mean"] == pytest.approx(5 / ROWS), "one of each group but the bad row's"
        assert metrics["egca/pass_rate"] == pytest.approx(4 / CODE)
        assert metrics["egca/no_code"] == pytest.approx(data.SAMPLES / ROWS)
        assert metrics["egca/abstained/bad_task"] == pytest.approx(data.SAMPLES / CODE)
        assert metrics["egca/lost_samples"] == metrics["egca/fallback/no_credit"] == 0
    for record in run.records:
        assert record["reward"] == float(record["completion"] in right), record


def test_records_tell_of_the_code_and_name_the_bad_row(run: Run) -> None:
    assert len(run.records) == STEPS * CODE
    sources = Counter(record["task_id"].partition("/")[0] for record in run.records)
    each = STEPS * data.SAMPLES
    bad = "a row of the data set (codeforces, index 5)"
    assert sources == {"codecontests": each, "apps": each, "taco": each, "tiny": each, bad: each}
    for record in run.records:
        if record["task_id"] == bad:
            assert (record["reason"], record["reward"], record["moved"]) == ("bad_task", 0.0, False)


def test_wrong_programs_of_both_kinds_are_blamed_on_their_tokens(run: Run) -> None:
    first = run.metrics[1]
    assert 0 < first["egca/moved"] < 1
    outcomes = {problem.source: Counter() for problem in (data.SUM, data.CALLED)}
    for record in run.records:
        if record["task_id"].partition("/")[0] in outcomes:
            outcomes[record["task_id"].partition("/")[0]][record["outcome"]] += 1
    expected = {"ok": STEPS, "wrong_answer": STEPS, "exception": STEPS, "compile_error": STEPS}
    assert outcomes == {"codecontests": expected, "taco": expected}
    for source, fault in (("codecontests", "m = n + 3"), ("taco", "y = x * 3")):
        wrong = [r for r in run.records if r["task_id"].startswith(source) and r["outcome"] == "wrong_answer"]
        for record in wrong:
            if record["verified"]:
                start, end = record["span"]["start"], record["span"]["end"]
                assert record["completion"][start:end] in fault or fault in record["completion"][start:end]


def test_the_token_that_should_have_come_is_learnt_in_place_of_the_wrong_one(run: Run) -> None:
    for step in range(1, STEPS + 1):
        metrics, of_step = run.metrics[step], [record for record in run.records if record["step"] == step]
        learnt = [record for record in of_step if record.get("counterfactual") and record["moved"]]
        assert metrics["egca/counterfactual"] == pytest.approx(len(learnt) / ROWS)
        assert metrics["actor/pg_clipfrac"] == 0, "the clip is never met"
        (wrong,) = (record for record in learnt if "m = n + 3" in record["completion"])
        assert wrong["counterfactual"].strip() == "2"
    assert run.metrics[1]["actor/kl_loss"] == pytest.approx(0.0, abs=1e-6), "of the repairs' tokens too"
    assert run.metrics[1]["actor/grad_norm"] > 0


def test_the_log_says_what_the_rows_are(run: Run) -> None:
    said = (
        "6 rows: 1 function, 1 method, 2 stdin, 2 with a reference; no code: 1 of openai/gsm8k; 1 that cannot be read"
    )
    assert f"data.train_files: {said}" in run.log
    assert "rows of openai/gsm8k are no code: verl's own scorer rewards them" in run.log
    assert "row 5 (codeforces, index 5), reward_model.ground_truth: got 1 inputs and 0 outputs" in run.log


def test_validation_counts_each_source(run: Run) -> None:
    for step in (0, STEPS):
        for source in ("codecontests", "taco", "egca", "openai/gsm8k"):
            assert f"val-core/{source}/acc/mean@1" in run.metrics[step]
