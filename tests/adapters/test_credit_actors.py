"""Credit services as Ray actors over real sandboxes: from a reward worker's samples to the trainer's rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("verl")

import ray
import tiny_policy as policy
from omegaconf import OmegaConf

from egca_plugin.adapters.responses import Response
from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.adapters.verl.credits import LOST, Credits
from egca_plugin.adapters.verl.node import find_services, open_services
from egca_plugin.adapters.verl.service import Sample
from egca_plugin.pipeline import PENDING
from egca_plugin.types import Completion, Credit

pytestmark = pytest.mark.slow

TASK = replace(policy.TASKS[0], reference="")
RIGHT, WRONG = policy.answers(policy.TASKS[0])[:2]
CONFIG = OmegaConf.create(
    {
        "actor_rollout_ref": {"rollout": {"n": 2}},
        "egca": {"sandbox": {"workers": 1}, "traces": ""},
        "trainer": {"default_local_dir": ""},
    }
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    home = policy.build(tmp_path_factory.mktemp("model"), steps=1)
    config = OmegaConf.merge(CONFIG, {"actor_rollout_ref": {"model": {"path": str(home)}}})
    ray.shutdown()  # of whatever an earlier module left
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    here = ray.get_runtime_context().get_node_id()
    found = open_services(config, [here, here])
    ray.get([service.__ray_ready__.remote() for service in found.values()], timeout=300)
    yield found
    ray.shutdown()


def sample(group: str, place: int, text: str, step: int = 1) -> Sample:
    return Sample(Ticket("", group, place), TASK, Response(text, 9, None), step, Placing())


def judged(*samples: Sample) -> list[Row]:
    """What a reward worker makes of the answers."""

    async def ask() -> list[tuple[Credit, Ticket]]:
        link = find_services()
        assert link is not None
        return await asyncio.gather(*map(link.judge, samples))

    rows = []
    for one, (credit, ticket) in zip(samples, asyncio.run(ask()), strict=True):
        row = Row(credit, TASK.task_id, (), one.response.tokens, placing=one.placing)
        rows.append(replace(row, ticket=ticket) if credit.reason == PENDING else row)
    return rows


def test_a_group_is_credited_behind_its_rewards_by_its_own_sibling(services: dict[str, Any]) -> None:
    (here,) = services
    rows = judged(sample("u", 0, WRONG), sample("u", 1, RIGHT))
    assert [row.credit.reward for row in rows] == [0.0, 1.0]
    assert [row.ticket for row in rows] == [Ticket(here, "u", 0), None]
    credits = Credits(services, wait_s=60)
    credits.begin([0.0, 1.0], ["u", "u"], overtaken=1)
    (wrong, right), metrics = credits.settled(rows)
    assert wrong is not None
    assert (wrong.credit.reference, wrong.credit.verified) == ("sibling:1", True)
    assert right is rows[1]
    assert metrics["egca/credit/dropped"] == metrics["egca/credit/split_groups"] == 0
    again, _ = credits.settled(rows)
    assert again[0] is not None
    assert again[0].fallback == LOST, "it was dropped when it was fetched"


def test_validation_is_judged_and_no_more(services: dict[str, Any]) -> None:
    link = find_services()
    assert link is not None
    credit = asyncio.run(link(TASK, Completion(WRONG), None, judge_only=True))
    assert (credit.reward, credit.reason) == (0.0, "judge_only")


def test_a_checkpoint_has_what_is_held_and_a_killed_service_comes_back_without_it(
    services: dict[str, Any], tmp_path: Path
) -> None:
    (service,) = services.values()
    rows = judged(sample("v", 0, WRONG, 2), sample("v", 1, RIGHT, 2))
    credits = Credits(services, wait_s=120)
    credits.save(tmp_path / "held")
    ray.kill(service, no_restart=False)
    time.sleep(1)
    lost, _ = credits.settled(rows)
    assert lost[0] is not None
    assert lost[0].fallback == LOST
    credits.restore(tmp_path / "held")
    found, _ = credits.settled(rows)
    assert found[0] is not None
    assert (found[0].reason, found[0].credit.reference, found[0].credit.verified) == ("", "sibling:1", True)
    assert found[0].credit.restarts == {"credit_service": 1}, "the first that is done tells of it"
