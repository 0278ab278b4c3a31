"""The trainer's side of the credit services: what comes back, what does not, and that nothing waits for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

import ray

from egca_plugin.adapters.samples import Row, Ticket
from egca_plugin.adapters.verl import credits as module
from egca_plugin.adapters.verl.credits import LATE, LOST, Credits
from egca_plugin.adapters.verl.service import Fetched
from egca_plugin.pipeline import PENDING
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan

pytestmark = pytest.mark.slow

EARLY = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, reason=PENDING, restarts={"worker": 1})
WHOLE = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, verified=True, reference="sibling:1")
SPANS = (TokenSpan(1, 2),)


@pytest.fixture(scope="module", autouse=True)
def local_ray() -> Iterator[None]:
    ray.shutdown()  # of whatever an earlier module left
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def open_service() -> Any:
    """Has what it is asked for, but not the group ``lost``; ``late`` is not ready, and ``hang`` hangs."""
    whole, spans = WHOLE, SPANS

    class Service:
        def __init__(self) -> None:
            self.begun: list[Any] = []

        async def begin(self, advantages: Mapping[str, bool], overtaken: int) -> None:
            self.begun.append((dict(advantages), overtaken))

        async def told(self) -> list[Any]:
            return self.begun

        async def fetch(self, wanted: Mapping[str, Sequence[int]], wait_s: float) -> Fetched:
            if "hang" in wanted:
                time.sleep(60)
            there = {(group, place): Row(whole, "t", spans) for group, places in wanted.items() for place in places}
            rows = {at: row for at, row in there.items() if at[0] not in ("lost", "late")}
            return Fetched(rows, frozenset({"late"} & set(wanted)), dropped=2)

        async def state(self) -> bytes:
            return b"held"

        async def restored(self, state: bytes) -> None:
            self.begun.append(state)

    actor = ray.remote(num_cpus=0)(Service).remote()
    ray.get(actor.told.remote())
    return actor


def row(where: str, group: str, place: int = 0) -> Row:
    return Row(EARLY, "t", tokens=3, ticket=Ticket(where, group, place))


def test_each_row_gets_its_own_credit_from_where_it_lies() -> None:
    services = {"a": open_service(), "b": open_service()}
    plain = Row(WHOLE, "t")
    rows = [row("a", "u"), None, row("b", "u", 1), plain, row("b", "v")]
    settled, metrics = Credits(services, wait_s=5).settled(rows)
    assert [one and one.spans for one in settled] == [SPANS, None, SPANS, (), SPANS]
    assert settled[3] is plain
    assert settled[0] is not None
    assert settled[0].credit.reference == "sibling:1"
    assert settled[0].credit.restarts == {"worker": 1}, "what was lost before counts too"
    assert (metrics["egca/credit/split_groups"], metrics["egca/credit/dropped"]) == (1.0, 4.0)


def test_what_cannot_be_had_is_plain_grpo_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE_S", 1.0)
    services = {name: open_service() for name in ("well", "dead", "hung")}
    ray.kill(services["dead"])
    rows = [
        row("well", "lost"),
        row("well", "late"),
        row("well", "u"),
        row("dead", "u"),
        row("hung", "hang"),
        row("?", "u"),
    ]
    began = time.monotonic()
    settled, metrics = Credits(services, wait_s=1.0).settled(rows)
    assert time.monotonic() - began < 20
    assert [one and one.fallback for one in settled] == [LOST, LATE, "", LOST, LATE, LOST]
    for one in settled:
        assert one is not None
        assert one.ticket is None
        assert one.credit.reason == one.fallback
        assert bool(one.spans) == (not one.fallback)
    assert metrics["egca/credit/wait_s"] >= 1.0


def test_the_services_are_told_which_groups_have_an_advantage() -> None:
    service = open_service()
    Credits({"a": service}, wait_s=1).begin([0.0, 1.0, 0.5, 0.5], ["u", "u", "v", "v"], overtaken=7)
    told: list[Any] = []
    for _ in range(100):  # nobody waits for an answer
        told = told or ray.get(service.told.remote(), timeout=30)
        time.sleep(0 if told else 0.1)
    assert told == [({"u": True, "v": False}, 7)]


def test_a_run_that_goes_on_finds_what_the_first_one_held(tmp_path: Path) -> None:
    Credits({"old": open_service()}, wait_s=1).save(tmp_path / "held")
    service = open_service()
    credits = Credits({"new": service}, wait_s=30)
    credits.restore(tmp_path / "nothing")
    credits.restore(tmp_path / "held")
    settled, _ = credits.settled([row("old", "u")])
    assert settled[0] is not None
    assert settled[0].spans == SPANS
    assert ray.get(service.told.remote(), timeout=30) == [b"held"]


def test_a_batch_without_tickets_asks_nobody() -> None:
    rows = [Row(WHOLE, "t"), None]
    settled, metrics = Credits({}, wait_s=60).settled(rows)
    assert settled == rows
    assert metrics["egca/credit/wait_s"] < 1
