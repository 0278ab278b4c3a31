import json
import random

import pytest

torch = pytest.importorskip("torch")

from benchmarks.learning.arms import ARMS, group_advantages, token_advantages  # noqa: E402
from benchmarks.learning.summary import paired, tables  # noqa: E402
from benchmarks.learning.synthetic import BOILERPLATE, DECISIONS, LENGTH, Policy, make_world, pretrain  # noqa: E402
from benchmarks.learning.training import Run, gradients, train  # noqa: E402

FAULTS = (10, 30)


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny tensors: threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def schooled():
    """A world of few tasks and a policy that passes some of them."""
    torch.set_num_threads(1)
    world = make_world(0, tasks=12)
    return world, pretrain(world, 0, steps=200, right=0.95, rows=16)


@pytest.fixture
def batch():
    """Two groups of two: one passing and one failing sample each, the failing ones with faults at 10 and 30."""
    right = torch.zeros(4, LENGTH, dtype=torch.long)
    samples = right.clone()
    samples[1::2, list(FAULTS)] = 7
    return samples, right


def advantages(arm, batch, seed=0):
    return token_advantages(ARMS[arm], *batch, 2, random.Random(seed))


def blamed(row):
    return row.nonzero().flatten().tolist()


def test_grpo_gives_every_token_the_group_advantage(batch):
    assert advantages("grpo", batch).unique(dim=1).shape[1] == 1
    assert group_advantages(torch.tensor([True, False]), 2).tolist() == pytest.approx([0.7071, -0.7071], abs=1e-3)


@pytest.mark.parametrize("arm", [name for name in ARMS if name != "grpo"])
def test_every_arm_leaves_passing_samples_to_grpo(batch, arm):
    assert torch.equal(advantages(arm, batch)[0::2], advantages("grpo", batch)[0::2])


@pytest.mark.parametrize("arm", ["conserve", "wrong_20", "late", "random", "mix_0.5", "cap_8"])
def test_the_arms_of_equal_mass_have_grpos_mass(batch, arm):
    assert torch.allclose(advantages(arm, batch).sum(1), advantages("grpo", batch).sum(1), atol=1e-4)


def test_arms_put_the_mass_where_their_name_says(batch):
    assert blamed(advantages("conserve", batch)[1]) == [9, 10, 11]
    assert blamed(advantages("unit", batch)[1]) == [9, 10, 11]
    assert blamed(advantages("late", batch)[1]) == [29, 30, 31]
    assert len(blamed(advantages("random", batch)[1])) == 3
    assert blamed(advantages("positives_only", batch)[1]) == []
    assert advantages("cap_8", batch)[1].min() == pytest.approx(8 * advantages("grpo", batch)[1].min().item())


def test_the_control_of_unit_has_its_mass_and_grpos_shape(batch):
    matched = advantages("mass_matched", batch)[1]
    assert matched.sum().item() == pytest.approx(advantages("unit", batch)[1].sum().item(), rel=1e-5)
    assert matched.unique().numel() == 1


def test_a_world_has_distinct_tasks_that_differ_in_the_decisions_only():
    world = make_world(0, tasks=8)
    programs = torch.cat([world.programs, world.held_out_programs])
    assert len({tuple(row) for row in programs.tolist()}) == 16
    assert ((programs >= BOILERPLATE).sum(1) == DECISIONS).all()
    assert (programs != programs[0]).any(0).sum() <= DECISIONS


def test_tasks_without_a_shared_template_have_nothing_in_common():
    programs = make_world(0, tasks=8, shared=False).programs
    assert (programs != programs[0]).any(0).sum() > LENGTH - DECISIONS
    assert ((programs >= BOILERPLATE).sum(1) == DECISIONS).all()


def test_the_exact_pass_probability_is_what_sampling_finds(schooled):
    world, policy = schooled
    features = world.features[:1].expand(1000, -1)
    torch.manual_seed(0)
    found = (policy.sample(features) == world.programs[0]).all(1).float().mean().item()
    exact = policy.pass_probability(world.features[:1], world.programs[:1]).item()
    assert exact > 0.01
    assert found == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 1000) ** 0.5)


def test_a_run_is_reproducible_and_reports_its_curve():
    world, start = make_world(0, tasks=12), Policy()
    first, again = (train(Run("conserve", 1e-3, 3, 3), world, start) for _ in range(2))
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert len(first["curve"]) == 3


def test_gradient_measures_cover_every_arm(schooled):
    measured = gradients(*schooled, seed=0, batches=3)
    assert measured.keys() == ARMS.keys()
    assert measured["conserve"]["faulty_share"] == pytest.approx(1 / 3, abs=0.01)
    assert measured["grpo"]["faulty_share"] == pytest.approx(1 / LENGTH)
    assert measured["positives_only"]["failing_cosine"] == 0.0


def test_tables_pair_each_arm_with_grpo_of_its_seed():
    def row(arm, seed, during):
        return {"arm": arm, "regime": "r", "seed": seed, "start": 0.1, "final": 0.5, "held_out": 0.4, "during": during}

    rows = [
        row(arm, seed, during) for seed in (0, 1) for arm, during in {**dict.fromkeys(ARMS, 0.6), "grpo": 0.5}.items()
    ]
    measures = {arm: dict.fromkeys(("faulty_share", "failing_cosine", "cosine", "snr"), 0.5) for arm in ARMS}
    rows += [{"arm": "", "regime": "r", "seed": 0, "gradients": measures}]
    assert paired(rows, "unit", "r", "during") == pytest.approx([0.1, 0.1])
    learning, gradient = tables(rows)
    assert json.dumps(learning)
    assert [learning["rows"][7][0], learning["rows"][7][-1]] == ["unit", "+0.100 [+0.100, +0.100]"]
    assert len(gradient["rows"]) == len(ARMS)
