"""The budget: a share of the programs, each by its own lot."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from egca_plugin.monitor.budget import allows


@settings(deadline=None)
@given(st.floats(0, 1), st.text(max_size=20), st.integers(0, 99))
def test_a_larger_share_takes_nothing_away(share: float, source: str, step: int) -> None:
    if allows(share, source, "t/0", step, 0):
        assert allows((1 + share) / 2, source, "t/0", step, 0)


def test_all_or_none_is_no_draw() -> None:
    sources = [f"x = {number}" for number in range(50)]
    assert all(allows(1.0, source, "t/0", None, 0) for source in sources)
    assert not any(allows(0.0, source, "t/0", None, 0) for source in sources)


def test_the_share_is_met_over_tasks_and_each_program_has_its_turn() -> None:
    tasks, programs, steps = range(100), [f"x = {number}" for number in range(8)], range(20)
    chosen = [
        {source for source in programs if allows(0.25, source, f"t/{task}", step, 0)}
        for task in tasks
        for step in steps
    ]
    assert abs(sum(map(len, chosen)) / (100 * 20 * 8) - 0.25) < 0.02
    assert all(any(source in drawn for drawn in chosen[:20]) for source in programs), "in some step"
    of_task = [sum(len(drawn) for drawn in chosen[20 * task : 20 * task + 20]) for task in tasks]
    assert min(of_task) > 0.4 * 40
    assert max(of_task) < 1.8 * 40, "none of the tasks is left out"
