"""The starter tasks: easy one-idea functions written for this project, of which a 135M model solves a part.

``recipes/starter/pass_rates.md`` has the measured pass rate of each with SmolLM2-135M-Instruct.
"""

from __future__ import annotations

from pathlib import Path

from egca_plugin.tasks.files import load_tasks
from egca_plugin.types import Task

FILE = Path(__file__).with_name("starter.jsonl")
SPLITS = ("train", "test")


def load() -> tuple[Task, ...]:
    """All starter tasks, in the file's order."""
    return load_tasks(FILE)


def split_of(position: int) -> str:
    """Every eighth task is held out."""
    return "test" if position % 8 == 7 else "train"
