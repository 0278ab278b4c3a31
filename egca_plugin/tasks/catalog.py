"""The task sets by name: where each comes from, its splits, and what goes in front of its prompts for a chat model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from egca_plugin.errors import TaskError
from egca_plugin.tasks import starter
from egca_plugin.tasks.layouts import humaneval, mbpp
from egca_plugin.types import Task

HUB = "hub"


@dataclass(frozen=True, slots=True)
class TaskSet:
    """``load(source)`` returns every task; ``split_of(position, task)`` names a task's split."""

    name: str
    splits: tuple[str, ...]
    load: Callable[[str | None], tuple[Task, ...]]
    split_of: Callable[[int, Task], str]
    instruction: str = ""

    def select(self, source: str | None, split: str | None) -> tuple[tuple[str, Task], ...]:
        """``(split, task)`` of one split, or of all. Raises TaskError for an unknown split, else as ``load``."""
        if split is not None and split not in self.splits:
            raise TaskError(f"{self.name} has no split {split!r}; expected one of {', '.join(self.splits)}")
        named = ((self.split_of(position, task), task) for position, task in enumerate(self.load(source)))
        return tuple((name, task) for name, task in named if split in (None, name))


def _humaneval(source: str | None) -> tuple[Task, ...]:
    return humaneval.load_from_hub() if source == HUB else humaneval.load(Path(source) if source else None)


def _mbpp(source: str | None) -> tuple[Task, ...]:
    return mbpp.load(None if source in (None, HUB) else Path(str(source)))


def _starter(source: str | None) -> tuple[Task, ...]:
    if source is not None:
        raise TaskError(f"--source: got {source!r}, but the starter tasks come with this package; leave it out")
    return starter.load()


SETS = {
    "starter": TaskSet("starter", starter.SPLITS, _starter, lambda position, task: starter.split_of(position)),
    "humaneval": TaskSet("humaneval", ("test",), _humaneval, lambda position, task: "test", humaneval.INSTRUCTION),
    "mbpp": TaskSet("mbpp", tuple(mbpp.SPLITS), _mbpp, lambda position, task: mbpp.split_of(task.task_id)),
}
