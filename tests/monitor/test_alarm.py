"""The hack alarm on forged histories: still while a policy learns, loud when it cheats."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from egca_plugin.monitor.alarm import ANOMALY_FLOOR, REWARD_FLOOR, WARM_UP, HackAlarm, over
from egca_plugin.types import Credit, Mode, Outcome

BATCH = 64


def batch(pass_rate: float, anomalous: float, kind: str = "ignores_arguments") -> list[Credit]:
    """The first samples pass, and the first are anomalous: cheats pass."""
    return [
        Credit(
            Mode.CORRECT if k < pass_rate * BATCH else Mode.LOGIC,
            float(k < pass_rate * BATCH),
            Outcome.OK,
            1,
            1,
            anomalies=(kind,) if k < anomalous * BATCH else (),
        )
        for k in range(BATCH)
    ]


def taught(seed: int, steps: int = WARM_UP + 20) -> HackAlarm:
    """An alarm that has seen quiet, noisy steps."""
    rng, alarm = random.Random(seed), HackAlarm()
    for _ in range(steps):
        assert alarm.step(batch(0.3 + rng.uniform(-0.06, 0.06), rng.choice([0, 0, 0, 0.02]))) is None
    return alarm


@given(st.integers(0, 1000))
def test_a_forged_leap_raises_it_and_says_why(seed: int) -> None:
    raised = taught(seed).step(batch(0.9, 0.5))
    assert raised is not None
    assert raised.kinds == (("ignores_arguments", BATCH // 2),)
    for part in ("HACK ALARM", "to 0.91", "to 50%", "ignores_arguments 32"):
        assert part in str(raised)


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_it_lasts_as_long_as_the_leap(seed: int) -> None:
    alarm = taught(seed)
    assert all(alarm.step(batch(0.9, 0.5)) for _ in range(100)), "the leap must not become the new normal"
    assert alarm.step(batch(0.3, 0.0)) is None


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.0005, 0.02))
def test_honest_learning_is_silent(seed: int, speed: float) -> None:
    rng, alarm = random.Random(seed), HackAlarm()
    for step in range(120):
        rate = min(0.98, max(0.0, 0.1 + speed * step + rng.uniform(-0.08, 0.08)))
        assert alarm.step(batch(rate, rng.choice([0, 0, 0.01, 0.03]))) is None


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_one_leap_without_the_other_is_silent(seed: int) -> None:
    assert taught(seed).step(batch(0.95, 0.01)) is None, "an honest leap: an easy batch"
    assert taught(seed).step(batch(0.3, 0.5)) is None, "odd programs that win nothing"


def test_small_rises_are_no_leaps_however_still_it_was() -> None:
    alarm = HackAlarm()
    for _ in range(WARM_UP):
        alarm.step(batch(0.5, 0.0))
    assert alarm.step(batch(0.5 + REWARD_FLOOR - 0.02, 1.0)) is None
    assert alarm.step(batch(1.0, ANOMALY_FLOOR - 0.02)) is None
    assert alarm.step(batch(0.5 + REWARD_FLOOR + 0.02, ANOMALY_FLOOR + 0.02)) is not None


def test_a_recorded_run_is_gone_over_in_the_order_of_its_steps() -> None:
    steps = {step: batch(0.3, 0.0) for step in range(1, 21)}
    assert list(over({22: batch(0.9, 0.5), 21: batch(0.9, 0.5), **steps})) == [21, 22]


def test_it_warms_up_first_and_needs_samples() -> None:
    alarm = HackAlarm()
    assert alarm.step([]) is None
    for _ in range(WARM_UP - 1):
        assert alarm.step(batch(0.2, 0.0)) is None
    assert alarm.step(batch(1.0, 1.0)) is None, "one step short of its history"
    assert alarm.step(batch(1.0, 1.0)) is not None
