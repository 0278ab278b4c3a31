"""What the documents say of the learning benchmark is what its result says, good or bad."""

import pytest

pytest.importorskip("torch")

from benchmarks.learning.programs import paragraph
from benchmarks.learning.programs.arms import ARMS

COLUMNS = ["failing samples get", "cells", "to grpo", "to positives"]


def result(**arms):
    """A result with one world, two seeds and one rate: of each arm the difference to GRPO, and to positives."""
    rows = [["grpo", 2, "", "-0.08 [-0.11, -0.06]"], ["positives", 2, "+0.08 [+0.06, +0.11]", ""]]
    rows += [[arm, 2, *told] for arm, told in arms.items()]
    return {"settings": {"worlds": ["long"], "rates": [1e-3]}, "tables": [{"columns": COLUMNS, "rows": rows}]}


def said(**arms):
    return " ".join(paragraph.readme(result(**arms)).split())


@pytest.mark.parametrize("path", paragraph.documents(), ids=lambda path: path.name)
def test_the_document_says_what_the_result_says(path):
    assert path.read_text() == paragraph.documents()[path], "run python -m benchmarks.learning.programs.paragraph"


def test_the_best_arm_is_told_with_its_setting_and_its_intervals():
    text = said(unit=("+0.01 [-0.02, +0.04]", "-0.07 [-0.10, -0.04]"), tele_half=("+0.09 [+0.07, +0.12]",) * 2)
    assert "Of 2 ways to place credit" in text
    assert "the default (`egca.credit=decision egca.praise=0.5`) did best" in text
    assert "is +0.09 [+0.07, +0.12] on long programs (2 seeds)" in text
    assert text.endswith("So it learns better than GRPO there, and than without failing samples.")


def test_less_negative_mass_is_no_proof_of_the_place():
    text = said(decision=("+0.09 [+0.07, +0.12]", "+0.01 [-0.01, +0.03]"))
    assert text.endswith("better than GRPO there, and **that the place of the blame helps is not shown**.")


@pytest.mark.parametrize(
    ("to_grpo", "verdict"),
    [
        ("+0.01 [-0.01, +0.03]", "So whether it learns better is open"),
        ("-0.05 [-0.07, -0.03]", "So GRPO learns better"),
    ],
)
def test_a_negative_result_is_told_as_one(to_grpo, verdict):
    assert verdict in said(unit=(to_grpo, "-0.09 [-0.12, -0.06]"))


def test_controls_single_seeds_and_what_takes_no_plugin_are_no_results_of_ours():
    better = ("+0.30 [+0.20, +0.40]",) * 2
    text = said(oracle=better, nthr=better, tele=("+0.40 [-inf, +inf]",) * 2, unit=("+0.02 [+0.01, +0.03]",) * 2)
    assert "One way to place credit, `egca.credit=span`, was tried at length" in text


def test_an_arm_that_no_setting_gives_is_named_as_what_it_is():
    assert "credit, the benchmark's arm `praise_prefix`, was" in said(praise_prefix=("+0.09 [+0.07, +0.12]",) * 2)
    assert paragraph.SETTINGS.keys() <= ARMS.keys() >= set(paragraph.COMPARED)
