"""verl's reward workers, made to outlive a crash and to say at the start why one cannot work.

verl starts its reward workers as plain Ray actors: one that is killed takes every later sample with it, and one that
cannot be built (no plugin on its node, no sandbox on its host) is noticed when nothing comes back. Here Ray starts a
dead one again and repeats the calls that it was answering, and a run begins when every worker has said that it is
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from verl.experimental.reward_loop import RewardLoopManager
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker

from egca_plugin.adapters.verl.node import open_services
from egca_plugin.errors import FrameworkError

START_S = 300.0  # importing verl takes most of it
RESTARTS = 20  # of one worker in one run
REPEATS = 2  # of one sample: it may have been what killed the worker
_NOT_REGISTERED = "Unknown reward manager: egca"


class LastingRewardLoopManager(RewardLoopManager):
    """verl's manager with workers that Ray restarts."""

    def _init_reward_loop_workers(self) -> None:
        self.reward_loop_workers_class = ray.remote(max_restarts=RESTARTS, max_task_retries=REPEATS)(RewardLoopWorker)
        super()._init_reward_loop_workers()


class CreditingRewardLoopManager(LastingRewardLoopManager):
    """With a credit service on every node that verl gives reward workers, there before they are."""

    credit_services: dict[str, Any]  # actors, by node

    def _init_reward_loop_workers(self) -> None:
        nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
        workers = self.config.reward.num_workers  # in turn, as verl places them (reward_loop.py:320)
        self.credit_services = open_services(self.config, [nodes[i % len(nodes)] for i in range(workers)])
        super()._init_reward_loop_workers()


@contextmanager
def lasting_reward_workers(
    module: Any, manager: type[LastingRewardLoopManager] = LastingRewardLoopManager
) -> Iterator[None]:
    """Within the ``with`` block, reward workers that are made by the name in ``module`` last."""
    plain = module.RewardLoopManager
    module.RewardLoopManager = manager
    try:
        yield
    finally:
        module.RewardLoopManager = plain


def await_ready(workers: Sequence[Any], timeout_s: float = START_S, what: str = "reward worker") -> None:
    """Wait until every actor is built. Raises FrameworkError that names the first one that is not, and why."""
    answers = [worker.__ray_ready__.remote() for worker in workers]
    for number, answer in enumerate(answers):
        try:
            ray.get(answer, timeout=timeout_s)
        except GetTimeoutError as error:
            raise FrameworkError(
                f"{what} {number} of {len(workers)} did not start within {timeout_s:g} s; see Ray's logs of its "
                "node, and `egca doctor` there"
            ) from error
        except RayError as error:
            raise FrameworkError(f"{what} {number} of {len(workers)}: {_reason(str(error))}") from error


def _reason(said: str) -> str:
    if _NOT_REGISTERED in said:
        return (
            "egca-plugin is not loaded in the process of a Ray worker, so verl knows no reward manager `egca` there. "
            "Install egca-plugin into the environment of every node (or into Ray's runtime_env), and check with "
            "`egca doctor` on the node"
        )
    return f"it could not be built: {said.strip().splitlines()[-1]}; check with `egca doctor` on its node"
