"""What the documents say of the learning benchmark is what its result says, good or bad."""

import pytest

pytest.importorskip("torch")

from benchmarks.learning.programs import paragraph, report
from benchmarks.learning.programs.arms import ARMS

COLUMNS = ["failing samples get", "cells", "to grpo", "to positives"]
OVER = ["arm", "to grpo", "to positives", "to mass_matched"]
HELPS, OPEN = "+0.030 [+0.010, +0.050]", "+0.010 [-0.010, +0.030]"


def result(over=(HELPS, HELPS), **arms):
    """A result with one world, two seeds and one rate: of each arm the difference to GRPO.

    ``over``: the mean over the worlds to ``positives`` and to ``mass_matched``, of every arm.
    """
    rows = [["grpo", 2, "", ""], ["positives", 2, "+0.08 [+0.06, +0.11]", ""]]
    rows += [[arm, 2, told, ""] for arm, told in arms.items()]
    means = [[arm, told, *over] for arm, told in arms.items()]
    tables = [{"title": "long", "columns": COLUMNS, "rows": rows}]
    tables += [{"title": report.OVER_WORLDS, "columns": OVER, "rows": means}]
    return {"settings": {"worlds": ["long"], "rates": [1e-3]}, "tables": tables}


def said(over=(HELPS, HELPS), **arms):
    return " ".join(paragraph.readme(result(over, **arms)).split())


@pytest.mark.parametrize("path", paragraph.documents(), ids=lambda path: path.name)
def test_the_document_says_what_the_result_says(path):
    assert path.read_text() == paragraph.documents()[path], "run python -m benchmarks.learning.programs.paragraph"


BETTER = "+0.09 [+0.07, +0.12]"


def test_the_best_arm_is_told_with_its_setting_and_its_intervals():
    text = said(unit="+0.01 [-0.02, +0.04]", tele_half=BETTER)
    assert "Of 2 ways to place credit" in text
    assert "the default (`egca.credit=decision egca.praise=0.5`) did best" in text
    assert "is +0.09 [+0.07, +0.12] on long programs (2 seeds)" in text
    assert f"it is {HELPS} to an equal penalty spread over the whole sample and {HELPS} to leaving" in text


@pytest.mark.parametrize(
    ("over", "verdict"),
    [
        ((HELPS, HELPS), "there, the place of the credit helps and it is better than leaving failing samples out."),
        ((OPEN, HELPS), "the place of the credit helps and **that it is worth more than leaving failing"),
        ((HELPS, OPEN), "there, **that the place of the credit helps is not shown** and it is better than leaving"),
        ((OPEN, ""), "**that the place of the credit helps is not shown** and **that it is worth more"),
    ],
)
def test_less_negative_mass_is_no_proof_of_the_place_and_a_control_is(over, verdict):
    assert verdict in said(over, decision=BETTER)


@pytest.mark.parametrize(
    ("to_grpo", "verdict"),
    [
        ("+0.01 [-0.01, +0.03]", "So whether it learns better is open"),
        ("-0.05 [-0.07, -0.03]", "So GRPO learns better"),
    ],
)
def test_a_negative_result_is_told_as_one(to_grpo, verdict):
    assert verdict in said(unit=to_grpo)


def test_controls_single_seeds_and_what_takes_no_plugin_are_no_results_of_ours():
    much = "+0.30 [+0.20, +0.40]"
    text = said(oracle=much, nthr=much, tele="+0.40 [-inf, +inf]", unit="+0.02 [+0.01, +0.03]")
    assert "One way to place credit, `egca.credit=span`, was tried at length" in text


def test_an_arm_that_no_setting_gives_is_named_as_what_it_is():
    assert "credit, the benchmark's arm `praise_prefix`, was" in said(praise_prefix=BETTER)
    assert paragraph.SETTINGS.keys() <= ARMS.keys() >= {*paragraph.COMPARED, *paragraph.OTHERS}
