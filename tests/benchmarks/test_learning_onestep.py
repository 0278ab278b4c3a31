"""``benchmarks.learning.onestep``: its gradients, its steps and its statistics, on a tiny model."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks.learning.onestep import cross, measure, report, sampling  # noqa: E402
from benchmarks.learning.onestep.__main__ import main  # noqa: E402
from benchmarks.learning.onestep.gradients import gradients  # noqa: E402
from benchmarks.learning.onestep.measuring import Kept, Vectors  # noqa: E402
from benchmarks.learning.onestep.policy import Policy  # noqa: E402
from benchmarks.learning.onestep.record import Row, informative  # noqa: E402
from benchmarks.learning.programs.arms import ARMS, Arm  # noqa: E402
from benchmarks.overhead import tiny_policy  # noqa: E402


def row(ids, passed=False, spans=(), decision=None):
    outcome = "ok" if passed else "wrong_answer"
    return Row(list(ids), passed, float(passed), "logic", outcome, bool(spans), "", list(spans), decision)


PROMPT = [5, 6, 7]
REFERENCE = [10, 11, 14]
ROWS = [
    row([10, 11, 12, 13], passed=True),
    row([10, 11, 22, 23, 24, 25], spans=[(2, 4)], decision=3),
    row([30, 31, 32]),
    row([10, 40, 41, 42, 43], spans=[(1, 2)], decision=1),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_policy.build(folder, ["def f(x):\n    return x\n" * 4])
    return folder


@pytest.fixture
def policy(folder):
    return Policy(folder, layers=1, rank=2)


@pytest.fixture
def texts(policy):
    return policy.read(PROMPT, [*(one.ids for one in ROWS), REFERENCE])


def test_at_step_zero_the_policy_is_the_model(folder, policy, texts):
    model = sampling.model_of(folder)
    for at, one in enumerate(ROWS):
        with torch.no_grad():
            logits = model(torch.tensor([[*PROMPT, *one.ids]])).logits[0, len(PROMPT) - 1 : -1]
        expected = logits.log_softmax(-1).gather(1, torch.tensor(one.ids)[:, None]).squeeze(1)
        assert torch.allclose(policy.log_probs(texts, at), expected, atol=1e-5)
        assert torch.allclose(policy.all_log_probs(texts)[at], expected, atol=1e-5)


def test_a_step_changes_both_ways_of_asking_alike(policy, texts):
    before = policy.log_probs(texts, 1)
    policy.step = torch.randn(policy.parameters, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(policy.all_log_probs(texts)[1], policy.log_probs(texts, 1), atol=1e-5)
    assert not torch.allclose(before, policy.log_probs(texts, 1), atol=1e-3)


@pytest.mark.parametrize("arm", measure.STEPPED)
def test_the_combination_is_the_gradient_of_the_arms_own_loss(policy, texts, arm):
    weights = measure.weights_of(ROWS, seed=3)
    found = measure.look(policy, texts, ROWS, seed=3).arms[arm]
    policy.step = torch.zeros(policy.parameters, requires_grad=True)
    loss = sum((w * policy.log_probs(texts, at)).sum() for at, w in enumerate(weights[arm]))
    (expected,) = torch.autograd.grad(loss, policy.step)
    assert expected.norm() > 0
    assert torch.allclose(found, expected, atol=1e-6, rtol=1e-4)


def test_tokens_that_all_weightings_treat_alike_share_a_backward_pass(policy, texts, monkeypatch):
    calls = []
    real = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(a) or real(*a, **k))
    ones = [torch.ones(len(ids)) for ids in texts.ids]
    first = [torch.tensor([1.0] + [0.0] * (len(ids) - 1)) for ids in texts.ids]
    gradients(policy, texts, {"ones": ones, "twice": [2 * w for w in ones]})
    assert len(calls) == len(texts.ids)
    gradients(policy, texts, {"ones": ones, "first": first})
    assert len(calls) == 3 * len(texts.ids)


def test_arms_that_are_equal_measure_equal(policy, texts, monkeypatch):
    monkeypatch.setitem(ARMS, "same", Arm())
    monkeypatch.setattr(measure, "weights_of", lambda rows, seed: WEIGHTS(rows, seed, ("grpo", "same")))
    found = measure.look(policy, texts, ROWS, seed=0)
    for taken in measure.steps(found.arms).values():
        effects = measure.linear(taken, found.measures)
        assert effects["grpo"] == effects["same"]
    taken = measure.finite(policy, texts, ROWS, found.arms)
    assert taken["grpo"] == taken["same"]


WEIGHTS = measure.weights_of


def test_where_nothing_is_proven_every_place_is_grpo():
    rows = [ROWS[0], ROWS[2]]
    weights = measure.weights_of(rows, seed=0)
    for arm in ("unit", "conserve", "decision", "mass_matched", "unit_random", "tele_half"):
        assert all(torch.equal(a, b) for a, b in zip(weights[arm], weights["grpo"], strict=True)), arm


def test_known_effects_are_seen(policy, texts):
    """Praise of passing samples raises them; GRPO lowers failing ones; credit on the decision lowers their tail."""
    found = measure.look(policy, texts, ROWS, seed=0)
    effects = measure.linear(measure.steps(found.arms)["matched"], found.measures)
    assert effects["positives"]["right"] > 0
    assert effects["grpo"]["wrong"] < effects["positives"]["wrong"]
    assert effects["decision"]["tail"] < effects["positives"]["tail"]


def test_a_small_step_does_what_the_gradients_say(policy, texts, monkeypatch):
    monkeypatch.setattr(measure, "LENGTH", 1e-2)
    found = measure.look(policy, texts, ROWS, seed=0)
    taken = measure.steps(found.arms)["matched"]
    told, seen = measure.linear(taken, found.measures), measure.finite(policy, texts, ROWS, taken)
    for arm in measure.STEPPED:
        assert set(seen[arm]) == set(measure.LIKELIHOODS)
        assert seen[arm] == pytest.approx(told[arm], rel=0.1, abs=2e-6), arm
    assert not policy.step.any()


def test_steps_of_three_optimisers(policy, texts):
    arms = measure.look(policy, texts, ROWS, seed=0).arms
    steps = measure.steps(arms)
    for by in ("matched", "adam"):
        lengths = {arm: float(step.norm()) for arm, step in steps[by].items()}
        assert lengths == pytest.approx(dict.fromkeys(arms, measure.LENGTH), rel=1e-4)
    assert float(steps["raw"]["grpo"].norm()) == pytest.approx(measure.LENGTH, rel=1e-4)
    ratio = float(arms["positives"].norm() / arms["grpo"].norm())
    assert float(steps["raw"]["positives"].norm()) == pytest.approx(ratio * measure.LENGTH, rel=1e-4)


def test_the_pass_rates_weights_are_rewards_less_the_mean_of_the_others():
    weights = [float(w[0]) for w in measure.passing(ROWS)]
    assert weights == pytest.approx([1 / 4, -1 / 3 / 4, -1 / 3 / 4, -1 / 3 / 4])


def test_a_group_needs_a_pass_and_a_proven_failure():
    assert informative(ROWS)
    assert not informative(ROWS[1:])
    assert not informative([ROWS[0], ROWS[2]])


# --- sampling -----------------------------------------------------------------------------------------------------


def test_samples_are_those_of_the_whole_model_with_the_same_luck(folder):
    """The prompt's cache and the dropping of finished rows change nothing."""
    model, rows, limit, end = sampling.model_of(folder), 5, 6, 9
    found = sampling.sample(model, PROMPT, rows, limit, end=end, seed=1)
    luck = torch.rand(limit, rows, generator=torch.Generator().manual_seed(1))
    for at, ids in enumerate(found):
        for step, token in enumerate(ids):
            with torch.no_grad():
                logits = model(torch.tensor([[*PROMPT, *ids[:step]]])).logits[0, -1:]
            reach = logits.double().softmax(-1).cumsum(-1)[0]
            u = float(luck[step, at])
            assert reach[token] >= u - 1e-6
            assert token == 0 or reach[token - 1] <= u + 1e-6
    assert all(end not in ids[:-1] for ids in found)


def test_a_row_ends_with_the_end(folder):
    model = sampling.model_of(folder)
    free = sampling.sample(model, PROMPT, 4, 5, end=-1, seed=2)
    assert {len(ids) for ids in free} == {5}
    end = free[0][2]
    cut = sampling.sample(model, PROMPT, 4, 5, end=end, seed=2)
    for whole, ids in zip(free, cut, strict=True):
        assert ids == whole[: whole.index(end) + 1 if end in whole else 5]


# --- other groups, other tasks --------------------------------------------------------------------------------------


def keep(folder, told):
    """``told``: task, round, and for each group its arms and what it says of the pass rate."""
    kept = Kept(folder)
    for task, number, groups in told:
        vectors = [
            Vectors(
                {arm: torch.tensor(v) for arm, v in arms.items()},
                {goal: torch.tensor(passing) for goal in measure.GOALS} if passing else {},
            )
            for arms, passing in groups
        ]
        kept.keep({"name": f"{task}#{number}", "task_id": task, "groups": [None] * len(groups)}, vectors)
    return kept


def test_a_step_is_held_to_other_groups_of_its_task_and_to_other_tasks(tmp_path):
    step = {"grpo": [2.0, 0.0]}
    kept = keep(
        tmp_path,
        [
            ("a", 0, [(step, [100.0, 0.0]), ({}, [3.0, 5.0])]),  # its own hundred does not count
            ("b", 0, [({}, [7.0, 1.0]), ({}, None)]),  # a group without a gradient counts as zero
        ],
    )
    found = cross.elsewhere(kept)
    assert found.keys() == {"a#0.0"}
    assert found["a#0.0"].own["matched"]["grpo"] == {"same": 3.0, "fresh_right": 3.0, "fresh_wrong": 3.0}
    assert found["a#0.0"].others["matched"]["grpo"] == {"b": 3.5}


def test_without_other_groups_or_tasks_nothing_is_said(tmp_path):
    kept = keep(tmp_path, [("a", 0, [({"grpo": [1.0, 0.0]}, [1.0, 0.0])])])
    found = cross.elsewhere(kept)["a#0.0"]
    assert (found.own["raw"]["grpo"], found.others["raw"]["grpo"]) == ({}, {})


# --- the statistics -------------------------------------------------------------------------------------------------


def group(task, value, other=0.0):
    effects = {by: {"grpo": {"right": other}, "decision": {"right": value}} for by in report.OPTIMISERS}
    return report.Group(f"{task}#0.0", task, effects, {}, None, {"grpo": 1.0, "decision": 1.0}, {})


def test_intervals_are_over_tasks_each_with_its_mean():
    groups = [group("a", 1.0), group("a", 1.0), group("a", 1.0), group("b", 3.0)]
    found = report.by_task(groups, [report.effect(g, "matched", "decision", "right") for g in groups])
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)
    assert report.by_task(groups, [None] * 4) is None


def test_an_arm_with_an_effect_is_told_from_one_without():
    groups = [group(f"t{k}", 0.01 + 0.001 * (k % 3) + k / 50, k / 50) for k in range(20)]
    better = report.by_task(groups, [report.effect(g, "matched", "decision", "right", "grpo") for g in groups])
    alike = report.by_task(groups, [report.effect(g, "matched", "grpo", "right", "grpo") for g in groups])
    assert better.low > 0
    assert (alike.low, alike.high) == (0.0, 0.0)


def test_of_other_tasks_the_mean_is_over_pairs_and_both_sides_are_drawn():
    """Every step helps task c and no other: how much so depends on whether c is among the tasks drawn."""
    groups = [
        report.Group(f"{task}#0.0", task, {}, {"matched": {"grpo": told}}, None, {}, {})
        for task, told in {"a": {"b": 0.0, "c": 6.0}, "b": {"a": 0.0, "c": 6.0}}.items()
    ]
    found = report.interval(groups, "matched", "grpo", "others")
    assert found.value == 3.0
    assert found.low == 0.0
    assert found.high > 5.0


# --- from end to end ------------------------------------------------------------------------------------------------

RIGHT, WRONG = "```python\ndef f(n):\n    return n % 2 == 0\n```", "```python\ndef f(n):\n    return n % 2 == 1\n```"


def test_record_measure_report_and_again(folder, tmp_path, monkeypatch, capsys):
    """Real sandbox and localiser; what a tiny random model would say is replaced by programs."""
    lines = [
        {
            "task_id": f"t/{k}",
            "prompt": "Is n even?",
            "entry_point": "f",
            "reference": "def f(n):\n    return n % 2 == 0\n",
            "tests": ["assert f(4) == True", "assert f(7) == False"],
        }
        for k in range(2)
    ]
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    tokenizer = sampling.tokenizer_of(folder)
    said = [[*tokenizer.encode(text), tokenizer.eos_token_id] for text in (RIGHT, WRONG)] * 8
    monkeypatch.setattr(sampling, "sample", lambda *args: said)
    command = ["--model", str(folder), "--tasks", str(tasks), "--rounds", "1", "--layers", "1", "--rank", "2"]
    command += ["--work", str(tmp_path / "work"), "--out", str(tmp_path)]
    assert main(["record", "--until", "00:00", *command]) == 1
    assert main([*command, "--finite", "2"]) == 0
    result = json.loads((tmp_path / "learning_onestep.json").read_text())
    assert result["settings"]["groups"] == 4
    assert [cells[0] for cells in result["tables"][0]["rows"]] == list(measure.STEPPED)
    positives = result["by_group"]["t/0#0.0"]["positives"]
    assert positives["right"] > 0
    assert positives["fresh_right"] == pytest.approx(positives["right"], rel=0.05)  # the same programs

    monkeypatch.setattr(sampling, "sample", lambda *args: pytest.fail("a batch was sampled again"))
    monkeypatch.setattr(measure, "look", lambda *args: pytest.fail("a group was measured again"))
    assert main(command) == 0
    assert "2 of 2 t/" in capsys.readouterr().err


def test_a_report_of_nothing_says_what_to_run(tmp_path):
    with pytest.raises(SystemExit, match="stages record, measure"):
        main(["report", "--work", str(tmp_path), "--out", str(tmp_path)])
