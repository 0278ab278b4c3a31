"""The worlds, the small policy and the credit of ``benchmarks.learning.programs``."""

import ast
import random
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from benchmarks.learning.programs.arms import ARMS  # noqa: E402
from benchmarks.learning.programs.credit import assign, by_chance, further_rows, group_advantages  # noqa: E402
from benchmarks.learning.programs.faults import Decisions, Fault, Faults  # noqa: E402
from benchmarks.learning.programs.judge import Answer  # noqa: E402
from benchmarks.learning.programs.model import Policy, Size, greedy_luck, sample  # noqa: E402
from benchmarks.learning.programs.nthr import soften  # noqa: E402
from benchmarks.learning.programs.oracle import parting  # noqa: E402
from benchmarks.learning.programs.resets import _weigh  # noqa: E402
from benchmarks.learning.programs.rollout import Sample, prompts_of  # noqa: E402
from benchmarks.learning.programs.start import batch  # noqa: E402
from benchmarks.learning.programs.training import luck_of, update  # noqa: E402
from benchmarks.learning.programs.worlds import WORLDS, passes, words_of  # noqa: E402
from egca_plugin.credit.praise import of_passing  # noqa: E402
from egca_plugin.types import TokenSpan  # noqa: E402

END = 9


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny tensors: threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param]


def some_specs(world, count=12):
    return random.Random(0).sample(world.specs, count)


# --- worlds -----------------------------------------------------------------------------------------------------


def test_a_world_has_as_many_tasks_as_are_asked_for_and_no_two_are_equal(world):
    assert world.training >= 200
    assert world.held_out >= 100
    assert len(set(world.specs)) == len(world.specs) == world.training + world.held_out


def test_every_style_of_a_right_program_passes_the_tests_and_can_be_written_by_the_policy(world):
    for spec in some_specs(world):
        checks = world._checks(spec)
        for style in range(6):
            source = world.program(spec, style)(Decisions())
            assert passes(source, checks)
            ids = world.vocabulary.encode(source)
            assert world.vocabulary.prompt + len(ids) < world.longest
            assert ast.dump(ast.parse(world.vocabulary.text(ids))) == ast.dump(ast.parse(source))
            assert len(world.vocabulary.ask(words_of(spec))) == world.vocabulary.prompt


def test_programs_of_the_long_world_are_long_and_siblings_share_little():
    world = WORLDS["long"]
    written = [[world.vocabulary.encode(world.program(s, k)(Decisions())) for k in range(4)] for s in some_specs(world)]
    lengths = [len(ids) for group in written for ids in group]
    assert sum(100 <= n <= 250 for n in lengths) > len(lengths) / 2
    shared = [
        next(i for i, (a, b) in enumerate(zip(g[0], other, strict=False)) if a != b) for g in written for other in g[1:]
    ]
    assert sum(shared) / len(shared) < 30


def test_faults_that_no_test_sees_are_not_in_the_corpus():
    world = WORLDS["short"]
    rng, seen = random.Random(1), 0
    for spec in some_specs(world, 40):
        checks = world._checks(spec)
        source = world._noisy(spec, checks, world.faults, rng)
        right = {world.program(spec, style)(Decisions()) for style in range(60)}
        seen += source not in right
        assert passes(source, checks) == (source in right)
    assert seen > 5


def test_a_fault_changes_its_decision_and_no_other():
    spec = (("keep:gt", "3"), ("fold:sum",), ("post:none",))
    write = WORLDS["short"].program(spec, 0)
    assert write(Decisions([Fault("keep:gt", 0)])) == write(Decisions()).replace("x > 3", "x >= 3")


def test_weights_are_a_worlds_own_and_scale_together():
    assert Faults(1).weight("keep:gt") != Faults(2).weight("keep:gt")
    assert Faults(1, 0.5).weight("keep:gt") == Faults(1).weight("keep:gt") / 2


def test_the_oracle_finds_where_a_program_leaves_every_right_one(world):
    vocabulary, rng = world.vocabulary, random.Random(2)
    for spec in some_specs(world, 8):
        write = world.program(spec, rng.randrange(1000))
        right = vocabulary.encode(write(Decisions()))
        wrong = vocabulary.encode(write(Decisions([world.faults.some(write, rng)])))
        assert parting(world.family, spec, right, vocabulary) == len(right)
        first = next(i for i, (a, b) in enumerate(zip([*wrong, -1], [*right, -1], strict=False)) if a != b)
        assert parting(world.family, spec, wrong, vocabulary) >= first


# --- policy -----------------------------------------------------------------------------------------------------


@pytest.fixture
def policy():
    torch.manual_seed(0)
    return Policy(Size(vocabulary=10, places=24, width=16, layers=2, heads=2))


PROMPTS = torch.tensor([[1, 2, 3], [3, 2, 1], [4, 4, 4]])


def test_the_same_luck_gives_the_same_text_whatever_else_is_in_the_batch(policy):
    luck = torch.rand(3, 21, generator=torch.Generator().manual_seed(1))
    together = sample(policy, PROMPTS, luck, END)
    alone = [sample(policy, PROMPTS[i : i + 1], luck[i : i + 1], END)[0] for i in range(3)]
    assert together == alone
    assert all(END not in row[:-1] for row in together)


def test_tokens_are_drawn_with_the_policys_probabilities(policy):
    rows = 4000
    luck = torch.rand(rows, 21, generator=torch.Generator().manual_seed(2))
    first = torch.tensor([row[0] for row in sample(policy, PROMPTS[:1].expand(rows, 3), luck, END)])
    drawn = torch.bincount(first, minlength=10) / rows
    exact = torch.softmax(policy(PROMPTS[:1])[0, -1], -1)
    assert torch.allclose(drawn, exact, atol=0.04)


def test_greedy_takes_the_likeliest_token(policy):
    (row,) = sample(policy, PROMPTS[:1], greedy_luck(1, 21), END)
    assert row[0] == int(policy(PROMPTS[:1])[0, -1].argmax())


def test_a_given_beginning_is_kept_and_continued_as_if_it_had_been_drawn(policy):
    luck = torch.rand(1, 21, generator=torch.Generator().manual_seed(3))
    (whole,) = sample(policy, PROMPTS[:1], luck, END)
    assert sample(policy, PROMPTS[:1], luck, END, [whole[:1]]) == [whole]
    (turned,) = sample(policy, PROMPTS[:1], luck, END, [[(whole[0] + 1) % END]])
    assert turned[0] == (whole[0] + 1) % END


def test_log_probs_are_those_of_the_tokens(policy):
    ids = torch.tensor([[1, 2, 3, 5, 6]])
    logs, _ = policy.log_probs(ids, 3)
    exact = torch.log_softmax(policy(ids), -1)
    assert logs[0].tolist() == pytest.approx([exact[0, 2, 5].item(), exact[0, 3, 6].item()], abs=1e-5)


# --- credit -----------------------------------------------------------------------------------------------------

PROVEN = Answer(passed=False, compiles=True, verified=True, full=True)


def group(passing=1, failing=3, group=0):
    """Samples of ten tokens; the failing ones are proven, their span 4 to 6, their decision 3."""
    good = [Sample(group, 0, list(range(10)), passed=True) for _ in range(passing)]
    bad = [
        Sample(group, 0, list(range(10)), answer=PROVEN, spans=(TokenSpan(4, 6),), decision=3) for _ in range(failing)
    ]
    return [*good, *bad]


def weights(arm, samples):
    assign(ARMS[arm], samples, random.Random(0))
    return [one.weights.tolist() for one in samples]


PLUS, MINUS = group_advantages([True, False, False, False])[:2]


def test_grpo_gives_every_token_the_group_advantage():
    assert weights("grpo", group()) == [[PLUS] * 10, *[[MINUS] * 10] * 3]
    assert pytest.approx((1.5, -0.5), abs=1e-4) == (PLUS, MINUS)


@pytest.mark.parametrize("arm", [name for name, arm in ARMS.items() if not arm.resets and not arm.nthr])
def test_passing_samples_get_grpos_advantage_in_every_arm(arm):
    assert weights(arm, group())[0] == [PLUS] * 10


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("positives", [0.0] * 10),
        ("negatives_0.1", [0.1 * MINUS] * 10),
        ("mass_matched", [0.2 * MINUS] * 10),
        ("unit", [0, 0, 0, 0, MINUS, MINUS, 0, 0, 0, 0]),
        ("conserve", [0, 0, 0, 0, 5 * MINUS, 5 * MINUS, 0, 0, 0, 0]),
        ("decision", [0, 0, 0, MINUS, 0, 0, 0, 0, 0, 0]),
        ("decision_conserve", [0, 0, 0, 10 * MINUS, 0, 0, 0, 0, 0, 0]),
        ("oracle", [0, 0, 0, MINUS, 0, 0, 0, 0, 0, 0]),
        ("late", [0, 0, 0, 0, 0, 0, 0, 0, 0, MINUS]),
    ],
)
def test_arms_put_a_failing_samples_advantage_where_their_name_says(arm, expected):
    assert weights(arm, group())[1] == pytest.approx(expected)


@pytest.mark.parametrize("arm", ["unit_random", "decision_random"])
def test_the_random_controls_have_the_same_weights_elsewhere(arm):
    own, moved = weights(arm.removesuffix("_random"), group())[1], weights(arm, group())[1]
    assert sorted(own) == sorted(moved)


def test_praise_is_the_advantage_of_a_passing_sample_in_the_group_enlarged_by_the_proven_ones():
    samples = group()
    samples[2].answer = samples[3].answer = Answer(passed=False, compiles=True, full=True)
    praise = (0.6 / 0.4) ** 0.5  # one passes and one is proven: two of five
    assert weights("praise_prefix", samples)[1] == pytest.approx([praise] * 3 + [0] * 7)
    assert weights("tele", samples)[1] == pytest.approx([praise] * 3 + [MINUS] + [0] * 6)
    assert weights("tele_half", samples)[1] == pytest.approx([praise / 2] * 3 + [MINUS] + [0] * 6)
    assert weights("tele_half_enlarged", samples)[1] == pytest.approx([praise / 2] * 3 + [-1 / praise] + [0] * 6)
    assert weights("praise_half", samples)[1] == pytest.approx([praise / 2] * 3 + [MINUS] + [praise / 2] * 6)


def test_praise_alone_blames_nothing():
    praise = of_passing((1 + 3) / (4 + 3)) / 2
    assert weights("praise_alone", group())[1] == pytest.approx([praise] * 3 + [0] * 7)


def test_where_many_pass_failing_samples_get_nothing_from_the_arm_for_few():
    assert weights("tele_half_few", group(passing=2, failing=2)) == weights("tele_half", group(passing=2, failing=2))
    assert weights("tele_half_few", group(passing=3, failing=1))[3] == [0.0] * 10


@pytest.mark.parametrize("passing", [1, 0])
def test_the_telescoped_control_praises_what_stands_in_front_of_a_random_place(passing):
    praise = of_passing((passing + 3) / (passing + 6)) / 2
    for found in weights("tele_half_random", group(passing))[passing:]:
        at = next((k for k, weight in enumerate(found) if weight != pytest.approx(praise)), len(found))
        blame = MINUS if passing else 0.0  # a group that fails altogether has no advantage
        assert found == pytest.approx([praise] * at + [blame] * (at < 10) + [0] * (9 - at))


def test_a_sample_without_a_proven_place_keeps_uniform_credit():
    samples = group()
    samples[1].spans, samples[1].decision = (), None
    for arm in ("unit", "decision", "conserve"):
        assert weights(arm, samples)[1] == [MINUS] * 10


def test_where_only_what_is_proven_is_blamed_the_rest_gets_nothing():
    samples = group()
    samples[1].spans, samples[1].decision = (), None
    samples[1].answer = Answer(passed=False, compiles=True, full=True)
    assert weights("proven", samples)[1:3] == [[0.0] * 10, [0, 0, 0, MINUS, 0, 0, 0, 0, 0, 0]]
    praise = (0.5 / 0.5) ** 0.5 / 2  # one passes and two are proven: three of six
    assert weights("proven_tele_half", samples)[1:3] == [[0.0] * 10, pytest.approx([praise] * 3 + [MINUS] + [0] * 6)]


def test_a_repair_is_a_further_row_that_learns_like_a_passing_sample():
    world = WORLDS["short"]
    write = world.program(world.specs[0], 0)
    right, wrong = write(Decisions()), write(Decisions([world.faults.some(write, random.Random(3))]))
    ids = [*world.vocabulary.encode(wrong), world.vocabulary.end]
    proven = Answer(passed=False, compiles=True, verified=True, full=True, repaired=ast.unparse(ast.parse(right)))
    samples = [Sample(0, 0, list(ids), passed=True), Sample(0, 0, list(ids), answer=proven), Sample(0, 0, list(ids))]
    praise = (0.5 / 0.5) ** 0.5  # one passes and one is mended: two of four
    (row,) = further_rows(ARMS["repairs"], samples, world)
    assert row.ids == [*world.vocabulary.encode(right), world.vocabulary.end]
    assert (row.drawn, row.passed, row.weights.unique().tolist()) == (0, True, [pytest.approx(praise)])
    (patch,) = further_rows(ARMS["patches"], samples, world)
    praised = patch.weights.nonzero().flatten().tolist()
    assert praised == list(range(praised[0], praised[-1] + 1))
    assert patch.ids[: praised[0]] == ids[: praised[0]]
    assert patch.ids[praised[0]] != ids[praised[0]]
    assert patch.ids[praised[-1] + 1 :] == ids[len(ids) - (len(patch.ids) - praised[-1] - 1) :]
    (given,) = further_rows(ARMS["references"], samples, world)
    assert world.vocabulary.encode(world.tasks[0].reference) == given.ids[:-1]
    assert further_rows(ARMS["repairs"], samples[::2], world) == []

    samples[1].decision = praised[0]
    (choice,) = further_rows(ARMS["choice"], samples, world)
    assert choice.ids == patch.ids[: praised[0] + 1], "the repair up to the token that should have come"
    assert choice.weights.tolist() == [0.0] * praised[0] + [pytest.approx(praise)]
    policy = Policy(Size(len(world.vocabulary), world.longest))
    by_chance(policy, [choice], world)
    ids, _ = batch([(prompts_of(world, [0])[0].tolist(), choice.ids)], world.vocabulary.pad)
    chance = policy.log_probs(ids, world.vocabulary.prompt)[0][0, praised[0]].exp()
    assert float(choice.weights[-1]) == pytest.approx(praise * float(chance))
    samples[1].decision = praised[0] + 1  # the texts part elsewhere: nothing is known of that token
    assert further_rows(ARMS["choice"], samples, world) == []


def test_after_a_reset_only_what_was_drawn_anew_has_a_gradient():
    first = group(passing=1, failing=4)
    extra = [Sample(0, 0, list(range(10)), begin=3, passed=k == 0) for k in range(3)]
    _weigh(ARMS["resets"], first, extra, (first[1], 3))
    assert all(one.weights[:3].tolist() == [0.0] * 3 for one in extra)
    assert extra[0].weights[3:].min() > 0 > extra[1].weights[3:].max()
    assert first[1].weights[3:].tolist() == extra[1].weights[3:].tolist()
    assert first[1].weights[:3].tolist() == first[2].weights[:3].tolist()
    _weigh(ARMS["resets_positives"], first, extra, (first[1], 3))
    assert all(one.weights.min() >= 0 for one in (*first, *extra))


# --- one update -------------------------------------------------------------------------------------------------


def small(policy):
    vocabulary = SimpleNamespace(prompt=3, pad=0, ask=lambda words: [1, 2, 3], end=END)
    return SimpleNamespace(vocabulary=vocabulary, specs=[()], longest=policy.size.places)


def test_an_update_raises_what_was_praised_and_lowers_what_was_blamed(policy):
    samples = [Sample(g, 0, [5 + g, 6, END], weights=torch.tensor([w, 0.0, 0.0])) for g, w in ((0, 1.0), (1, -1.0))]
    optimizer = torch.optim.Adam(policy.parameters(), 1e-3)
    ids = torch.tensor([[1, 2, 3]])
    before = torch.log_softmax(policy(ids)[0, -1], -1)
    update(policy, optimizer, samples, small(policy), random.Random(0), groups=2)
    change = torch.log_softmax(policy(ids)[0, -1], -1) - before
    assert change[5] > 0 > change[6]


def test_samples_without_weights_leave_the_policy_alone(policy):
    samples = [Sample(g, 0, [5, 6, END], weights=torch.zeros(3)) for g in (0, 1)]
    before = [p.clone() for p in policy.parameters()]
    update(policy, torch.optim.Adam(policy.parameters(), 1e-2), samples, small(policy), random.Random(0), groups=2)
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters(), strict=True))


def test_nthr_lowers_some_negatives_and_no_positive(policy):
    samples = [
        Sample(0, 0, [5, 6, 7, END], passed=k == 0, weights=torch.full((4,), 1.5 if k == 0 else -0.5)) for k in range(4)
    ]
    soften(policy, samples, small(policy))
    assert samples[0].weights.tolist() == [1.5] * 4
    lowered = torch.cat([one.weights for one in samples[1:]])
    assert set(lowered.tolist()) <= {-0.5, -0.25}  # 2 |1/4 - 1/2| of it
    assert (lowered == -0.25).any()


def test_the_random_numbers_of_a_step_are_the_same_in_every_arm():
    world = WORLDS["short"]
    assert torch.equal(luck_of(7, 4, world), luck_of(7, 4, world))
    assert not torch.equal(luck_of(7, 4, world), luck_of(8, 4, world))
