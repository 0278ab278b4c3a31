"""The OpenRLHF recipe: OpenRLHF's own parser and EGCA's checks take its options, where OpenRLHF is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_scripts import prepared, start

pytest.importorskip("openrlhf")

from egca_plugin.adapters.openrlhf import settings
from egca_plugin.adapters.openrlhf.train import command


@pytest.mark.parametrize("hardware", ["one_gpu", "cpu"])
def test_openrlhfs_own_parser_and_egcas_checks_take_its_options(
    hardware: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "adapters"))
    import openrlhf_runs as runs

    prepared(tmp_path, "humaneval")
    ended = start("openrlhf", "one_gpu", tmp_path, 1, "tasks=humaneval", f"hardware={hardware}", "egca=paper")
    started = ended.stdout.splitlines()[:-1]  # the report is made behind it
    chosen, theirs = command(started[started.index("--actor.model_name_or_path") :])
    args = runs.parsed(Path("model"), *theirs)
    assert settings.check(chosen, args) == chosen
    assert chosen.egca.preset == "paper"
    assert args.rollout.n_samples_per_prompt * args.rollout.batch_size == args.train.batch_size
    assert (args.algo.kl.use_loss, args.algo.kl.estimator, args.algo.kl.init_coef) == (True, "k3", 0.05)
    assert args.vllm.enable_sleep == (hardware == "one_gpu")
    assert args.data.max_samples == (12 if hardware == "cpu" else 1e8)
