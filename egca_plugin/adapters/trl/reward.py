"""The reward function ``egca``: judges programs, rewards them, and keeps who of the sampled tokens is to blame.

TRL hands a reward function the sampled ids and the data set's columns. What it returns is a number a sample; the
credits stay here until the trainer takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.adapters.trl.judging import Judge
from egca_plugin.pipeline import Group
from egca_plugin.tasks import parquet
from egca_plugin.types import Completion, Credit, Task

NAME = "egca"


@dataclass(frozen=True, slots=True)
class Batch:
    """Which samples are to be judged: those of this rank, ``first`` being the first one's row in the whole batch.

    ``group_size``: rows of one prompt in the whole batch, which follow each other. ``judge_only``: evaluation.
    """

    step: int
    first: int
    group_size: int
    judge_only: bool = False


class SandboxReward:
    """1.0 for a program that passes its tests, 0.0 for one that does not, None for one that could not be judged.

    TRL leaves a None out of its group, unless another reward function has a number for it.
    """

    def __init__(self) -> None:
        self.__name__ = NAME  # what TRL calls it in its metrics
        self.batch = Batch(0, 0, 1)
        self._reader: Reader | None = None
        self._judge: Judge | None = None
        self._rows: list[Row | None] = []

    def open(self, reader: Reader, judge: Judge) -> None:
        """What it needs and TRL makes only once it has its reward functions."""
        self._reader, self._judge = reader, judge

    def take(self) -> list[Row | None]:
        """The credits of the samples that were rewarded last, in their order; None where there is none."""
        rows, self._rows = self._rows, []
        return rows

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        **columns: Any,
    ) -> list[float | None]:
        """TRL's call. Raises TaskError for a row without a task, SandboxError where nothing could be judged."""
        assert self._reader is not None, "the trainer opens it"
        tasks = _tasks(columns, len(completion_ids))
        responses = [self._reader.read([int(token) for token in ids]) for ids in completion_ids]
        credits = self._judged(tasks, responses)
        self._rows = [
            None if credit is None else response.row(credit, task.task_id, Placing())
            for task, response, credit in zip(tasks, responses, credits, strict=True)
        ]
        return [None if credit is None else credit.reward for credit in credits]

    def _judged(self, tasks: Sequence[Task], responses: Sequence[Response]) -> list[Credit | None]:
        assert self._judge is not None, "the trainer opens it"
        members = self._together(tasks)
        groups = [
            Group(
                tasks[rows[0]],
                tuple(Completion(responses[i].text) for i in rows),
                self.batch.step,
                self.batch.judge_only,
            )
            for rows in members
        ]
        found: list[Credit | None] = [None] * len(tasks)
        for rows, credits in zip(members, self._judge(groups), strict=True):
            for i, credit in zip(rows, credits, strict=True):
                found[i] = credit
        return found

    def _together(self, tasks: Sequence[Task]) -> list[list[int]]:
        """Rows that are judged as one: each alone, spread over the workers, but siblings whose task has no reference.

        Those need each other, to vote for one. Siblings on another rank are not seen.
        """
        members: dict[tuple[int, int], list[int]] = {}
        for i, task in enumerate(tasks):
            sibling = (self.batch.first + i) // self.batch.group_size
            members.setdefault((-1, i) if task.reference else (sibling, 0), []).append(i)
        return list(members.values())


def _tasks(columns: Mapping[str, Any], count: int) -> list[Task]:
    cells = columns.get("reward_model", [None] * count)
    about = columns.get("extra_info", [None] * count)
    return [
        parquet.task_of(cell, f"data set row {extra.get('index') if isinstance(extra, Mapping) else i}")
        for i, (cell, extra) in enumerate(zip(cells, about, strict=True))
    ]
