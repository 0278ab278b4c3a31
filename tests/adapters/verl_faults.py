"""Faults for a run, imported into every process of it by VERL_USE_EXTERNAL_MODULES; each strikes in its own process.

The policy is scripted, so that every reward is known beforehand. In step 1 a zygote and a trusted worker are
killed, in step 2 the reward worker (Ray's actor) is, and in step 3 the disk of the records is full.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import scripted_policy
from tiny_policy import TASKS, answers

from egca_plugin.adapters.verl import hooks
from egca_plugin.types import Credit, Task

if TYPE_CHECKING:  # importing it here would be too early
    from egca_plugin.adapters.samples import Ticket
    from egca_plugin.adapters.verl.node import NodeService, ServiceLink
    from egca_plugin.adapters.verl.service import Sample

FOLDER = "EGCA_TEST_FAULTS"  # the environment's name of a folder for what must happen once
EMPTY = "tiny/succ"  # its last answer has no token at all
HANGING = "tiny/double"  # one of its answers never ends
SAMPLES = 4

_POISONS = {
    "exit": "import os\n    os._exit(3)",
    "hang": "while True:\n        pass",
    "bomb": "y = [0]\n    while y:\n        y = y + y\n    return y",
    "raise": "raise ValueError(x)",
}


def tasks() -> list[Task]:
    """Two sound ones, then one for each poisonous reference."""
    tests = ("assert {0}(3) == 9", "assert {0}(-1) == 1")
    poisoned = [
        Task(f"poison/{kind}", f"Write {kind}_square(x).", f"{kind}_square", f"def {kind}_square(x):\n    {body}\n",
             tuple(test.format(f"{kind}_square") for test in tests))
        for kind, body in _POISONS.items()
    ]  # fmt: skip
    return [*TASKS[:2], *poisoned]


def script(task: Task) -> list[str]:
    """What the policy answers, in turn; only the first is right, and an empty text has no token."""
    if task.task_id.startswith("poison/"):
        right = f"def {task.entry_point}(x):\n    y = x * x\n    return y\n"
        task = Task(task.task_id, task.prompt, task.entry_point, right, task.tests)
    said = list(answers(task))
    if task.task_id == EMPTY:
        said[-1] = ""
    if task.task_id == HANGING:
        said[-1] = f"```python\ndef {task.entry_point}(x):\n    while True:\n        pass\n```"
    return said


def _once(name: str) -> bool:
    """True for the first caller of the whole run."""
    try:
        (Path(os.environ[FOLDER]) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _kill_workers() -> None:
    from egca_plugin.adapters.verl.node import NodeService, ServiceLink

    judge, ask = NodeService.judge, ServiceLink.judge

    async def judge_and_strike(self: NodeService, sample: Sample) -> Credit:
        if sample.step == 1 and _once("processes"):
            asyncio.get_running_loop().call_later(0.5, _kill, "sandbox.zygote")
            asyncio.get_running_loop().call_later(1.0, _kill, "sandbox.outside.worker")
        return await judge(self, sample)

    async def ask_and_die(self: ServiceLink, sample: Sample) -> tuple[Credit, Ticket]:
        if sample.step == 2 and _once("reward worker"):
            os.kill(os.getpid(), signal.SIGKILL)
        return await ask(self, sample)

    NodeService.judge = judge_and_strike  # type: ignore[method-assign]
    ServiceLink.judge = ask_and_die  # type: ignore[method-assign]


def _kill(kind: str) -> None:
    """The first process of this kind under this one."""
    for process in psutil.Process().children(recursive=True):
        if kind in " ".join(process.cmdline()):
            process.kill()
            return
    raise AssertionError(f"no {kind} is running")


def _fill_the_disk() -> None:
    from egca_plugin.monitor.records import RecordWriter

    write = RecordWriter.write

    def write_or_not(self: RecordWriter, record: Any) -> None:
        if record["step"] == 3 and _once("disk"):
            self._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
        write(self, record)

    RecordWriter.write = write_or_not  # type: ignore[method-assign]


if FOLDER in os.environ:
    scripted_policy.says({task.prompt: script(task) for task in tasks()})
    hooks.after_import("egca_plugin.adapters.verl.node", _kill_workers)
    hooks.after_import("egca_plugin.monitor.records", _fill_the_disk)
