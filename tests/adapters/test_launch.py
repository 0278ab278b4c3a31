"""Starting verl as a subprocess: the command line it gets, the lines it says, and that nothing stays behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psutil")

import psutil

from egca_plugin.adapters.verl import launch

RUN = launch.CpuRun(Path("m"), Path("t.parquet"), Path("v.parquet"), Path("out"), steps=5, egca="off")

TOKEN = f"family of {os.getpid()}"  # other tests have families too

# A trainer in miniature: speaks, starts a daemon that detaches as Ray's do, which starts a child without the mark.
FAMILY = """
# TOKEN
import os, subprocess, sys, time
child = "import os, time; print('up', flush=True); time.sleep(600)  # TOKEN"
daemon = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], env={{}})"
subprocess.Popen([sys.executable, "-c", daemon], start_new_session=True)
print("step:1 - egca/moved:np.float64(0.5) - actor/lr:1e-06 - note:none", flush=True)
time.sleep(float(sys.argv[1]))
""".replace("TOKEN", TOKEN)


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_patience(seconds: float) -> None:
        monkeypatch.setattr(launch, "command", lambda run: [sys.executable, "-c", FAMILY, str(seconds)])

    return with_patience


def survivors() -> list[psutil.Process]:
    return [p for p in psutil.process_iter() if TOKEN in " ".join(_cmdline(p))]


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.Error:
        return []


def test_the_command_is_verls_with_our_configuration() -> None:
    command = launch.command(RUN)
    assert command[1:3] == ["-m", "verl.trainer.main_ppo"]
    assert command[command.index("--config-name") + 1] == "grpo_egca"
    assert {"machine=cpu", "egca=off", "trainer.total_training_steps=5"} <= set(command)


def test_the_configuration_composes_with_these_settings() -> None:
    pytest.importorskip("verl")
    from hydra import compose, initialize_config_module

    command = launch.command(RUN)
    first = command.index("egca=off")
    with initialize_config_module("egca_plugin.adapters.verl.config", version_base=None):
        config = compose("grpo_egca", overrides=[o for o in command[first:] if not o.startswith("hydra.")])
    assert config.actor_rollout_ref.model.path == str(Path("m").absolute())
    assert (config.actor_rollout_ref.rollout.name, config.trainer.device) == ("hf_cpu", "cpu")


def test_the_environment_chooses_the_cpu_and_hides_a_device_list() -> None:
    env = launch.environment(RUN, Path("/tmp/r"), {"CUDA_VISIBLE_DEVICES": "", "PATH": "p"})
    assert (env["VERL_PLATFORM"], env["PATH"], env["RAY_TMPDIR"]) == ("cpu", "p", "/tmp/r")
    assert "CUDA_VISIBLE_DEVICES" not in env


def test_a_step_line_becomes_numbers() -> None:
    line = "(TaskRunnerV1 pid=7) step:3 - a/b:0.5 - lr:1e-06 - x:np.float64(2.0) - y:np.int64(4) - s:text"
    assert launch.step_metrics(line) == (3, {"a/b": 0.5, "lr": 1e-06, "x": 2.0, "y": 4.0})
    assert launch.step_metrics("Training Progress: 0%") is None


def test_when_the_run_ends_its_daemons_end_too(family: Any, tmp_path: Path) -> None:
    family(0.5)
    lines: list[str] = []
    settings = launch.CpuRun(Path("m"), Path("t"), Path("v"), tmp_path)
    assert launch.run(settings, lines.append) == 0
    assert launch.step_metrics(lines[0]) == (1, {"egca/moved": 0.5, "actor/lr": 1e-06})
    assert survivors() == []


def test_ctrl_c_stops_everything(family: Any, tmp_path: Path) -> None:
    family(600)
    heard: list[str] = []

    def interrupt(line: str) -> None:
        heard.append(line)
        if heard[-1] == "up":  # the whole family lives
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch.run(launch.CpuRun(Path("m"), Path("t"), Path("v"), tmp_path), interrupt)
    assert survivors() == []


def test_a_run_that_takes_too_long_is_stopped_with_all_it_started(family: Any, tmp_path: Path) -> None:
    family(600)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="within 2 s"):
        launch.run(launch.CpuRun(Path("m"), Path("t"), Path("v"), tmp_path), lambda line: None, timeout_s=2)
    assert time.monotonic() - began < 30
    assert survivors() == []
    assert os.path.isdir(tmp_path)
