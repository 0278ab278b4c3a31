"""``python train.py MODEL ROWS FOLDER [OPTIONS]``: a run of two steps on this machine's CPU.

``ROWS`` is a parquet file of ``egca prepare``; checkpoints, records and TensorBoard's files go to ``FOLDER``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from runs import command_of, environment

SHORT = "--data.max_samples 8 --train.num_episodes 1 --rollout.max_new_tokens 96 --data.max_len 512"

if __name__ == "__main__":
    model, rows, home, *options = sys.argv[1:]
    folder = Path(home).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(rows, folder / "train.parquet")
    ray = Path(tempfile.mkdtemp(prefix="r"))
    try:
        sys.exit(subprocess.call(command_of(Path(model), folder, *SHORT.split(), *options), env=environment(ray)))
    finally:
        shutil.rmtree(ray, ignore_errors=True)
