"""Files that several commands read."""

from __future__ import annotations

from pathlib import Path

from egca_plugin.cli.terminal import say
from egca_plugin.tasks.catalog import SETS
from egca_plugin.tasks.files import load_tasks, misspelt
from egca_plugin.types import Task

SPLIT = {"mbpp": "test"}  # of a named set, where nobody says another
NAMED = f"{', '.join(SETS)}, or a file of tasks, one JSON object a line; - for standard input"


def tasks_of(command: str, path: Path, split: str | None = None) -> dict[str, Task]:
    """The tasks of a set by name or of a file, by id and in order; a slip of the pen in a field's name is said.

    Raises TaskError, and AssetError for a set that cannot be had.
    """
    named = SETS.get(str(path))
    if named is not None:
        return {task.task_id: task for _, task in named.select(None, split or SPLIT.get(named.name))}
    tasks = load_tasks(path)
    for told in misspelt(tasks):
        say(command, told)
    return {task.task_id: task for task in tasks}
