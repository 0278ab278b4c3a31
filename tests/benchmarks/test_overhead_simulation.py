import random

import pytest

torch = pytest.importorskip("torch")

from benchmarks.overhead.scaling import Axis, Sample  # noqa: E402
from benchmarks.overhead.simulation import Cluster, decode, serve, simulate  # noqa: E402


def sample(tokens=100, judge_ms=10.0, localize_ms=0.0):
    return Sample("wrong", tokens, judge_ms, localize_ms)


def test_workers_serve_in_the_order_of_arrival():
    assert serve([(0.0, 2.0), (0.0, 2.0), (1.0, 1.0)], workers=1) == 5.0
    assert serve([(0.0, 2.0), (0.0, 2.0), (1.0, 1.0)], workers=2) == 3.0
    assert serve([(0.0, 1.0), (10.0, 1.0)], workers=1) == 11.0


def test_a_free_slot_takes_the_next_sample_at_once():
    cluster = Cluster(1, slots=2, tokens_per_s=10)
    ends = [at for at, _ in decode([sample(10), sample(30), sample(10)], cluster)]
    assert ends == [1.0, 2.0, 3.0]


def test_without_localisation_there_is_no_overhead():
    step = simulate(Cluster(4, prompts=8, samples=4), [sample(), sample(200)], random.Random(0))
    assert step.overhead(0.5) == 0.0
    assert step.judged >= step.decoded


def test_a_lone_sample_pays_its_whole_localisation_and_more_workers_hide_a_crowd():
    alone = simulate(Cluster(1, prompts=1, samples=1), [sample(localize_ms=500)], random.Random(0))
    assert alone.localized - alone.judged == pytest.approx(0.5)
    crowd = [sample(tokens, localize_ms=100) for tokens in range(50, 150)]
    few, many = (
        simulate(Cluster(1, workers=w, prompts=64, samples=16), crowd, random.Random(0)).overhead(0.5) for w in (1, 16)
    )
    assert few > 5 * many


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_fit_finds_the_exponent(power):
    axis = Axis("n", "n", {x: [3.0 * x**power] for x in (1, 4, 16)})
    assert axis.exponent == pytest.approx(power)
