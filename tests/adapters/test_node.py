"""A reward worker's way to the credit services: a group has one home, and where that is lost another serves."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

pytest.importorskip("verl")

import tiny_policy as policy
from ray.exceptions import RayActorError, RayTaskError

from egca_plugin.adapters.responses import Response
from egca_plugin.adapters.samples import Placing, Ticket
from egca_plugin.adapters.verl.node import ServiceLink
from egca_plugin.adapters.verl.service import Sample
from egca_plugin.errors import SandboxError
from egca_plugin.types import Completion, Credit, Mode, Outcome

CREDIT = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1)


class Remote:
    """A method of an actor; ``error`` is what awaiting its answer raises."""

    def __init__(self, heard: list[Any], error: Exception | None) -> None:
        self._heard, self._error = heard, error

    async def remote(self, *asked: Any) -> Credit:
        if self._error is not None:
            raise self._error
        self._heard.append(asked)
        return CREDIT


class Actor:
    def __init__(self, error: Exception | None = None) -> None:
        self.judged: list[Any] = []
        self.others: list[Any] = []
        self.judge, self.alone = Remote(self.judged, error), Remote(self.others, error)


def sample(group: str, place: int) -> Sample:
    return Sample(Ticket("", group, place), policy.TASKS[0], Response("text", 1, None), 1, Placing())


def judged(link: ServiceLink, *samples: Sample) -> list[Ticket]:
    async def all_of_them() -> list[Ticket]:
        return [(await link.judge(one))[1] for one in samples]

    return asyncio.run(all_of_them())


def test_whichever_worker_has_it_a_group_comes_to_one_home_and_groups_are_spread() -> None:
    services = {name: Actor() for name in ("b", "a", "c")}
    samples = [sample(f"group-{group}", place) for group in range(60) for place in range(2)]
    tickets = judged(ServiceLink(services, "a"), *samples)
    assert tickets == judged(ServiceLink(dict(reversed(services.items())), "c"), *samples)
    homes = {ticket.group: ticket.where for ticket in tickets}
    assert all(ticket.where == homes[ticket.group] for ticket in tickets)
    assert min(Counter(homes.values()).values()) > 8
    assert all(one.ticket.where == name for name, actor in services.items() for (one,) in actor.judged)


def test_where_the_home_is_lost_another_serves_and_has_the_ticket() -> None:
    services = {name: Actor(RayActorError() if name == "a" else None) for name in ("a", "b")}
    tickets = judged(ServiceLink(services, "a"), *(sample(f"group-{group}", 0) for group in range(20)))
    assert {ticket.where for ticket in tickets} == {"b"}


@pytest.mark.parametrize("error", [RayActorError(), RayTaskError("judge", "", SandboxError("broken"))])
def test_a_sandbox_that_is_broken_and_services_that_are_gone_are_errors(error: Exception) -> None:
    with pytest.raises(SandboxError):
        judged(ServiceLink({"a": Actor(error), "b": Actor(error)}, "a"), sample("u", 0))


def test_what_waits_for_no_group_is_judged_on_the_workers_own_node() -> None:
    services = {name: Actor() for name in ("a", "b", "c")}
    asyncio.run(ServiceLink(services, "b")(policy.TASKS[0], Completion("text"), None, judge_only=True))
    assert [len(actor.others) for actor in services.values()] == [0, 1, 0]
