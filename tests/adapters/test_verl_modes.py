"""Other ways to run verl with EGCA: the legacy trainer, and asynchronous rollout with checkpoint and resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

from tiny_policy import Tiny
from verl_runs import SAMPLES, STEPS, banked, train

pytestmark = [pytest.mark.verl, pytest.mark.slow]


def test_the_legacy_trainer_places(tiny: Tiny, tmp_path: Path) -> None:
    run = train(tiny, tmp_path, legacy=True)
    assert run.code == 0, run.log[-6000:]
    for step in range(1, STEPS + 1):
        metrics = run.metrics[step]
        assert 0 < metrics["egca/moved"] < 1
        assert 0 < metrics["egca/mass/max"] < 1
        assert metrics["training/rollout_probs_diff_max"] < 1e-4
    assert {record["moved"] for record in run.records} == {True, False}


def test_colocate_async_with_kl_saves_and_resumes(tiny: Tiny, tmp_path: Path) -> None:
    """Rollout runs ahead of training and is aborted in mid-sentence; the reference model's KL is in the loss.

    And what proven samples wrote in front of their decision is praised.
    """
    settings: dict[str, Any] = {"learning_rate": 1e-3}
    overrides = (
        "trainer.v1.trainer_mode=egca_colocate_async",
        "actor_rollout_ref.actor.use_kl_loss=true",
        "actor_rollout_ref.actor.kl_loss_coef=0.05",
        "trainer.save_freq=1",
        "trainer.resume_mode=auto",
    )
    first = train(tiny, tmp_path, overrides=overrides, **settings)
    assert first.code == 0, first.log[-6000:]
    assert first.metrics[1]["actor/kl_loss"] == pytest.approx(0.0, abs=1e-6)
    learnt = first.metrics[1]["actor/grad_norm"] > 0  # not where the groups that come first agree
    assert (first.metrics[2]["actor/kl_loss"] > 0) == learnt
    assert any(first.metrics[step]["egca/moved"] > 0 for step in (1, 2)), (
        "which samples come when is the rollout's haste"
    )
    assert banked(tmp_path)

    more = train(tiny, tmp_path, overrides=overrides, steps=STEPS + 1, **settings)
    assert more.code == 0, more.log[-6000:]
    assert sorted(more.metrics) == [STEPS + 1], "it went on where the first run ended"
    assert any(record["moved"] for record in more.records)
    assert more.metrics[STEPS + 1]["training/rollout_probs_diff_max"] < 1e-3
    assert len(more.records) >= (STEPS + 1) * SAMPLES
    resumed = [record for record in more.records if record["step"] == STEPS + 1]
    assert not [record for record in resumed if record["reason"] in ("credit_lost", "credit_late", "pending")], (
        "what was judged before the resume has its credit after it"
    )
    proven = [record for record in more.records if record["verified"]]  # in some step: which groups agree is chance
    assert any(record["mended"] for record in proven), "and what they wrote first is praised"
    assert any(metrics["egca/praised_tokens"] > 0 for run in (first, more) for metrics in run.metrics.values())
    assert {"sibling", "bank"} & {(record["reference"] or "").partition(":")[0] for record in proven}
