"""One verl run of the tiny policy, and what it left."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiny_policy import TASKS, Tiny

from egca_plugin.adapters.verl import launch
from egca_plugin.references import Bank, DirectoryStore
from egca_plugin.references.pool import bank_name

STEPS, PROMPTS, SAMPLES = 2, 4, 4


@dataclass(frozen=True, slots=True)
class Run:
    """What a finished run left: metrics by step (0: validation before training), records, output."""

    code: int
    metrics: dict[int, dict[str, float]]
    records: list[dict[str, Any]]
    log: str


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """One run of verl at a time on this machine; ``home`` is the test's ``tmp_path``. Two would not fit in memory."""
    with (home.parent.parent / "egca-verl-run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def train(tiny: Tiny, home: Path, **settings: Any) -> Run:
    lines: list[str] = []
    run = launch.CpuRun(
        **{name: getattr(tiny, name) for name in ("model", "train", "val")},
        output=home,
        records=home / "records",
        **{
            "steps": STEPS,
            "prompts": PROMPTS,
            "samples": SAMPLES,
            "prompt_tokens": 64,
            "response_tokens": 48,
            "learning_rate": 2e-3,
            **settings,
        },
    )
    with alone(home):
        code = launch.run(run, lines.append, timeout_s=420)
    (home / "run.log").write_text("\n".join(lines), encoding="utf-8")  # for whoever asks what a run said
    found = dict(found for found in map(launch.step_metrics, lines) if found)
    written = [line for file in (home / "records").glob("*.jsonl") for line in file.read_text().splitlines()]
    return Run(code, found, [json.loads(line) for line in written], "\n".join(lines))


def banked(home: Path) -> set[str]:
    """The names under which records know what the run's bank holds."""
    bank = Bank(DirectoryStore(home / "bank"))
    return {bank_name(program) for task in TASKS for program in bank.programs(task)}
