import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("psutil")

from benchmarks.learning.controls import CONTROLS, transform  # noqa: E402


@pytest.fixture
def placed():
    """Conserving advantages: a passing row, a failing one with its mass on tokens 2 and 3, a failing one cut short."""
    rows = torch.tensor([[0.5] * 6, [0, 0, -1.5, -1.5, 0, 0], [-3.0, 0, 0, 0, 0, 0]])
    mask = torch.tensor([[1] * 6, [1] * 6, [1, 1, 1, 0, 0, 0]])
    return rows, mask


def run(control, placed, seed=0):
    return transform(control, *placed, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("control", CONTROLS)
def test_passing_rows_and_masked_tokens_are_left_alone(control, placed):
    out = run(control, placed)
    assert torch.equal(out[0], placed[0][0])
    assert (out[2, 3:] == 0).all()


def test_positives_only_gives_failing_rows_nothing(placed):
    assert (run("positives_only", placed)[1:] == 0).all()


def test_mass_matched_is_uniform_with_the_mass_of_unit(placed):
    out = run("mass_matched", placed)
    assert out[1].tolist() == pytest.approx([-0.5 * 2 / 6] * 6)  # unit: -0.5 on two tokens


def test_random_keeps_mass_and_length_and_moves_the_span(placed):
    found = {tuple(run("random", placed, seed)[1].nonzero().flatten().tolist()) for seed in range(20)}
    assert len(found) > 3
    for seed in range(20):
        out = run("random", placed, seed)
        assert out.sum(1).tolist() == pytest.approx(placed[0].sum(1).tolist())
        assert (out[1] != 0).sum() == 2


def test_wrong_20_moves_about_a_fifth(placed):
    moved = sum(not torch.equal(run("wrong_20", placed, seed)[1], placed[0][1]) for seed in range(200))
    assert 15 <= moved <= 60


def test_an_unknown_control_is_refused(placed):
    with pytest.raises(ValueError, match="expected one of mass_matched"):
        run("nothing", placed)


def test_a_step_keeps_rates_and_seconds():
    pytest.importorskip("transformers")
    from benchmarks.learning.policy import _means, row_of, summary

    metrics = {"val-core/starter/acc/mean@4": 0.25, "critic/score/mean": 0.5, "timing_s/step": 3.0, "other": 1.0}
    row = row_of(2, metrics)
    assert row == {"step": 2.0, "held_out": 0.25, "trained": 0.5, "seconds": 3.0}
    first = {"step": 1.0, "trained": 0.1, "seconds": 4.0}
    assert _means([[first, row], [{**row, "held_out": 0.75}]], "held_out") == {2.0: 0.5}
    assert _means([[first, row]], "trained") == {1.0: 0.1, 2.0: 0.5}
    better = {**row, "trained": 0.7}
    runs = [{"arm": "grpo", "seed": 0, "steps": [row]}, {"arm": "unit", "seed": 0, "steps": [better]}]
    table = summary(runs)
    assert [r[0] for r in table["rows"]] == ["grpo", "unit"]
    assert table["rows"][1][4] == "+0.200 [+0.200, +0.200]"
