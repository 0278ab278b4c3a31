"""The confidences are the measured ones, and the fit adds up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import RESULTS
from benchmarks.localization import calibration
from benchmarks.localization.calibration import answers, calibration_error, fit
from benchmarks.localization.scoring import Row
from egca_plugin.localize.confidence import MEASURED, SMALL, confidence, grounds

RESULT = RESULTS / "localization" / "calibration.json"


def row(hit: float, stage: str = "generic", **fields: Any) -> Row:
    told = {"subject": "s", "task_id": "t", "form": "restructured", "operator": "constant", "category": "wrong"}
    told |= {"outcome": "wrong_answer", "localizer": "trace", "overlap": True, "share": 0.1, "verified": True}
    told |= {"credited": True, "reason": "", "ms": 1.0, "warm": True, "trials": 1}
    return Row(**{**told, **fields}, hit=hit, stage=stage)


def test_what_the_localiser_says_is_what_was_measured() -> None:
    assert json.loads(RESULT.read_text())["measured"] == dict(MEASURED)


def test_a_large_patch_has_a_figure_of_its_own() -> None:
    assert grounds("generic", SMALL) == "generic"
    assert grounds("generic", SMALL + 1) == "generic, large"
    assert confidence("generic", SMALL + 1) == MEASURED["generic, large"]


def test_few_cases_stay_near_a_half() -> None:
    fitted = fit([row(1.0)] * 8 + [row(0.0, "pair", size=9)])
    assert fitted["generic"] == 0.9  # (8 + 1) / (8 + 2)
    assert fitted["pair, large"] == 0.33  # (0 + 1) / (1 + 2)
    assert fitted["special"] == 0.5  # nothing is known
    assert fitted.keys() == MEASURED.keys()


def test_answers_in_the_form_of_the_reference_and_abstentions_do_not_count() -> None:
    assert answers([row(1.0, form="plain"), row(1.0, credited=False), row(1.0, localizer="ochiai")]) == []


def test_the_error_is_the_mean_distance_by_grounds() -> None:
    said = dict.fromkeys(MEASURED, 0.5)
    assert calibration_error(said, [row(1.0), row(0.0)]) == 0.0  # half of them are right, as was said
    assert calibration_error(said, [row(1.0), row(0.0, "pair")]) == 0.5


def test_one_half_alone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibration.main(["--work", str(tmp_path)]) == 2
    assert "got 0 answers of the development half and 0 of the test half" in capsys.readouterr().err
