"""In OpenRLHF's rollout workers: an executor whose samples are judged by the sandbox.

``judged(Executor)`` makes one of any executor, a multi-turn one included; :mod:`.agent` has the single-turn one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from openrlhf.utils.agent import AgentExecutorBase, SingleTurnAgentExecutor

from egca_plugin.adapters import unjudged
from egca_plugin.adapters.groups import PoolJudge, Seat, Together
from egca_plugin.adapters.openrlhf.asking import Answer, Ask
from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.errors import FrameworkError, TaskError
from egca_plugin.pipeline import Group
from egca_plugin.tasks.rows import place, task_of_row
from egca_plugin.types import Task, TokenSpan

SCORER = "executor"  # who rewards a sample that is no code


class JudgingMixin(AgentExecutorBase):
    """Over an executor: judges what it sampled, and puts reward and credit into its answer."""

    _together: Together | None = None
    _reader: Reader | None = None

    async def execute(self, prompt: str, label: Any, *args: Any, **more: Any) -> Any:
        """The executor's answer with the sandbox's reward. A row that is no code keeps the executor's own.

        A sample that could not be judged has the mean reward of its siblings, so that it moves none of them.

        Raises FrameworkError for a label without EGCA's settings, SandboxError where the sandbox is broken.
        """
        if not isinstance(label, Ask):
            raise FrameworkError(
                "the EGCA executor was asked without a task: start training with "
                "`python -m egca_plugin.adapters.openrlhf.train` in place of `python -m openrlhf.cli.train_ppo_ray`"
            )
        task = task_of(label.label, prompt)
        seat = self._seat(label, task) if isinstance(task, Task) else None
        try:
            output = await super().execute(prompt, label.label, *args, **more)
            first, response = self._read(output, more["hf_tokenizer"] if "hf_tokenizer" in more else args[2])
        except BaseException:  # whatever it was, its siblings must not wait for this sample; raised again
            if seat is not None:
                seat.leave()
            raise
        placing = Placing.of(label.settings.egca, label.settings.enabled)
        assert self._reader is not None  # it has read
        row, reward = await _credited(task, seat, self._reader, response, placing, output["reward"])
        output.update(label=Answer(label.label, row, first), reward=reward, scores=reward)
        return output

    def _seat(self, ask: Ask, task: Task) -> Seat:
        if self._together is None:
            self._together = Together(PoolJudge(ask.settings.egca, largest_group=ask.samples))
        return self._together.seat(ask, Group(task, (), ask.step, ask.judge_only), ask.samples)

    def _read(self, output: dict[str, Any], tokenizer: Any) -> tuple[int, Response]:
        """Where the first sampled token stands, and what was sampled from there to the last."""
        if self._reader is None:
            self._reader = Reader(getattr(tokenizer, "tokenizer", tokenizer))  # a processor has one
        ids = output["observation_tokens"]
        ranges = [(start, end) for start, end in output["action_ranges"] if end > start]
        first, end = (ranges[0][0], ranges[-1][1]) if ranges else (len(ids), len(ids))
        gaps = pairwise(ranges)  # what the environment said
        foreign = tuple(TokenSpan(one[1] - first, other[0] - first) for one, other in gaps if one[1] < other[0])
        return first, self._reader.read([int(token) for token in ids[first:end]], foreign)


def judged(executor: type[AgentExecutorBase]) -> type[AgentExecutorBase]:
    """``executor`` with the sandbox's rewards and credits."""
    return type(f"Judged{executor.__name__}", (JudgingMixin, executor), {})


def task_of(label: Any, prompt: str) -> Task | TaskError | None:
    """A row's task, why it cannot be read (said at the start already), None where it is no code."""
    row = {"reward_model": label, "prompt": prompt}
    try:
        return task_of_row(row, place(row, "a row of the data set"))
    except TaskError as error:
        return error


async def _credited(
    task: Task | TaskError | None, seat: Seat | None, reader: Reader, response: Response, placing: Placing, own: Any
) -> tuple[Row | None, float]:
    """A sample's credit on its tokens, and its reward; ``own`` is the executor's."""
    if seat is not None and isinstance(task, Task):
        credit, mean = await seat.judged(response.text)
        return (None, mean) if credit is None else (reader.row(response, credit, task.task_id, placing), credit.reward)
    if isinstance(task, TaskError):
        return reader.row(response, unjudged.bad_task(task), "", placing), 0.0
    reward = float(own or 0.0)
    return Row.of_another_scorer(SCORER, reward, response.tokens), reward


SingleTurn = judged(SingleTurnAgentExecutor)
