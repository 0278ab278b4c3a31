"""Faults for a run, imported into every process of it by VERL_USE_EXTERNAL_MODULES; each strikes in its own process.

The policy is scripted, so that every reward is known beforehand. In step 1 a zygote and a trusted worker are killed, in
step 2 the reward worker (Ray's actor) is, and in step 3 the disk of the records is full.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from tiny_policy import TASKS, answers

from egca_plugin.adapters.verl import hooks
from egca_plugin.types import Task

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


def _script_the_policy() -> None:
    from transformers import AutoTokenizer

    from egca_plugin.adapters.verl.policy_cpu import Policy

    asked: Counter[str] = Counter()

    def generate(self: Policy, prompts: list[list[int]], sampling: Any) -> list[tuple[list[int], list[float], bool]]:
        tokenizer = AutoTokenizer.from_pretrained(self.model.config.name_or_path)
        said = []
        for prompt in prompts:
            text = tokenizer.decode(prompt)
            task = next(task for task in tasks() if task.prompt in text)
            answer = script(task)[asked[task.task_id] % SAMPLES]
            asked[task.task_id] += 1
            ids = [*tokenizer(answer).input_ids, tokenizer.eos_token_id] if answer else []
            said.append((ids, [-1.0] * len(ids), True))
        return said

    Policy.generate = generate  # type: ignore[method-assign]


def _kill_workers() -> None:
    from egca_plugin.adapters.verl.judging import PoolJudge

    judge = PoolJudge.__call__

    async def judge_and_strike(self: PoolJudge, task: Task, completion: Any, step: int | None, **how: Any) -> Any:
        if step == 1 and _once("processes"):
            asyncio.get_running_loop().call_later(0.5, _kill, "sandbox.zygote")
            asyncio.get_running_loop().call_later(1.0, _kill, "sandbox.worker")
        if step == 2 and _once("reward worker"):
            os.kill(os.getpid(), signal.SIGKILL)
        return await judge(self, task, completion, step, **how)

    PoolJudge.__call__ = judge_and_strike  # type: ignore[method-assign,assignment]


def _kill(kind: str) -> None:
    """The first process of this kind under this one."""
    for process in psutil.Process().children(recursive=True):
        if kind in " ".join(process.cmdline()):
            process.kill()
            return
    raise AssertionError(f"no {kind} is running")


def _fill_the_disk() -> None:
    from egca_plugin.records import RecordWriter

    write = RecordWriter.write

    def write_or_not(self: RecordWriter, record: Any) -> None:
        if record["step"] == 3 and _once("disk"):
            self._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
        write(self, record)

    RecordWriter.write = write_or_not  # type: ignore[method-assign]


if FOLDER in os.environ:
    hooks.after_import("egca_plugin.adapters.verl.policy_cpu", _script_the_policy)
    hooks.after_import("egca_plugin.adapters.verl.judging", _kill_workers)
    hooks.after_import("egca_plugin.records", _fill_the_disk)
