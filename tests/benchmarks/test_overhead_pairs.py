import random

from benchmarks.overhead.pairs import Pair, added, before_update, overhead, pairs
from benchmarks.overhead.schedule import EGCA, GRPO, WARM_UP, arm_of, pair_of, share_index


def test_arms_alternate_within_pairs_and_pairs_alternate_in_order():
    assert [arm_of(step) for step in range(1, 9)] == [GRPO, EGCA, EGCA, GRPO, GRPO, EGCA, EGCA, GRPO]
    assert [pair_of(step) for step in range(1, 5)] == [0, 0, 1, 1]


def test_every_share_sees_both_orders():
    orders = {(share_index(pair, 2), arm_of(2 * pair + 1)) for pair in range(8)}
    assert orders == {(share, arm) for share in (0, 1) for arm in (GRPO, EGCA)}


def test_pairs_leave_out_the_warm_up_and_unfinished_pairs():
    steps = {step: {"step": float(step)} for step in range(1, WARM_UP + 6)}
    found = pairs(steps, (0.35, 1.0))
    assert [(p.share, p.grpo["step"], p.egca["step"]) for p in found] == [(1.0, 5.0, 6.0), (1.0, 8.0, 7.0)]


def simulated(slow_down, noise, count, seed=0):
    """Pairs on a machine that drifts and jitters, EGCA's step ``slow_down`` slower."""
    rng = random.Random(seed)

    def pair(k):
        drift = 1 + 0.3 * k / count
        grpo, egca = (6.0 * drift * rng.lognormvariate(0, noise) for _ in range(2))
        return Pair(0.35, {"step": grpo}, {"step": egca * (1 + slow_down)})

    return [pair(k) for k in range(count)]


def test_five_percent_are_noticed_on_a_drifting_machine():
    found = overhead(simulated(0.05, noise=0.03, count=40), "step")
    assert found.low > 0
    assert found.low <= 0.05 <= found.high
    assert added(simulated(0.05, noise=0.03, count=40), "step").low > 0


def test_no_slow_down_is_not_called_one():
    found = overhead(simulated(0.0, noise=0.03, count=40), "step")
    assert found.low <= 0 <= found.high


def test_a_noisy_update_does_not_hide_what_is_added_in_front_of_it():
    rng = random.Random(1)

    def step(added):
        update = 4.0 * rng.lognormvariate(0, 0.2)
        return {"step": 5.0 + added + update, "update_actor": update - 0.1, "update_weights": 0.1}

    chosen = [Pair(0.35, step(0.0), step(0.05)) for _ in range(20)]
    more, share = before_update(chosen)
    assert abs(more.low - 0.05) < 1e-9
    assert abs(more.high - 0.05) < 1e-9
    assert 0.004 < share.low <= share.high < 0.007
    assert overhead(chosen, "step").high > share.high
