"""The recipes of TRL and OpenRLHF for MBPP and HumanEval, with SmolLM2-135M-Instruct on a CPU, by one command.

Many minutes each, so they run before a release: ``EGCA_RELEASE=1``, in the environment of the framework.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from whole_runs import MBPP, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("EGCA_RELEASE"), reason="many minutes each: EGCA_RELEASE=1"),
    pytest.mark.skipif(not MBPP.exists(), reason=f"no {MBPP}; set EGCA_MBPP"),
]
STEPS, SAMPLES = 2, 12  # fewer and shorter than the recipes' own
WORDS = {
    "trl": "--max_steps 2 --gradient_accumulation_steps 2 --max_completion_length 64",
    "openrlhf": "--data.max_samples 4 --rollout.batch_size 2 --train.batch_size 12 --rollout.max_new_tokens 64",
}


@pytest.mark.parametrize("tasks", ["mbpp", "humaneval"])
@pytest.mark.parametrize("framework", ["trl", "openrlhf"])
def test_it_trains_reports_and_is_evaluated(framework: str, tasks: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed here")
    scoring = ("--limit", "8", "--tokens", "64")
    whole = run(framework, tasks, tmp_path, *WORDS[framework].split(), scoring=scoring, MBPP=str(MBPP))
    (rates,) = (values for name, values in whole.metrics.items() if name.endswith("egca/pass_rate"))
    assert len(rates) == STEPS
    assert len(whole.records) == STEPS * SAMPLES
    assert {record["mode"] for record in whole.records} & {"logic", "syntax"}
    assert any(record["moved"] and record["credited_text"] for record in whole.records)
    assert "<html" in (whole.folder / "report.html").read_text()[:200]
    assert "pass@1" in whole.scored
