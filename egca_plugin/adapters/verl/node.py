"""The credit service of a node as a Ray actor: who makes it, under which name reward workers and the trainer find it.

The trainer makes one on every node that has reward workers, and owns it: a reward worker that dies takes nobody's
credit along. Ray starts an actor that died again and repeats the calls that it was answering; what it held is lost, and
those samples keep plain GRPO credit, counted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import ray
from omegaconf import DictConfig
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Ticket
from egca_plugin.adapters.verl import settings
from egca_plugin.adapters.verl.judging import PoolJudge, share_of_cores, was_restarted
from egca_plugin.adapters.verl.service import CreditService, Fetched, Sample
from egca_plugin.errors import SandboxError
from egca_plugin.types import Completion, Credit, Task

logger = logging.getLogger(__name__)

KIND = "credit_service"
RESTARTS = 20  # of one service in one run
LARGEST = 4  # a group that takes longer than so many samples may take is credited one by one
REPEATS = 2  # of one call: its sample may have been what killed the actor
_PREFIX = "egca_credit_"  # of the actors' names; what follows is the node
AT_ONCE = 100_000  # calls; each waits for a worker, and none keeps another from being heard


class NodeService:
    """What runs in the actor. ``managers``: reward workers of this node, in whose place it has its pool."""

    def __init__(self, config: DictConfig, managers: int) -> None:
        chosen = settings.read(config)
        size = int(config.actor_rollout_ref.rollout.n)
        workers = managers * (chosen.egca.sandbox.workers or share_of_cores(managers))
        self._phases = PoolJudge(chosen, workers, largest_group=min(size, LARGEST), kind=KIND)
        everyone = settings.credits_everyone(config, chosen)
        to_row = Reader(_tokenizer(config)).row
        self._service = CreditService(self._phases, to_row=to_row, size=size, at_once=workers, everyone=everyone)

    async def alone(self, task: Task, completion: Completion, step: int | None, judge_only: bool) -> Credit:
        """All that there is to say of a sample that waits for no group."""
        return await self._phases(task, completion, step, judge_only=judge_only)

    async def judge(self, sample: Sample) -> Credit:
        """See :meth:`CreditService.judge`."""
        return await self._service.judge(sample)

    async def begin(self, advantages: Mapping[str, bool], overtaken: int) -> None:
        """See :meth:`CreditService.begin`."""
        self._service.begin(advantages, overtaken)

    async def fetch(self, wanted: Mapping[str, Sequence[int]], wait_s: float) -> Fetched:
        """See :meth:`CreditService.fetch`."""
        return await self._service.fetch(wanted, wait_s)

    async def state(self) -> bytes:
        """See :meth:`CreditService.state`."""
        return self._service.state()

    async def restored(self, state: bytes) -> None:
        """See :meth:`CreditService.restored`."""
        self._service.restored(state)


def _tokenizer(config: DictConfig) -> Any:
    """The one that verl's reward workers have (reward_loop.py:120)."""
    # Not at the top: verl would load its external modules then, and those may want this one.
    from verl.utils.fs import copy_to_local
    from verl.utils.tokenizer import hf_tokenizer

    model = config.actor_rollout_ref.model
    return hf_tokenizer(copy_to_local(model.get("tokenizer_path") or model.path), trust_remote_code=True)


def name_of(node: str) -> str:
    """The actor's name on a node, within the run's Ray namespace."""
    return f"{_PREFIX}{node}"


def open_services(config: DictConfig, nodes: Sequence[str]) -> dict[str, Any]:
    """One actor on each of ``nodes``, the node of every reward worker in turn; by node."""
    found = {}
    for node, managers in Counter(nodes).items():
        options = {
            "name": name_of(node),
            "num_cpus": 0,
            "max_restarts": RESTARTS,
            "max_task_retries": REPEATS,
            "max_concurrency": AT_ONCE,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
        }
        found[node] = ray.remote(NodeService).options(**options).remote(config, managers)
    return found


class ServiceLink:
    """A reward worker's way to the services. verl draws a reward worker for each sample, so that a group comes to all
    of them; each sends its samples to the group's home, where it is whole.

    ``services``: actors by node; ``here``: the node whose own judges what has no group.
    """

    def __init__(self, services: Mapping[str, Any], here: str) -> None:
        self._services = sorted(services.items())
        self._here = next((n for n, (node, _) in enumerate(self._services) if node == here), 0)
        self._restarted = was_restarted()
        if self._restarted:
            logger.warning("egca: this reward worker died and was started again by Ray; its samples are judged again")

    async def __call__(
        self, task: Task, completion: Completion, step: int | None, *, judge_only: bool = False
    ) -> Credit:
        """The credit of a sample that waits for no group. Raises SandboxError."""
        credit, _ = await self._first(
            self._here, lambda _, actor: actor.alone.remote(task, completion, step, judge_only)
        )
        return credit

    async def judge(self, sample: Sample) -> tuple[Credit, Ticket]:
        """The credit of a sample before its group is credited, and where the rest is. Raises SandboxError."""

        def ask(node: str, actor: Any) -> Any:
            return actor.judge.remote(replace(sample, ticket=replace(sample.ticket, where=node)))

        kept = sample.response.tokens > 0  # verl gives up a response without a token, and what it tells with it
        credit, node = await self._first(crc32(sample.ticket.group.encode()), ask, kept=kept)
        return credit, replace(sample.ticket, where=node)

    async def _first(self, start: int, ask: Callable[[str, Any], Any], *, kept: bool = True) -> tuple[Credit, str]:
        """The answer of the first service that lives, and its node: where a group's home is lost, another serves.

        The first credit that is ``kept`` tells that this process was started again.
        """
        for offset in range(len(self._services)):
            node, actor = self._services[(start + offset) % len(self._services)]
            try:
                credit: Credit = await ask(node, actor)
            except RayTaskError as error:  # the service's own, which no other would answer otherwise
                raise SandboxError(f"the credit service of node {node}: {error}") from error
            except RayError as error:
                logger.warning("egca: the credit service of node %s does not answer: %s", node, error)
                continue
            if self._restarted and kept:
                self._restarted = False
                credit = replace(credit, restarts={**credit.restarts, "reward_worker": 1})
            return credit, node
        raise SandboxError("no credit service of any node answers; see Ray's logs, and `egca doctor` on a node")


def find_services() -> ServiceLink | None:
    """The services of this run, where its trainer has made some."""
    if not ray.is_initialized():
        return None
    names = [name for name in ray.util.list_named_actors() if name.startswith(_PREFIX)]
    here = ray.get_runtime_context().get_node_id()
    return ServiceLink({name.removeprefix(_PREFIX): ray.get_actor(name) for name in names}, here) if names else None
