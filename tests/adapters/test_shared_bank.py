"""The bank through a real Ray: two processes with folders of their own, as on two nodes, and the loss of the actor."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("verl")

import ray

from egca_plugin.adapters.verl import shared_bank
from egca_plugin.adapters.verl.shared_bank import BankLink, OwnedBank
from egca_plugin.references import Bank, DirectoryStore
from egca_plugin.references.store import Entry, key_of
from egca_plugin.types import Task

pytestmark = pytest.mark.verl

TASK = Task("t/0", "", "total", "", ("assert total([1, 2]) == 3",))
RECURSIVE = "def total(xs):\n    if not xs:\n        return 0\n    return xs[0] + total(xs[1:])\n"
LIBRARY = "def total(xs):\n    return sum(xs)\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    here = {"env_vars": {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}}
    ray.shutdown()  # of whatever an earlier module left
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False, runtime_env=here)
    yield
    ray.shutdown()


@pytest.fixture
def run(cluster: None, tmp_path: Path) -> Iterator[tuple[str, OwnedBank]]:
    """A run whose trainer keeps the bank in ``tmp_path/trainer``."""
    folder = str(tmp_path / "trainer")
    owned = OwnedBank(folder)
    yield folder, owned
    ray.kill(owned._actor)


class Node:
    """A reward worker whose folder is its own: on another node the same path is another disk."""

    def __init__(self, run: str, folder: str) -> None:
        self._link = BankLink(folder, every_s=0.05, retry_s=0.05)
        self._link._name = shared_bank.name_of(run)
        self._folder = folder

    def bank(self, source: str) -> None:
        DirectoryStore(Path(self._folder)).update(key_of(TASK), lambda kept: (*kept, Entry(source, 1)))

    async def judged(self, seconds: float) -> tuple[tuple[str, ...], int]:
        """One sample was judged; the bank ``seconds`` later, and the failures until then."""
        self._link.saw(TASK)
        await asyncio.sleep(seconds)
        return Bank(DirectoryStore(Path(self._folder))).programs(TASK), self._link.failed


def test_what_one_node_banked_another_compares_with(run: tuple[str, OwnedBank], tmp_path: Path) -> None:
    folder, owned = run
    nodes = [ray.remote(Node).options(num_cpus=0).remote(folder, str(tmp_path / name)) for name in ("a", "b")]
    ray.get([node.bank.remote(source) for node, source in zip(nodes, (RECURSIVE, LIBRARY), strict=True)])
    deadline = time.monotonic() + 60
    found: list[tuple[tuple[str, ...], int]] = []
    while not found or any(len(programs) < 2 for programs, _ in found):
        assert time.monotonic() < deadline, found
        found = ray.get([node.judged.remote(0.3) for node in nodes])
    assert [set(programs) for programs, _ in found] == [{RECURSIVE, LIBRARY}] * 2
    assert [failed for _, failed in found] == [0, 0]
    metrics = owned.metrics()
    assert (metrics["egca/bank/programs"], metrics["egca/bank/lost"]) == (2, 0)
    assert metrics["egca/bank/exchanges"] >= 2


def test_a_resumed_run_finds_them_where_the_trainer_kept_them(run: tuple[str, OwnedBank], tmp_path: Path) -> None:
    folder, owned = run
    entries = (Entry(RECURSIVE, 3),)
    assert ray.get(owned._actor.exchange.remote([(TASK, entries)])) == [entries]
    ray.kill(owned._actor)
    resumed = OwnedBank(folder)
    assert ray.get(resumed._actor.exchange.remote([(TASK, ())])) == [entries]
    ray.kill(resumed._actor)


def test_a_lost_actor_is_counted_and_keeps_nobody_waiting(
    run: tuple[str, OwnedBank], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, owned = run
    ray.kill(owned._actor)
    node = Node(folder, str(tmp_path / "a"))
    node.bank(LIBRARY)
    with caplog.at_level(logging.WARNING):
        programs, failed = asyncio.run(node.judged(1.0))
        assert owned.metrics() == {"egca/bank/lost": 1.0}
        began = time.monotonic()
        assert owned.metrics() == {"egca/bank/lost": 1.0}
    assert time.monotonic() - began < 0.1, "it is not asked again"
    assert (programs, failed) == ((LIBRARY,), 1)
    assert "this node's own serves" in caplog.text


def test_judging_goes_on_while_an_exchange_hangs(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(name: str) -> None:
        time.sleep(0.5)
        raise ValueError(name)

    monkeypatch.setattr(ray, "get_actor", hang)

    async def judge() -> tuple[float, int]:
        link = BankLink(str(tmp_path), every_s=0.0, retry_s=0.0)
        link.saw(TASK)
        await asyncio.sleep(0.05)
        began = time.monotonic()
        for _ in range(1000):
            link.saw(TASK)
        took = time.monotonic() - began
        await asyncio.sleep(0.7)
        return took, link.failed

    took, failed = asyncio.run(judge())
    assert took < 0.2
    assert failed >= 1
