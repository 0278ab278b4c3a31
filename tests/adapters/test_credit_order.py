"""The service over real sandboxes: what comes when, and what else the machine does, decides on no credit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

import pytest

pytest.importorskip("verl")

from test_load import BARE, REFERENCE, TASK, WRONG, busy

from egca_plugin.adapters.responses import Response
from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl.judging import PoolJudge
from egca_plugin.adapters.verl.service import CreditService, Sample
from egca_plugin.config import EgcaConfig
from egca_plugin.types import Credit, Task

pytestmark = pytest.mark.slow

SIZE = 6
FOLD = """from functools import reduce

def f(xs):
    def step(state, pair):
        best, run = state
        run = run + 1 if pair[1] > pair[0] else 1
        return max(best, run), run
    return reduce(step, zip(xs, xs[1:]), (1, 1))[0] if xs else 0
"""
ALIKE = WRONG[3:9]  # all of a group wrong: nothing of it is worth the work
GROUPS: dict[str, tuple[Task, Sequence[str]]] = {
    "canonical": (TASK, [*WRONG[:3], FOLD, FOLD.replace("else 1", "else 0"), WRONG[0]]),
    "sibling": (BARE, [*WRONG[:4], REFERENCE, FOLD]),
    "alike": (TASK, ALIKE),
}
CONFIG = EgcaConfig(traces="", budget=0.9, praise=0.0)


def unplaced(response: Response, credit: Credit, task_id: str, placing: Placing) -> Row:
    return Row(credit, task_id, (), response.tokens, placing=placing)


def samples() -> list[Sample]:
    return [
        Sample(Ticket("here", name, place), task, Response(text, 99, None), 1, Placing())
        for name, (task, texts) in GROUPS.items()
        for place, text in enumerate(texts)
    ]


def credited(order: Sequence[Sample], *, one_by_one: bool) -> dict[tuple[str, int], Row]:
    """Rows of a batch whose samples come in ``order``."""

    async def work() -> dict[tuple[str, int], Row]:
        service = CreditService(PoolJudge(Settings(True, CONFIG), workers=2), to_row=unplaced, size=SIZE, at_once=2)
        if one_by_one:
            for sample in order:
                await service.judge(sample)
                await asyncio.sleep(0.05)  # what may be done ahead is begun
        else:
            await asyncio.gather(*map(service.judge, order))
        service.begin({"canonical": True, "sibling": True, "alike": False}, overtaken=1)
        fetched = await service.fetch({name: range(SIZE) for name in GROUPS}, wait_s=300)
        assert not fetched.late
        return {
            at: replace(row, credit=replace(row.credit, ms={}, restarts={})) for at, row in sorted(fetched.rows.items())
        }

    return asyncio.run(work())


def test_neither_the_order_nor_the_load_changes_a_credit() -> None:
    batch = samples()
    expected = credited(batch, one_by_one=False)
    verified = {group: sum(row.credit.verified for (at, _), row in expected.items() if at == group) for group in GROUPS}
    assert verified["alike"] == 0
    assert min(verified["canonical"], verified["sibling"]) >= 3
    for seed, loaded in ((1, False), (2, True)):
        mixed = list(batch)
        random.Random(seed).shuffle(mixed)
        with busy(4) if loaded else nullcontext():
            assert credited(mixed, one_by_one=seed == 2) == expected
