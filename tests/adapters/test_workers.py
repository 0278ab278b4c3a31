"""Reward workers: whoever does not start is named, and whoever dies comes back with the call that it was answering."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

import ray

from egca_plugin.adapters.verl import workers
from egca_plugin.errors import FrameworkError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def local_ray() -> Iterator[None]:
    ray.shutdown()  # of whatever an earlier module left
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def worker_that(deed: str) -> type:
    class Worker:
        def __init__(self) -> None:
            if deed == "fails":
                raise OSError("no room for a sandbox")
            if deed == "lacks the plugin":
                raise ValueError("Unknown reward manager: egca")
            if deed == "hangs":
                time.sleep(60)

    return Worker


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("fails", r"reward worker 1 of 2: it could not be built: OSError: no room for a sandbox; check with `egca doc"),
        ("lacks the plugin", r"reward worker 1 of 2: egca-plugin is not loaded in the process of a Ray worker"),
        ("hangs", r"reward worker 1 of 2 did not start within 3 s"),
    ],
)
def test_the_worker_that_does_not_start_is_named_with_the_cause(deed: str, said: str) -> None:
    actors = [ray.remote(num_cpus=0)(worker_that(kind)).remote() for kind in ("works", deed)]
    with pytest.raises(FrameworkError, match=said):
        workers.await_ready(actors, timeout_s=3.0)
    ray.kill(actors[1])


def test_a_killed_worker_comes_back_and_answers_the_call_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    been = tmp_path / "been"

    class Worker:
        async def compute_score(self) -> bool:
            if not been.exists():
                been.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return bool(ray.get_runtime_context().was_current_actor_reconstructed)

    class Manager(workers.LastingRewardLoopManager):
        def __init__(self) -> None:
            self.reward_loop_workers_class: Any = None

    def start(self: Any) -> None:
        self.reward_loop_workers = [self.reward_loop_workers_class.options(name="reward_loop_worker_0").remote()]

    monkeypatch.setattr(workers, "RewardLoopWorker", Worker)
    monkeypatch.setattr(workers.RewardLoopManager, "_init_reward_loop_workers", start)
    manager = Manager()
    manager._init_reward_loop_workers()
    assert ray.get(manager.reward_loop_workers[0].compute_score.remote(), timeout=60) is True


def test_verls_own_name_is_put_back() -> None:
    from verl.trainer.ppo.v1 import trainer_base

    plain = trainer_base.RewardLoopManager
    with workers.lasting_reward_workers(trainer_base):
        assert trainer_base.RewardLoopManager is workers.LastingRewardLoopManager
    assert trainer_base.RewardLoopManager is plain
