"""Running the recipes' scripts on a machine that only looks as if it had GPUs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

RECIPES = Path(__file__).parents[2] / "recipes"
GPUS = {
    "one_gpu": 1, "node": 8, "cluster": 16, "colocate_async": 8, "separate_async": 8, "legacy": 8, "evaluate": 1,
}  # fmt: skip
FILES = {
    "mbpp": ("mbpp-train", "mbpp-validation", "mbpp-test"),
    "humaneval": ("mbpp-train-clean", "mbpp-validation", "humaneval"),
}
ALL = [(recipe, script) for recipe in FILES for script in GPUS]


PROGRAM = dict.fromkeys(GPUS, "verl.trainer.main_ppo") | {"legacy": "egca_plugin.adapters.verl.legacy"}

# `python -` counts the cluster's GPUs, `-c` prepares a model; `-m verl...` is the training: print what it was given.
PYTHON = """case $1 in
  -) cat >/dev/null; echo {gpus} ;;
  -c) echo a-model ;;
  */folder.py) echo {folder}/run ;;
  *) printf '%s\\n' "$@" ;;
esac"""


def start(
    recipe: str, script: str, folder: Path, gpus: int, *overrides: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script on such a machine, see :func:`machine`."""
    command = [str(RECIPES / recipe / f"{script}.sh"), *overrides]
    environment = machine(folder, gpus) | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def machine(folder: Path, gpus: int) -> dict[str, str]:
    """The environment of one where ``nvidia-smi`` and Ray show ``gpus`` GPUs and ``python`` only prints its arguments.

    The run's folder is ``folder/run``; :func:`trained` makes it one that has a checkpoint.
    """
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    listed = "\n".join(f"GPU {n}: a GPU (UUID: GPU-{n})" for n in range(gpus))
    _tool(tools / "nvidia-smi", f"cat <<'END'\n{listed}\nEND")
    _tool(tools / "python", PYTHON.format(gpus=gpus, folder=folder))
    _tool(tools / "egca", 'echo egca "$@"')
    return {"PATH": f"{tools}:{os.environ['PATH']}", "EGCA_DATA": str(folder / "data")}


def _tool(path: Path, body: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def trained(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "latest_checkpointed_iteration.txt").write_text("3")


def prepared(folder: Path, recipe: str) -> None:
    (folder / "data").mkdir()
    for name in FILES[recipe]:
        (folder / "data" / f"{name}.parquet").write_bytes(b"")
