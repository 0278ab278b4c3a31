"""The trainer's side of the credit services: says early which samples it will ask for, and fetches their credits."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from egca_plugin.adapters.samples import Row
from egca_plugin.adapters.verl.service import Fetched

logger = logging.getLogger(__name__)

LOST = "credit_lost"  # its service died, or held no more of it
LATE = "credit_late"  # its service was not ready in time
_GRACE_S = 5.0  # for the answer itself
_SAVE_S = 60.0


class Credits:
    """One a trainer. ``services``: actors by node; ``wait_s``: how long one batch may wait for its credits."""

    def __init__(self, services: Mapping[str, Any], wait_s: float) -> None:
        self._services, self._wait_s = services, wait_s
        self._heirs: dict[str, str] = {}  # of nodes of the run that is gone on with

    def begin(self, rewards: Sequence[float], groups: Sequence[str], overtaken: int) -> None:
        """A batch is complete: no more samples of its ``groups``, one name a row, will come. Waits for nothing.

        Samples of steps before ``overtaken`` will not be asked for.
        """
        by_group: defaultdict[str, set[float]] = defaultdict(set)
        for group, reward in zip(groups, rewards, strict=True):
            by_group[group].add(reward)
        advantages = {group: len(different) > 1 for group, different in by_group.items()}
        for service in self._services.values():
            service.begin.remote(advantages, overtaken)

    def settled(self, rows: Sequence[Row | None]) -> tuple[list[Row | None], dict[str, float]]:
        """``rows`` with the rest of their credits, and how the waiting went: metrics under ``egca/credit/``.

        A sample whose credit cannot be had keeps plain GRPO credit with the fallback LOST or LATE. Never raises on
        account of a service.
        """
        began = time.monotonic()
        wanted: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        nodes: defaultdict[str, set[str]] = defaultdict(set)
        for ticket in (row.ticket for row in rows if row is not None and row.ticket is not None):
            where = self._heirs.get(ticket.where, ticket.where)
            wanted[where][ticket.group].add(ticket.sample)
            nodes[ticket.group].add(where)
        fetched = self._fetched({node: {g: sorted(s) for g, s in by.items()} for node, by in wanted.items()})
        settled = [row and self._settled(row, fetched) for row in rows]
        return settled, {
            "egca/credit/wait_s": time.monotonic() - began,
            "egca/credit/split_groups": float(sum(len(there) > 1 for there in nodes.values())),
            "egca/credit/dropped": float(sum(answer.dropped for answer in fetched.values())),
        }

    def _fetched(self, wanted: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, Fetched]:
        """What each node has; nothing of one that died, and only late groups of one that does not answer."""
        asked = {
            self._services[node].fetch.remote(groups, self._wait_s): node
            for node, groups in wanted.items()
            if node in self._services
        }
        if not asked:
            return {}
        ready, late = ray.wait(list(asked), num_returns=len(asked), timeout=self._wait_s + _GRACE_S)
        found = {}
        for answer in ready:
            try:
                found[asked[answer]] = ray.get(answer)
            except RayError as error:
                logger.warning("egca: node %s: its credit service is lost, plain GRPO credit: %s", asked[answer], error)
        for answer in late:
            logger.warning("egca: node %s: its credit service is late, plain GRPO credit", asked[answer])
            ray.cancel(answer)
            found[asked[answer]] = Fetched({}, frozenset(wanted[asked[answer]]))
        return found

    def _settled(self, row: Row, fetched: Mapping[str, Fetched]) -> Row:
        if row.ticket is None:
            return row
        where, group, place = self._heirs.get(row.ticket.where, row.ticket.where), row.ticket.group, row.ticket.sample
        answer = fetched.get(where, Fetched({}))
        rest = answer.rows.get((group, place))
        if rest is None:
            return row.without_rest(LATE if group in answer.late else LOST)
        return row.completed(rest)

    def save(self, folder: Path) -> None:
        """What the services hold, a file each, beside a checkpoint with its samples; of one that is lost, nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        asked = {node: service.state.remote() for node, service in self._services.items()}
        for node, answer in asked.items():
            try:
                state: bytes = ray.get(answer, timeout=_SAVE_S)
                (folder / f"{node}.partial").write_bytes(state)
                (folder / f"{node}.partial").replace(folder / node)
            except (RayError, OSError) as error:
                logger.warning("egca: node %s: what its credit service holds could not be saved: %s", node, error)

    def restore(self, folder: Path) -> None:
        """What :meth:`save` kept, if anything, among the services of this run."""
        here = list(self._services)
        for number, file in enumerate(sorted(file for file in folder.glob("*") if not file.suffix)):
            heir = self._heirs[file.name] = here[number % len(here)]
            self._services[heir].restored.remote(file.read_bytes())
