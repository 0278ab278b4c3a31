"""Start verl's own ``main_ppo`` on this machine's CPU, stream what it says, and leave nothing running behind.

The trainer is a subprocess in a session of its own. Ray's daemons detach from it, so every process of a run is found
by a mark in the environment, which Ray hands on.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

OnLine = Callable[[str], None]
_STEP = re.compile(r"\bstep:(\d+) - (.*)")
_NUMPY = re.compile(r"np\.\w+\((.*)\)")
_MARK = "EGCA_RUN"  # in the environment of every process of a run
_GRACE_S, _SILENCE_S = 5.0, 0.3


@dataclass(frozen=True, slots=True)
class CpuRun:
    """One training run on the CPU. ``samples`` is GRPO's group size; lengths are in tokens.

    ``records`` gets EGCA's records, ``output`` verl's own files. ``overrides`` come last, as on verl's command line.
    """

    model: Path
    train: Path
    val: Path
    output: Path
    records: Path | None = None
    steps: int = 3
    prompts: int = 4
    samples: int = 4
    prompt_tokens: int = 512
    response_tokens: int = 128
    learning_rate: float = 1e-6
    validate: bool = False
    seed: int = 1
    egca: str = "verified"  # or paper, or off
    threads: int = 0  # of each process; 0: one per core
    legacy: bool = False  # verl's deprecated trainer, trainer.use_v1=False
    machine: str = "cpu"  # or cpu_vllm
    overrides: tuple[str, ...] = field(default=())


def command(run: CpuRun) -> list[str]:
    """The command line: ours is the configuration's name and these settings, the program is verl's."""
    paths = {
        "actor_rollout_ref.model.path": run.model,
        "data.train_files": run.train,
        "data.val_files": run.val,
        "trainer.default_local_dir": run.output / "checkpoints",
    }
    values: dict[str, object] = {
        "egca": run.egca,
        "machine": run.machine,
        **{name: f"'{path.absolute()}'" for name, path in paths.items()},
        "egca.records": f"'{run.records.absolute()}'" if run.records else "''",
        "egca.bank": f"'{(run.output / 'bank').absolute()}'",
        "egca.seed": run.seed,
        "data.seed": run.seed,
        "data.train_batch_size": run.prompts,
        "data.max_prompt_length": run.prompt_tokens,
        "data.max_response_length": run.response_tokens,
        "actor_rollout_ref.actor.ppo_mini_batch_size": run.prompts,
        "actor_rollout_ref.actor.optim.lr": run.learning_rate,
        "actor_rollout_ref.rollout.n": run.samples,
        "actor_rollout_ref.rollout.seed": run.seed,
        "trainer.total_training_steps": run.steps,
        "trainer.total_epochs": 10**6,  # the steps end the run, however few the prompts
        "trainer.val_before_train": run.validate,
        "trainer.test_freq": run.steps if run.validate else -1,
        "trainer.save_freq": -1,
        "trainer.project_name": "egca",
        "trainer.experiment_name": "cpu",
        "trainer.use_v1": str(not run.legacy).lower(),
    }
    settings = [f"{name}={value}" for name, value in values.items()]
    config = ["--config-path", "pkg://egca_plugin.adapters.verl.config", "--config-name", "grpo_egca"]
    hydra = [f"hydra.run.dir='{run.output.absolute()}'", "hydra.output_subdir=null"]
    program = "egca_plugin.adapters.verl.legacy" if run.legacy else "verl.trainer.main_ppo"
    return [sys.executable, "-m", program, *config, *settings, *hydra, *run.overrides]


def environment(run: CpuRun, ray_dir: Path, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The subprocess's environment: the CPU platform and its threads.

    CUDA_VISIBLE_DEVICES is left out: Ray refuses the label "GPU" that verl counts by where it names fewer devices.
    """
    threads = str(run.threads or len(os.sched_getaffinity(0)))
    return {
        **{name: value for name, value in base.items() if name != "CUDA_VISIBLE_DEVICES"},
        "VERL_PLATFORM": "cpu",
        "OMP_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
        "HYDRA_FULL_ERROR": "1",
        "PYTHONUNBUFFERED": "1",
        "RAY_TMPDIR": str(ray_dir),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
    }


def run(settings: CpuRun, on_line: OnLine, *, timeout_s: float | None = None) -> int:
    """Run to the end and return verl's exit code. ``on_line`` gets every line of its output, without the newline.

    However this is left (an exception in ``on_line``, Ctrl-C, the timeout), every process of the run is gone. Raises
    TimeoutError after ``timeout_s`` seconds.
    """
    settings.output.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    ray_dir = Path(tempfile.mkdtemp(prefix="egca-ray-"))  # short: Ray puts Unix sockets below it (107 bytes at most)
    process = subprocess.Popen(
        command(settings),
        env={**environment(settings, ray_dir), _MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop the rest in order
    )
    try:
        return _follow(process, on_line, timeout_s)
    finally:
        stop(mark)
        process.wait()
        shutil.rmtree(ray_dir, ignore_errors=True)


def _follow(process: subprocess.Popen[str], on_line: OnLine, timeout_s: float | None) -> int:
    """Pass the lines on until the process has ended and is silent: a daemon of its may hold the pipe open for ever."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        try:
            line = lines.get(timeout=_SILENCE_S)
        except queue.Empty:
            if process.poll() is not None:
                break
            line = ""
        if line is None:
            break
        if line:
            on_line(line.rstrip("\n"))
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"verl did not finish within {timeout_s:.0f} s and was stopped")
    return process.wait()


def _pump(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def stop(mark: str) -> None:
    """End every process that carries ``mark`` in its environment, and their children; kill what stays for 5 s."""
    alive = _marked(mark)
    for process in alive:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(alive, timeout=_GRACE_S)
    for process in {*alive, *_marked(mark)}:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=_GRACE_S)


def _marked(mark: str) -> list[psutil.Process]:
    """A sandbox's processes have a cleared environment: they are found as children."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark:
                found.update((p.pid, p) for p in (process, *process.children(recursive=True)))
        except psutil.Error:  # gone meanwhile, or another user's
            continue
    return list(found.values())


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        pass


def step_metrics(line: str) -> tuple[int, dict[str, float]] | None:
    """(step, metrics) of a line that verl's console logger wrote, None for any other line."""
    match = _STEP.search(line)
    if match is None:
        return None
    pairs = (item.rsplit(":", 1) for item in match[2].split(" - "))
    numbers = {pair[0]: _number(pair[1]) for pair in pairs if len(pair) == 2}
    return int(match[1]), {name: value for name, value in numbers.items() if value is not None}


def _number(text: str) -> float | None:
    bare = _NUMPY.sub(r"\1", text.strip())
    try:
        return float(bare)
    except ValueError:
        return None
