"""The reward function ``egca``: judges programs, rewards them, and keeps who of the sampled tokens is to blame.

TRL hands a reward function the sampled ids and the data set's columns. What it returns is a number a sample, None for
what is no code; the credits stay here until the trainer takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.adapters.trl.judging import Judge
from egca_plugin.adapters.turns import unsampled
from egca_plugin.adapters.unjudged import bad_task
from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.pipeline import Group
from egca_plugin.tasks.rows import place, task_of_row
from egca_plugin.types import Completion, Credit, Task, TokenSpan

NAME = "egca"


@dataclass(frozen=True, slots=True)
class Batch:
    """Which samples are to be judged: those of this rank, ``first`` being the first one's row in the whole batch.

    ``group_size``: rows of one prompt in the whole batch, which follow each other. ``judge_only``: evaluation.
    ``alone``: no other reward function adds to the reward.
    """

    step: int
    first: int
    group_size: int
    judge_only: bool = False
    alone: bool = False


class SandboxReward:
    """1.0 for a program that passes its tests, 0.0 for one that does not, None for one that could not be judged.

    A row that is no code gets None too: it is for the other reward functions. TRL leaves a None out of its group,
    unless another has a number for it. A row whose tests cannot be read gets 0.0, as its whole group.
    """

    def __init__(self) -> None:
        self.__name__ = NAME  # what TRL calls it in its metrics
        self.batch = Batch(0, 0, 1)
        self._reader: Reader | None = None
        self._judge: Judge | None = None
        self._placing = Placing()
        self._rows: list[Row | None] = []
        self._thread = ThreadPoolExecutor(1, "egca-reward")  # waits for the pool while this process does other things
        self._begun: tuple[list[list[int]], Future[list[Row | None]]] | None = None
        self._foreign: tuple[list[list[int]], list[tuple[TokenSpan, ...]]] = ([], [])  # of which ids

    def open(self, reader: Reader, judge: Judge, placing: Placing) -> None:
        """What it needs and TRL makes only once it has its reward functions."""
        self._reader, self._judge, self._placing = reader, judge, placing

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
        """TRL's call. Raises TaskError without a column for the tests, SandboxError where nothing could be judged."""
        ids = _plain(completion_ids)
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == ids:
            self._rows = begun[1].result()
        else:
            self._rows = self._scored(_tasks(columns, prompts), ids)
        return [row.credit.reward if row is not None and row.judged else None for row in self._rows]

    def begin(
        self,
        inputs: Sequence[Mapping[str, Any]],
        completion_ids: Sequence[Sequence[int]],
        tool_mask: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """Judge and credit what was sampled for ``inputs``, while TRL computes log-probabilities before it asks.

        ``tool_mask``: TRL's, 0 for tokens of tools and of the environment. What goes wrong is raised when it asks.
        """
        ids = _plain(completion_ids)
        self._foreign = ids, [unsampled(line) for line in tool_mask or ()]
        columns = {name: [row.get(name) for row in inputs] for name in inputs[0]}
        prompts = columns.pop("prompt", [None] * len(inputs))
        if len(ids) == len(inputs) and "reward_model" in columns:
            tasks = _tasks(columns, prompts)
            self._begun = ids, self._thread.submit(self._scored, tasks, ids)

    def _scored(self, tasks: Sequence[Read], ids: Sequence[list[int]]) -> list[Row | None]:
        assert self._reader is not None, "the trainer opens it"
        sampled, foreign = self._foreign
        told = foreign if foreign and sampled == ids else [()] * len(ids)
        responses = [self._reader.read(*one) for one in zip(ids, told, strict=True)]
        credits = self._judged(tasks, responses)
        return [_row(self._reader, *one, self._placing) for one in zip(tasks, responses, credits, strict=True)]

    def _judged(self, tasks: Sequence[Read], responses: Sequence[Response]) -> list[Credit | None]:
        assert self._judge is not None, "the trainer opens it"
        found: list[Credit | None] = [bad_task(task) if isinstance(task, TaskError) else None for task in tasks]
        code = [i for i, task in enumerate(tasks) if isinstance(task, Task)]
        if not code:
            return found
        members = self._together(tasks)
        groups = [
            Group(
                task,
                tuple(Completion(responses[i].text) for i in rows),
                self.batch.step,
                self.batch.judge_only,
                whole=self.batch.alone and len(rows) == self.batch.group_size,
            )
            for rows in members
            if isinstance(task := tasks[rows[0]], Task)
        ]
        for rows, credits in zip(members, self._judge(groups), strict=True):
            for i, credit in zip(rows, credits, strict=True):
                found[i] = credit
        if all(found[i] is None for i in code):
            raise SandboxError(f"none of {len(code)} programs could be judged; see the log, and `egca doctor`")
        return found

    def _together(self, tasks: Sequence[Read]) -> list[list[int]]:
        """Rows of one group, as far as this rank has them: passing siblings are references for the others."""
        members: dict[int, list[int]] = {}
        for i, task in enumerate(tasks):
            if isinstance(task, Task):
                members.setdefault((self.batch.first + i) // self.batch.group_size, []).append(i)
        return list(members.values())


Read = Task | TaskError | None  # a row: its task, why it cannot be read, or no code


def _plain(completion_ids: Sequence[Sequence[int]]) -> list[list[int]]:
    return [[int(token) for token in ids] for ids in completion_ids]


def _tasks(columns: Mapping[str, Any], prompts: Sequence[Any]) -> list[Read]:
    if "reward_model" not in columns:
        raise TaskError(
            f"the rows have no column reward_model (got {', '.join(sorted(columns))}); write them with `egca prepare`, "
            "or with egca_plugin.adapters.trl.dataset"
        )
    count = len(prompts)
    listed = {name: column for name, column in columns.items() if isinstance(column, list) and len(column) == count}
    rows = ({name: column[i] for name, column in listed.items()} for i in range(count))
    return [_read({**row, "prompt": prompt}) for row, prompt in zip(rows, prompts, strict=True)]


def _read(row: Mapping[str, Any]) -> Read:
    try:
        return task_of_row(row, place(row, "a row of the data set"))
    except TaskError as error:  # named at the start already, where the rows could be looked through
        return error


def _row(reader: Reader, task: Read, response: Response, credit: Credit | None, placing: Placing) -> Row | None:
    if task is None:
        return Row.of_another_scorer("reward_funcs", 0.0, response.tokens)
    if credit is None:
        return None
    return reader.row(response, credit, task.task_id if isinstance(task, Task) else "", placing)
