"""OpenRLHF's own trainer from its own command line on this machine's CPU: real Ray, DeepSpeed, sandbox, TensorBoard.

Its rollout engine is a stand-in for vLLM over Hugging Face's generate; see ``openrlhf_cpu/README.md``. Minutes each:
what ``IN_EVERY_RUN`` does not name runs before a release (``EGCA_RELEASE=1``).
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("openrlhf")

import tiny_policy as policy
from openrlhf_cpu.runs import Run, train

pytestmark = pytest.mark.slow

IN_EVERY_RUN = ("synchronous",)
MODES = {
    "synchronous": "--eval.dataset {home}/val.parquet --eval.steps 2 --eval.n_samples_per_prompt 2",
    "asynchronous": (
        "--train.async_enable --train.partial_rollout_enable --algo.dynamic_filtering_enable --train.num_episodes 4 "
        "--algo.kl.init_coef 0.01 --algo.kl.use_loss --algo.kl.estimator k3 --algo.advantage.is_correction_level token"
    ),
    "two ranks, praise": "--actor.num_gpus_per_node 2 --egca.credit decision --egca.praise 0.5",
}
RESUMED = "--ckpt.save_steps 1 --ckpt.load_enable"
release = pytest.mark.skipif(not os.environ.get("EGCA_RELEASE"), reason="minutes each: EGCA_RELEASE=1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=150)


def run_of(model: Path, home: Path, options: str) -> Run:
    policy.write_rows(home)
    run = train(model, home, *options.format(home=home).split())
    assert run.code == 0, run.log[-6000:]
    return run


@pytest.mark.parametrize("mode", [pytest.param(m, marks=() if m in IN_EVERY_RUN else release) for m in MODES])
def test_it_trains_and_credits_tokens(
    mode: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(model, tmp_path, MODES[mode])
    with capsys.disabled():
        print(f"\nOpenRLHF, {mode}: credited tokens")
        for record in run.records:
            if record["moved"]:
                print(f"  step {record['step']} {record['task_id']}: {record['mode']}, {record['credited_text']}")
    steps = sorted(step for step, metrics in run.metrics.items() if "train/egca/pass_rate" in metrics)
    assert steps[:2] == [1, 2]
    for step in steps:
        metrics = {name.removeprefix("train/"): value for name, value in run.metrics[step].items()}
        assert sum(v for k, v in metrics.items() if k.startswith("egca/mode/")) == pytest.approx(1.0)
        assert metrics["egca/pass_rate"] == pytest.approx(metrics["rollout/reward_mean"])
        assert 0 < metrics["egca/credited_tokens"] <= 1
        assert metrics["egca/lost_samples"] == 0
    assert max(run.metrics[step]["train/egca/moved"] for step in steps) > 0
    assert {record["step"] for record in run.records} == set(steps)
    assert any(record["moved"] and record["credited_text"] for record in run.records)
    if mode == "synchronous":
        assert "eval/eval_default_pass1" in run.metrics[2]
    if "praise" in mode:
        assert max(run.metrics[step]["train/egca/praised_tokens"] for step in steps) > 0


@release
def test_a_run_goes_on_from_its_checkpoint(model: Path, tmp_path: Path) -> None:
    run_of(model, tmp_path, f"{RESUMED} --train.num_episodes 1")
    run = run_of(model, tmp_path, f"{RESUMED} --train.num_episodes 3")
    assert Counter(record["step"] for record in run.records) == {1: 16, 2: 16, 3: 16}, "none is learnt from twice"
