"""A scripted policy and faults of the credit service, imported into every process of a run by
VERL_USE_EXTERNAL_MODULES.

The tasks have no references. In step 2 the service is killed when the batch is complete, with all that it holds; in
step 3 it credits nothing in time; in step 4 all is well again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import scripted_policy
from tiny_policy import TASKS, answers

from egca_plugin.adapters.verl import hooks
from egca_plugin.types import Task

FOLDER = "EGCA_TEST_GROUPS"  # the environment's name of a folder for what must happen once
KILLED, SLOW, STEPS = 2, 3, 4
WAIT_S = 20.0

_HEAD = "def total(xs):\n    y = 0\n    for x in xs:\n"
PASSED = Task("tiny/double", TASKS[0].prompt, "double", "", TASKS[0].tests)  # one of its group passes
VOTED = Task(  # nothing passes, two fail alike, in one test of four, and the third in another
    "tiny/total",
    "Write total(xs).",
    "total",
    "",
    ("assert total([1, 2]) == 3", "assert total([]) == 0", "assert total([4]) == 4", "assert total([-1]) == -1"),
)
ALIKE = Task("tiny/succ", TASKS[1].prompt, "succ", "", TASKS[1].tests)  # every one of its group is wrong, each its way


def script(task: Task) -> list[str]:
    """What the policy answers, in turn."""
    if task == VOTED:
        bodies = (
            "        y = y + abs(x)\n    return y\n",
            "        y += abs(x)\n    return y\n",
            "        y = y + x + (x == 4)\n    return y\n",
            "        y = 7\n    return y\n",
        )
        return [f"```python\n{_HEAD}{body}```" for body in bodies]
    right, wrong, raising, broken = answers(next(one for one in TASKS if one.task_id == task.task_id))
    if task == PASSED:
        return [wrong, right, raising, broken]
    return [wrong, wrong.replace("+ 5", "+ 7"), wrong.replace("+ 5", "+ 9"), raising]


def _once(name: str) -> bool:
    """True for the first caller of the whole run."""
    try:
        (Path(os.environ[FOLDER]) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _strike() -> None:
    from egca_plugin.adapters.verl.judging import PoolJudge
    from egca_plugin.adapters.verl.node import NodeService

    begin, credit = NodeService.begin, PoolJudge.credit

    async def begin_and_die(self: NodeService, advantages: Any, overtaken: int) -> None:
        if overtaken == KILLED and _once("service"):
            os.kill(os.getpid(), signal.SIGKILL)
        await begin(self, advantages, overtaken)

    async def credit_late(self: PoolJudge, task: Task, samples: Any, step: int | None, **how: Any) -> Any:
        if step == SLOW:
            await asyncio.sleep(600)
        return await credit(self, task, samples, step, **how)

    NodeService.begin = begin_and_die  # type: ignore[method-assign]
    PoolJudge.credit = credit_late  # type: ignore[method-assign]


if FOLDER in os.environ:
    scripted_policy.says({task.prompt: script(task) for task in (PASSED, VOTED, ALIKE)})
    hooks.after_import("egca_plugin.adapters.verl.node", _strike)
