"""One training step, on as many processes as there are: ``torchrun --nproc_per_node 2 trl_two_processes.py MODEL OUT``.

Each writes what it logged, the gradient's norm and ``egca/*``, to ``OUT/rank<N>.json``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import trl_runs as runs

from egca_plugin.config import EgcaConfig

ROWS = 12  # three groups of four: with two processes the second group has two rows on each


def main(model: Path, out: Path) -> None:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    first = int(os.environ.get("RANK", "0")) * ROWS // processes
    trainer = runs.ours(
        model,
        out / "checkpoints",
        None,
        egca=EgcaConfig(traces="", records=str(out / "records")),
        per_device_train_batch_size=ROWS // processes,
        rollout_func=runs.scripted(lambda task, place: runs.says(task, first + place)),
    )
    trainer.train()
    trainer.close()
    (log,) = (log for log in trainer.state.log_history if "loss" in log)
    # Times differ; and a process sees its own part of a split group, so it may compare a sample with another reference.
    own = ("egca/ms/", "egca/reference/")
    told = {name: value for name, value in log.items() if name.startswith("egca/") and not name.startswith(own)}
    rank = trainer.accelerator.process_index
    (out / f"rank{rank}.json").write_text(json.dumps({"grad_norm": log["grad_norm"], **told}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
