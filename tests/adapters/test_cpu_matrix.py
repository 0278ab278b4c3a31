"""Rows of the CPU matrix (``python -m benchmarks.matrix``) that no other test runs, and how a row is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("verl")

from verl_runs import alone

from benchmarks.matrix import __main__ as matrix
from benchmarks.matrix import runs
from benchmarks.matrix.checks import finite, placed
from benchmarks.matrix.row import Ran, Row
from benchmarks.matrix.rows import ABSENT, ROWS

IN_CI = ("two_ranks", "colocate_async", "separate_async", "filter_groups")


@pytest.mark.verl
@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CI)
def test_the_row_holds(name: str, tmp_path: Path) -> None:
    (row,) = (row for row in ROWS if row.name == name)
    runs.prepare(tmp_path)
    with alone(tmp_path):
        ran = runs.run(row, tmp_path, timeout_s=420)
    outcome = matrix.judge(row, ran)
    assert outcome["outcome"] == "ran", (outcome, ran.log[-6000:])


ROW = Row("r", ("a setting",), checks=(finite,))
RAN = Ran(0, 1.0, {1: {"actor/grad_norm": 0.5}}, (), Path("home"), "line\nsaid so\n")


@pytest.mark.parametrize(
    ("row", "ran", "outcome", "found"),
    [
        (ROW, RAN, "ran", "gradient norm 0.5"),
        (ROW, replace(RAN, code=1), "failed", "verl ended with status 1"),
        (ROW, replace(RAN, metrics={1: {"actor/grad_norm": float("nan")}}), "failed", "gradient norms [nan]"),
        (Row("r", (), refused="said so"), replace(RAN, code=1), "refused", "said so"),
        (Row("r", (), refused="said so"), RAN, "failed", "ended with status 0"),
        (Row("r", (), refused="something else"), replace(RAN, code=1), "failed", "did not say"),
    ],
)
def test_a_row_is_judged_by_its_checks(row: Row, ran: Ran, outcome: str, found: str) -> None:
    judged = matrix.judge(row, ran)
    assert judged["outcome"] == outcome
    assert found in judged["found"]


def test_a_run_that_moved_nothing_does_not_pass() -> None:
    still = {"egca/mass/mean": 1.0, "egca/outcome/infrastructure": 0, "egca/fallback/no_credit": 0, "egca/moved": 0.0}
    judged = matrix.judge(Row("r", (), checks=(placed,)), replace(RAN, metrics={1: still}))
    assert (judged["outcome"], judged["found"]) == ("failed", "credit moved for [0.0] of the rows")


def test_names_are_unique_and_what_is_absent_says_why() -> None:
    names = [row.name for row in (*ROWS, *ABSENT)]
    assert len(names) == len(set(names))
    assert all(row.why and row.shown for row in ABSENT)
