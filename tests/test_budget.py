import pytest

from egca_plugin.budget import Budget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def run_step(budget, clock, step, *, samples, each_s, step_s):
    """How many of a step's samples are localised when each takes ``each_s`` and the whole step ``step_s``."""
    began, done = clock.now, 0
    for _ in range(samples):
        if budget.allows(step):
            budget.spend(each_s)
            clock.now += each_s
            done += 1
    clock.now = began + step_s
    return done


def test_the_first_step_is_measured_and_not_limited(clock):
    assert run_step(Budget(0.01, clock), clock, 1, samples=50, each_s=1, step_s=100) == 50


def test_later_steps_stop_where_the_share_is_spent(clock):
    budget = Budget(0.1, clock)
    run_step(budget, clock, 1, samples=50, each_s=1, step_s=100)
    assert run_step(budget, clock, 2, samples=50, each_s=1, step_s=100) == 10
    assert run_step(budget, clock, 3, samples=50, each_s=1, step_s=100) == 10


def test_a_cheap_step_is_never_stopped(clock):
    budget = Budget(0.25, clock)
    assert all(run_step(budget, clock, k, samples=64, each_s=0.01, step_s=60) == 64 for k in range(5))


def test_one_long_step_does_not_widen_the_budget(clock):
    budget = Budget(0.1, clock)
    for step, length in enumerate([100, 100, 10_000, 100]):
        run_step(budget, clock, step, samples=0, each_s=1, step_s=length)
        budget.allows(step)
    assert run_step(budget, clock, 9, samples=50, each_s=1, step_s=100) <= 11


def test_no_budget_means_no_localisation_and_no_step_means_no_limit(clock):
    assert not Budget(0.0, clock).allows(1)
    assert not Budget(0.0, clock).allows(None)
    budget = Budget(0.1, clock)
    for step in (1, 2, 3):
        budget.allows(step)
        budget.spend(1e6)
    assert budget.allows(None)
    assert not budget.allows(3)


def test_a_late_sample_of_an_earlier_step_does_not_begin_that_step_anew(clock):
    budget = Budget(0.1, clock)
    for step in (1, 2):
        run_step(budget, clock, step, samples=1, each_s=1, step_s=100)
    localised = 0
    for sample in range(50):  # steps 2 and 3 overlap, as in an asynchronous run
        if budget.allows(3 - sample % 2):
            budget.spend(1)
            localised += 1
        clock.now += 1
    assert localised == 10
