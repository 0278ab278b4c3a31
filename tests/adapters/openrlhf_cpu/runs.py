"""One run of OpenRLHF's own trainer on a CPU, from its command line, and what it left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HARNESS = Path(__file__).parent
OPTIONS = """
    --actor.num_nodes 1 --actor.num_gpus_per_node 1 --ref.num_nodes 1 --ref.num_gpus_per_node 1
    --vllm.num_engines 1 --vllm.tensor_parallel_size 1 --vllm.enforce_eager --vllm.gpu_memory_utilization 0.05
    --ds.attn_implementation eager --ds.zero_stage 2 --algo.advantage.estimator group_norm --algo.kl.init_coef 0
    --data.input_key prompt --data.apply_chat_template --data.max_len 160 --rollout.max_new_tokens 64
    --rollout.batch_size 4 --rollout.n_samples_per_prompt 4 --train.batch_size 16 --train.micro_batch_size 4
    --rollout.micro_batch_size 8 --actor.adam.lr 1e-3 --train.num_episodes 2
"""
PLACES = {
    "--data.prompt_dataset": "train.parquet",
    "--ckpt.output_dir": "out",
    "--ckpt.path": "ckpt",
    "--logger.tensorboard_dir": "tensorboard",
    "--egca.records": "records",
    "--egca.traces": "traces",
}
ENVIRONMENT = {
    "OPENRLHF_CPU": "1",
    "DS_ACCELERATOR": "cpu",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_agent_register_timeout_ms": "180000",
    "RAY_worker_register_timeout_seconds": "300",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_CPU_NUM_OF_RESERVED_CPU": "0",
    "VLLM_NO_USAGE_STATS": "1",
}


@dataclass(frozen=True, slots=True)
class Run:
    """What a finished run left: its metrics in TensorBoard by step and name, its records, its output."""

    code: int
    metrics: dict[int, dict[str, float]]
    records: list[dict[str, Any]]
    log: str


def train(model: Path, home: Path, *options: str, timeout_s: float = 900, stand_in: bool = True) -> Run:
    """Train ``model`` in ``home``, where the parquet rows are. Without ``stand_in`` vLLM must be installed."""
    ray = Path(tempfile.mkdtemp(prefix="r"))  # Ray's sockets need a short path
    command = command_of(model, home, *options)
    try:
        done = subprocess.run(
            command, env=environment(ray, stand_in), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout_s, check=False,
        )  # fmt: skip
        code, log = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        code, log = -1, (late.stdout or b"").decode(errors="replace") + f"\nnot done after {timeout_s} s"
    finally:
        shutil.rmtree(ray, ignore_errors=True)
    written = [line for file in (home / "records").glob("*.jsonl") for line in file.read_text().splitlines()]
    return Run(code, _metrics(home / "tensorboard"), [json.loads(line) for line in written], log)


def command_of(model: Path, home: Path, *options: str) -> list[str]:
    """What starts a run of ``model`` in ``home``; of an option that is named twice the last word counts."""
    places = [word for option, name in PLACES.items() for word in (option, str(home / name))]
    words = ["--actor.model_name_or_path", str(model), *OPTIONS.split(), *places, *options]
    return [sys.executable, str(HARNESS / "launch.py"), *words]


def environment(ray: Path, stand_in: bool = True) -> dict[str, str]:
    """Of such a run. ``ray``: a folder for its sockets, with a short path."""
    root = HARNESS.parents[2]
    path = [HARNESS / "mends", *([HARNESS / "stand_in"] if stand_in else []), root, os.environ.get("PYTHONPATH", "")]
    paths = {"PYTHONPATH": os.pathsep.join(map(str, path)), "RAY_TMPDIR": str(ray)}
    return {**{name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}, **ENVIRONMENT, **paths}


def _metrics(folder: Path) -> dict[int, dict[str, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: dict[int, dict[str, float]] = {}
    for file in folder.rglob("events.*"):
        events = EventAccumulator(str(file)).Reload()
        for name in events.Tags()["scalars"]:
            for event in events.Scalars(name):
                found.setdefault(event.step, {})[name] = event.value
    return found
