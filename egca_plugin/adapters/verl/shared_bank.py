"""The reference bank across nodes: an actor beside the trainer, and a link from each reward worker's local bank to it.

Pool workers bank into a folder of their node, as ever. Between that folder and the actor a task of the reward worker's
event loop carries what is new, both ways, some seconds late: no reward waits for it. Where the actor cannot be reached
the folder alone serves, which is counted and tried again.

The actor keeps its programs in that folder on the trainer's node, where the checkpoints are: a resumed run has them.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from egca_plugin.references import Bank, DirectoryStore
from egca_plugin.references.store import Entries, key_of
from egca_plugin.types import Task

EVERY_S = 2.0  # between two exchanges of one reward worker
TIMEOUT_S = 10.0  # of an exchange
RETRY_S = 30.0  # after one that failed
BATCH = 64  # tasks of an exchange
WAITING = 4096  # tasks that wait for theirs
_COUNT_S = 1.0  # that a training step waits to be told the actor's counts

_log = logging.getLogger(__name__)


class SharedBank:
    """What runs in the actor: the union of all nodes' banks, by the bank's own choice of the few that it keeps."""

    def __init__(self, folder: str) -> None:
        self._bank = Bank(DirectoryStore(Path(folder)))
        self._exchanges = 0
        self._programs: dict[str, int] = {}

    def exchange(self, banked: Sequence[tuple[Task, Entries]]) -> list[Entries]:
        """Add one node's programs of some tasks; gives what the whole run has of each."""
        self._exchanges += 1
        found = [self._bank.adopt(task, entries) for task, entries in banked]
        self._programs.update((key_of(task), len(kept)) for (task, _), kept in zip(banked, found, strict=True))
        return found

    def counts(self) -> dict[str, int]:
        """Programs of the tasks that this run has met, and exchanges."""
        return {"programs": sum(self._programs.values()), "exchanges": self._exchanges}


def name_of(folder: str) -> str:
    """The actor's name: runs with other folders, even in one Ray namespace, have other banks."""
    return f"egca_bank_{hashlib.sha256(folder.encode()).hexdigest()[:12]}"


class OwnedBank:
    """The trainer's hold on the actor, which lives on the trainer's node and as long as the trainer's process."""

    def __init__(self, folder: str) -> None:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        options = {"name": name_of(folder), "get_if_exists": True, "num_cpus": 0, "max_restarts": 3}
        self._actor: Any = ray.remote(SharedBank).options(scheduling_strategy=here, **options).remote(folder)
        self._lost = False

    def metrics(self) -> dict[str, float]:
        """``egca/bank/*`` of this step; a lost actor costs one step a second, and the next ones nothing."""
        if not self._lost:
            try:
                counts = ray.get(self._actor.counts.remote(), timeout=_COUNT_S)
                return {f"egca/bank/{name}": float(count) for name, count in counts.items()} | {"egca/bank/lost": 0.0}
            except RayError as error:
                self._lost = True
                _log.warning("egca: the shared bank does not answer (%s); each node goes on with its own", error)
        return {"egca/bank/lost": 1.0}


class BankLink:
    """One reward worker's link; ``saw`` costs a dictionary entry. ``failed`` counts exchanges that came to nothing."""

    def __init__(self, folder: str, *, every_s: float = EVERY_S, retry_s: float = RETRY_S) -> None:
        self._name = name_of(folder)
        self._store = DirectoryStore(Path(folder))
        self._bank = Bank(self._store)
        self._every_s, self._retry_s = every_s, retry_s
        self._seen: dict[str, Task] = {}
        self._carrier: asyncio.Task[None] | None = None
        self.failed = 0

    def saw(self, task: Task) -> None:
        """A sample of ``task`` was judged: its programs are exchanged soon. Call it in the event loop."""
        self._seen[key_of(task)] = task
        if len(self._seen) > WAITING:
            self._seen.pop(next(iter(self._seen)))
        if self._carrier is None or self._carrier.done():
            self._carrier = asyncio.get_running_loop().create_task(self._carry())

    async def _carry(self) -> None:
        while self._seen:
            await asyncio.sleep(self._every_s)
            keys = list(self._seen)[:BATCH]
            tasks = [self._seen.pop(key) for key in keys]
            try:
                await self._exchange(tasks)
            except (RayError, ValueError, OSError, TimeoutError, asyncio.TimeoutError) as error:
                self.failed += 1
                if self.failed == 1:
                    _log.warning("egca: the shared bank cannot be reached (%r); this node's own serves", error)
                await asyncio.sleep(self._retry_s)

    async def _exchange(self, tasks: Sequence[Task]) -> None:
        """Whatever may block, locks and look-ups, does so in a thread. Raises ValueError where there is no actor."""
        banked = await asyncio.to_thread(lambda: [(task, self._store.load(key_of(task))) for task in tasks])
        actor = await asyncio.to_thread(ray.get_actor, self._name)
        answer: asyncio.Future[list[Entries]] = asyncio.wrap_future(actor.exchange.remote(banked).future())
        theirs = await asyncio.wait_for(answer, TIMEOUT_S)
        await asyncio.to_thread(lambda: [self._bank.adopt(t, e) for t, e in zip(tasks, theirs, strict=True)])
