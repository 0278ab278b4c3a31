"""A step's metrics: of the real rows only, with every fallback counted."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from egca_plugin.adapters.metrics import step_metrics  # noqa: E402
from egca_plugin.adapters.samples import Row  # noqa: E402
from egca_plugin.adapters.tensors import place  # noqa: E402
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan  # noqa: E402

RIGHT = Row(Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2), "t", (), 4)
WRONG = Row(Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2), "t", (TokenSpan(1, 3),), 4)
CUT = Row(Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2), "t", (TokenSpan(9, 11),), 4)
LOST = Row(Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2), "t", (), 4, fallback="tokenizer_mismatch")
ROWS = [RIGHT, WRONG, CUT, LOST, None, WRONG]  # the last one is padding: a copy, with its mask at zero


def test_padding_is_left_out_and_fallbacks_are_counted() -> None:
    mask = torch.ones(6, 4)
    mask[5] = 0
    spans = [row.spans if row else () for row in ROWS]
    _, placement = place(-torch.ones(6, 4) * mask, mask, spans)
    metrics = step_metrics(ROWS, placement, real=range(5))
    assert metrics["egca/moved"] == 1 / 5
    assert metrics["egca/credited_tokens"] == (4 + 2 + 4 + 4 + 4) / 20
    assert (metrics["egca/concentration/mean"], metrics["egca/concentration/max"]) == (2.0, 2.0)
    assert (metrics["egca/mass/mean"], metrics["egca/mass/max"]) == (0.5, 0.5), "the span's two tokens of four"
    for code in ("tokenizer_mismatch", "no_credit", "span_masked"):
        assert metrics[f"egca/fallback/{code}"] == 1 / 5
    assert metrics["egca/mode/logic"] == 3 / 4, "shares of the samples that have a credit"


def test_switched_off_there_is_nothing_about_placing() -> None:
    metrics = step_metrics([RIGHT, WRONG], None, real=range(2))
    assert metrics["egca/pass_rate"] == 0.5
    assert not {"egca/moved", "egca/mass/mean", "egca/concentration/max"} & set(metrics)
