from __future__ import annotations

import math

from egca_plugin.monitor.metrics import of_credits, stage_times
from egca_plugin.types import Credit, Mode, Outcome, Span


def test_shares_add_up_and_absent_modes_are_zero_not_missing() -> None:
    passed = Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2)
    blamed = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, spans=(Span(0, 3),), verified=True)
    abstained = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 2, reason="budget")
    metrics = of_credits([passed, blamed, abstained, abstained])
    assert math.isclose(sum(v for k, v in metrics.items() if k.startswith("egca/mode/")), 1)
    assert metrics["egca/mode/syntax"] == 0
    assert metrics["egca/abstained/budget"] == 0.5
    assert metrics["egca/pass_rate"] == metrics["egca/narrow"] == 0.25
    assert metrics["egca/verified"] == 1


def test_the_references_are_counted_by_where_they_come_from() -> None:
    names = ("canonical", "bank:3f2a91c0", "bank:00000000", "given:2", "")
    credits = [Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2, reference=name) for name in names]
    found = {name: value for name, value in of_credits(credits).items() if name.startswith("egca/reference/")}
    assert found == {"egca/reference/canonical": 0.2, "egca/reference/bank": 0.4, "egca/reference/given": 0.2}


def test_an_empty_step_has_no_metrics() -> None:
    assert of_credits([]) == {}


def test_stage_times_are_over_the_samples_that_went_there() -> None:
    metrics = stage_times([{"judge": 1.0}, {"judge": 3.0, "localize": 10.0}])
    assert metrics["egca/ms/judge/mean"] == 2.0
    assert metrics["egca/ms/localize/p95"] == 10.0
