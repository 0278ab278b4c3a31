"""Whole runs of the recipes of TRL and OpenRLHF, on this machine's CPU, as a user starts them; and what they left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipe_scripts import RECIPES

MBPP = Path(os.environ.get("EGCA_MBPP", Path(__file__).parents[3] / "shared" / "data" / "mbpp.jsonl"))


@dataclass(frozen=True, slots=True)
class Whole:
    """``said``: what the training said. ``folder``: the run's. ``scored``: what the evaluation said."""

    said: str
    folder: Path
    scored: str

    @property
    def records(self) -> list[dict[str, Any]]:
        files = (self.folder / "records").iterdir()
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Those of TensorBoard's files, by name, step by step."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found: dict[str, list[float]] = {}
        for file in (self.folder / "tensorboard").rglob("events.*"):
            events = EventAccumulator(str(file)).Reload()
            for name in events.Tags()["scalars"]:
                found.setdefault(name, []).extend(event.value for event in events.Scalars(name))
        return found


def run(framework: str, tasks: str, home: Path, *words: str, scoring: tuple[str, ...] = (), **variables: str) -> Whole:
    """Train, report and evaluate in ``home``, where ``data`` is prepared on the way if it is not there."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "EGCA_DATA": str(home / "data"),
        "EGCA_RUNS": str(home / "runs"),
        **variables,
    }

    def script(name: str, *more: str) -> str:
        log = home / f"{name}.log"
        command = [str(RECIPES / framework / f"{name}.sh"), "hardware=cpu", f"tasks={tasks}", *more]
        with log.open("w") as file:
            code = subprocess.call(command, cwd=home, env=environment, stdout=file, stderr=subprocess.STDOUT)
        text = log.read_text(errors="replace")
        assert code == 0, text[-6000:]
        return text

    said = script("cpu", *words)
    return Whole(said, home / "runs" / f"egca-{tasks}" / f"{framework}-cpu-verified", script("evaluate", *scoring))
