"""What ``recipes/check_gpu.sh`` runs, part by part, and writes as one JSON file, where a part that fails says so."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from egca_plugin.adapters.verl import launch

RECIPES = Path(__file__).resolve().parents[1]
STEPS = 5
LIMIT_S = 240  # of one training: two of them and the doctor stay below ten minutes
QUIET = ("trainer.val_before_train=false", "trainer.test_freq=-1", "trainer.save_freq=-1", "trainer.logger=[console]")
KEPT = (
    "timing_s/step",
    "timing_s/gen",
    "timing_s/update_actor",
    "training/rollout_probs_diff_max",
    "training/rollout_actor_probs_pearson_corr",
    "actor/grad_norm",
    "critic/rewards/mean",
    "egca/moved",
    "egca/credit/wait_s",
    "perf/max_memory_allocated_gb",
)


def main() -> int:
    out = Path(os.environ.get("EGCA_CHECK", "gpu_check.json"))
    words = sys.argv[1:]
    found: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "words": words, "gpus": _gpus(), "doctor": _doctor()}
    for name in ("verified", "off"):
        found[name] = _training(f"egca={name}", words)
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")  # whatever becomes of the next part
    found["step_ratio"] = _ratio(found["verified"]["steps"], found["off"]["steps"])
    found["ok"] = bool(found["doctor"]["ok"]) and all(found[name]["status"] == 0 for name in ("verified", "off"))
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{out}: {'all parts ran' if found['ok'] else 'not all parts ran; it says which'}")
    return 0 if found["ok"] else 1


def _gpus() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return []


def _doctor() -> dict[str, Any]:
    done = subprocess.run(["egca", "doctor", "--no-ray", "--json"], capture_output=True, text=True, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"ok": False, "error": done.stderr[-2000:]}
    return told


def _training(egca: str, words: list[str]) -> dict[str, Any]:
    """A fresh run of a few steps: status (124: out of time), seconds, metrics by step, and where it failed its end."""
    given = [egca, f"trainer.total_training_steps={STEPS}", *QUIET, *words]
    mark = uuid.uuid4().hex  # in every process of the run, Ray's daemons too
    with tempfile.TemporaryDirectory() as runs, (Path(runs) / "log").open("w+", errors="replace") as log:
        environment = {**os.environ, "EGCA_RUNS": runs, "EGCA_RUN": mark}
        command = [RECIPES / "mbpp" / "one_gpu.sh", *given]
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            status = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            status = 124
        finally:
            launch.stop(mark)
            process.wait()
        seconds = round(time.monotonic() - began, 1)
        log.seek(0)
        said = log.read()
    steps = dict(step for step in map(launch.step_metrics, said.splitlines()) if step)
    kept = {step: {name: metrics[name] for name in KEPT if name in metrics} for step, metrics in steps.items()}
    return {"status": status, "seconds": seconds, "steps": kept, **({} if status == 0 else {"end": said[-4000:]})}


def _ratio(ours: dict[int, Any], theirs: dict[int, Any]) -> float | None:
    """Seconds of a step with EGCA over those without, by the median behind the first; responses differ between both."""
    took = [[step["timing_s/step"] for n, step in side.items() if n > 1] for side in (ours, theirs)]
    return round(statistics.median(took[0]) / statistics.median(took[1]), 3) if all(took) else None


if __name__ == "__main__":
    sys.exit(main())
