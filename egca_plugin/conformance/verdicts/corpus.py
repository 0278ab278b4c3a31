"""What a program of the corpus is, and all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from egca_plugin.conformance.verdicts.tasks import TASKS
from egca_plugin.types import Task

_HEAD = re.compile(r"^### (\w+) \| (\w+) \| (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """``right``: what a plain interpreter and the task's wording say of it. ``way``: what it does, in a few words."""

    name: str
    way: str
    source: str
    task: Task
    right: bool


def programs() -> tuple[Program, ...]:
    """All of them, right ones first, in the order of their files."""
    return (*_read("right.txt", True), *_read("wrong.txt", False))


def _read(name: str, right: bool) -> list[Program]:
    """Each program stands behind a line ``### name | task | way``."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    _, *parts = _HEAD.split(text)
    return [
        Program(title, way, source.strip("\n") + "\n", TASKS[task], right)
        for title, task, way, source in zip(*(parts[k::4] for k in range(4)), strict=True)
    ]
