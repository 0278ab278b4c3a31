"""Train and evaluate the paper's ablations with the recipes' own scripts; `egca table paper` lays out what came of it.

    python recipes/ablations/sweep.py hardware=cpu                       # all of them, on this machine's CPU
    python recipes/ablations/sweep.py hardware=node seed=1,2,3 ablation=grpo,egca

Each is a process of its own. What has been evaluated is not run again.
"""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path

import hydra
from omegaconf import DictConfig

RECIPES = Path(__file__).resolve().parents[1]
log = logging.getLogger("ablations")


@hydra.main(config_path=".", config_name="sweep", version_base=None)
def main(config: DictConfig) -> None:
    """One point of the sweep. Raises CalledProcessError where a script ends with another status than 0."""
    folder = Path(os.environ.get("EGCA_RUNS", "runs")) / "egca-ablations" / config.name
    if any((folder / "test").glob("*.jsonl")):
        log.info("%s: evaluated already, see %s", config.name, folder)
        return
    words = [
        f"hardware={config.hardware}",
        f"mode={config.mode}",
        f"data.seed={config.seed}",
        f"egca.seed={config.seed}",
        "trainer.project_name=egca-ablations",
        f"trainer.experiment_name={config.name}",
        *config.words,
        *config.words_for_all,
    ]
    for script in ("one_gpu", "evaluate"):
        subprocess.run([RECIPES / config.recipe / f"{script}.sh", *words], check=True)


if __name__ == "__main__":
    main()
