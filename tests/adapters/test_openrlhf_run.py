"""OpenRLHF's own trainer from its own command line on this machine's CPU: real Ray, DeepSpeed, sandbox, TensorBoard.

Its rollout engine is a stand-in for vLLM over Hugging Face's generate; see ``openrlhf_cpu/README.md``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("openrlhf")

import tiny_policy as policy
from openrlhf_cpu.runs import Run, train

pytestmark = pytest.mark.slow

MODES = {
    "synchronous": "--eval.dataset {home}/val.parquet --eval.steps 2 --eval.n_samples_per_prompt 2",
    "asynchronous": (
        "--train.async_enable --train.partial_rollout_enable --algo.dynamic_filtering_enable --train.num_episodes 4 "
        "--algo.kl.init_coef 0.01 --algo.kl.use_loss --algo.kl.estimator k3 --algo.advantage.is_correction_level token"
    ),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policy.build(tmp_path_factory.mktemp("model"), steps=150)


def run_of(mode: str, model: Path, home: Path) -> Run:
    policy.write_rows(home)
    run = train(model, home, *MODES[mode].format(home=home).split())
    assert run.code == 0, run.log[-6000:]
    return run


@pytest.mark.parametrize("mode", MODES)
def test_it_trains_and_credits_tokens(
    mode: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of(mode, model, tmp_path)
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
