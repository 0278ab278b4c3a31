import random

import pytest

torch = pytest.importorskip("torch")

from benchmarks.overhead.scaling import Axis, Sample  # noqa: E402
from benchmarks.overhead.simulation import (  # noqa: E402
    AHEAD,
    BEFORE,
    COMPLETE,
    SCHEDULES,
    Cluster,
    Drawn,
    decode,
    draw,
    serve,
    served,
    simulate,
)

PASSING = Sample("t", "passing", 100, 10.0, 0.0)


def failing(tokens=100, localize_ms=0.0):
    return Sample("t", "wrong", tokens, 10.0, localize_ms)


def group(*ends, localize_s=1.0, together=False):
    return [Drawn(1.0, 0.0, 0.0 if passed else localize_s, passed, together) for passed in ends]


def test_workers_serve_in_the_order_of_arrival():
    assert serve([(0.0, 2.0), (0.0, 2.0), (1.0, 1.0)], workers=1) == 5.0
    assert serve([(0.0, 2.0), (0.0, 2.0), (1.0, 1.0)], workers=2) == 3.0
    assert serve([(0.0, 1.0), (10.0, 1.0)], workers=1) == 11.0


def test_a_free_slot_takes_the_next_sample_at_once():
    assert [at for at, _ in decode([1.0, 3.0, 1.0], slots=2)] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_localisation_there_is_no_overhead(schedule):
    cluster = Cluster(4, prompts=8, samples=4)
    step = simulate(cluster, [failing(), PASSING], random.Random(0))[schedule]
    assert step.overhead(cluster) == pytest.approx(0.0)
    assert step.judged >= step.decoded


@pytest.mark.parametrize(
    ("schedule", "credited"),
    [
        (COMPLETE, 10.0 + 3.0),  # in one piece, when the last is there
        (AHEAD, 10.0 + 1.0),  # two of the three were done while others decoded
    ],
)
def test_what_is_done_ahead_is_not_left_for_the_end(schedule, credited):
    arrivals = [(1.0, 1), (2.0, 2), (3.0, 0), (10.0, 3)]
    assert served([group(True, False, False, False)], arrivals, 1, schedule, everyone=True) == (10.0, credited)


def test_groups_that_fail_altogether_are_credited_where_praise_wants_it_and_else_nothing_until_one_has_passed():
    same, mixed = [group(False, False, False, False)], [group(False, False, True, True)]
    arrivals = [(float(at), at) for at in range(4)]
    assert served(same, arrivals, 1, AHEAD, everyone=True) == (3.0, 4.0)
    assert served(same, arrivals, 1, AHEAD, everyone=False) == (3.0, 0.0)
    assert served(same, arrivals, 1, BEFORE, everyone=False) == (4.0, 0.0)
    assert served(mixed, arrivals, 2, AHEAD, everyone=True)[1] == 2.0
    assert served(mixed, arrivals, 2, AHEAD, everyone=False)[1] == 3.0, "both at once, from the third on"


def test_what_hangs_on_the_group_waits_for_all_of_it_and_then_goes_side_by_side():
    arrivals = [(0.0, 0), (0.0, 1), (0.0, 2), (5.0, 3)]
    together = [group(True, False, False, True, together=True)]
    assert served(together, arrivals, 2, AHEAD, everyone=True) == (5.0, 6.0)
    assert served(together, arrivals, 2, COMPLETE, everyone=True) == (5.0, 7.0)


def test_judging_goes_first():
    arrivals = [(0.0, 0), (0.0, 1), (0.5, 2)]
    one = [Drawn(1.0, 1.0, 0.0, True, False), Drawn(1.0, 1.0, 4.0, False, False), Drawn(1.0, 1.0, 0.0, True, False)]
    assert served([one], arrivals, 1, AHEAD, everyone=True) == (3.0, 7.0)


def test_groups_are_of_one_task_and_their_pass_rates_spread_as_they_are_told_to():
    measured = [PASSING, failing(localize_ms=7.0)]
    mixed = {}
    for evenness in (float("inf"), 2.0, 1.0):
        groups = draw(Cluster(1, evenness=evenness), measured, 400, random.Random(0))
        mixed[evenness] = sum(len({one.passed for one in group}) == 2 for group in groups) / 400
    assert mixed[float("inf")] > 0.99
    assert mixed[2.0] == pytest.approx(1 - 2 / 17, abs=0.05), "of 16 samples at an even spread"
    assert mixed[1.0] < mixed[2.0]
    spared = draw(Cluster(1, budget=0.0), measured, 10, random.Random(0))
    assert not any(one.localize_s for group in spared for one in group)


def test_behind_the_reward_log_probabilities_hide_what_would_hold_it_up():
    cluster = Cluster(1, workers=2, prompts=64, samples=16, everyone=False)
    measured = [PASSING, *(failing(tokens, localize_ms=5) for tokens in range(50, 150))]
    steps = simulate(cluster, measured, random.Random(0))
    assert steps[AHEAD].overhead(cluster) < 0.5 * steps[BEFORE].overhead(cluster)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_fit_finds_the_exponent(power):
    axis = Axis("n", "n", {x: [3.0 * x**power] for x in (1, 4, 16)})
    assert axis.exponent == pytest.approx(power)
