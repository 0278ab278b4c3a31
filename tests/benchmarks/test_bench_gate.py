"""The gate's calibration: its statistics, and its labels against the programs that they are about."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.gate.__main__ import ALGORITHMS, auc, digest, labels, roc
from benchmarks.localization import independent


def test_auc_counts_pairs() -> None:
    assert auc([3, 4], [1, 2]) == 1.0
    assert auc([1, 2], [3, 4]) == 0.0
    assert auc([1, 2], [1, 2]) == 0.5
    assert auc([2, 2], [1, 2]) == pytest.approx(0.75)


def test_roc_runs_from_nothing_to_everything() -> None:
    curve = roc([0.9, 0.8], [0.1, 0.8])
    assert curve[0][1:] == (0.0, 0.0)
    assert curve[-1][1:] == (1.0, 1.0)
    assert (0.8, 0.5, 1.0) in curve


def test_every_independent_program_has_a_label() -> None:
    rows = labels(ALGORITHMS)
    assert {(s.task_id, digest(s.fixed)) for s in independent.subjects("independent")} == rows.keys()
    assert Counter(rows.values()).keys() == {"other", "same", "between"}
