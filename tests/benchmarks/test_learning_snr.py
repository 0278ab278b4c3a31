import random

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks.learning import snr  # noqa: E402
from benchmarks.learning.batches import Half  # noqa: E402
from benchmarks.overhead import tiny_policy  # noqa: E402
from egca_plugin.types import TokenSpan  # noqa: E402

HALF = Half(
    prompt=[5, 6, 7],
    responses=[[10, 11, 12, 13], [20, 21, 22, 23, 24, 25], [30, 31]],
    rewards=[1.0, 0.0, 0.0],
    spans=[(), (TokenSpan(1, 3),), ()],
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    tiny_policy.build(folder, ["def f(x):\n    return x\n" * 4])
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def pieces(half=HALF):
    width = max(map(len, half.responses))
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in half.responses])
    return dict(zip(snr.PIECES, snr.pieces(half, mask), strict=True))


def test_the_pieces_differ_only_in_failing_rows_and_keep_or_scale_the_mass():
    found = pieces()
    assert (found["passing"][1:] == 0).all()
    assert (found["uniform"][0] == 0).all()
    whole = found["uniform"].sum(dim=1)
    assert torch.allclose(found["conserve"].sum(dim=1), whole)
    assert torch.allclose(found["random"].sum(dim=1), whole)
    assert found["unit"].sum(dim=1)[1] == pytest.approx(float(whole[1]) / 3)
    assert found["mass_matched"].sum(dim=1)[1] == pytest.approx(float(whole[1]) / 3)


def test_a_failing_row_without_a_span_is_uniform_in_every_piece_but_passing():
    found = pieces()
    for name in set(snr.PIECES) - {"passing"}:
        assert torch.allclose(found[name][2], found["uniform"][2]), name


def test_conserving_mass_lies_on_the_span():
    assert pieces()["conserve"][1].nonzero().flatten().tolist() == [1, 2]


def test_a_half_needs_a_pass_and_a_narrow_failure():
    assert HALF.informative
    assert not Half(HALF.prompt, HALF.responses, [0.0] * 3, HALF.spans).informative
    assert not Half(HALF.prompt, HALF.responses, HALF.rewards, [()] * 3).informative


def test_log_probs_do_not_see_the_padding(model):
    both, _ = snr.response_log_probs(model, HALF)
    alone, _ = snr.response_log_probs(model, Half(HALF.prompt, [HALF.responses[2]], [0.0], [()]))
    assert torch.allclose(both[2, :2], alone[0], atol=1e-5)


def test_products_of_pieces_are_those_of_the_arms(model):
    parameters = snr.trained(model, 1)
    first, second = HALF, Half(HALF.prompt, HALF.responses[::-1], HALF.rewards[::-1], HALF.spans[::-1])
    gram = snr.grams(model, parameters, first, second)
    a, b = (snr.gradients(model, parameters, half) for half in (first, second))
    grpo, conserve = a[0] + a[1], b[0] + b[2]
    found = snr.product(gram["across"], snr.ARMS["grpo"], snr.ARMS["conserve"])
    assert found == pytest.approx(float(grpo @ conserve), rel=1e-3)


def test_signal_to_noise_is_that_of_the_vectors_it_was_made_of():
    """Gradients (2, 0) plus independent noise of variance 1 in each of two directions: |E g|^2 / E|g - E g|^2 = 2."""
    rng = random.Random(0)

    def draw():
        return torch.tensor([[2 + rng.gauss(0, 1), rng.gauss(0, 1)]] + [[0.0, 0.0]] * 5)

    rows = []
    for _ in range(4000):
        a, b = draw(), draw()
        rows.append({"first": (a @ a.T).tolist(), "second": (b @ b.T).tolist(), "across": (a @ b.T).tolist()})
    assert snr.snr(rows, "grpo") == pytest.approx(2, rel=0.15)
