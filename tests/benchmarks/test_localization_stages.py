"""The profile of the localiser: own times by stage, and a table of them."""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.localization import independent
from benchmarks.localization.corpus import tasks
from benchmarks.localization.stages import OTHER, STAGES, Watch, profile, summary
from egca_plugin.sandbox.outside.api import Sandbox


def test_a_stage_is_not_billed_for_the_stages_inside_it() -> None:
    watch = Watch()
    inner = watch.timed("inner", lambda: time.sleep(0.05))
    with watch.stage("outer"):
        inner()
        time.sleep(0.01)
        inner()
    assert watch.seconds["inner"] >= 0.1
    assert 0.01 <= watch.seconds["outer"] < 0.09


def test_every_stage_of_a_real_localisation_is_met_and_put_back(sandbox: Sandbox) -> None:
    before = [getattr(owner, name) for places in STAGES.values() for owner, name in places]
    subjects = [subject for subject in independent.subjects("independent") if subject.task_id == "HumanEval/100"]
    (first, *_) = profile(subjects, tasks(None), sandbox)
    assert {"the candidate's traces", "alignment and k*", "proposing", "trials", OTHER} <= first.keys()
    assert [getattr(owner, name) for places in STAGES.values() for owner, name in places] == before


def test_the_table_has_shares_of_all_time_and_of_the_slowest() -> None:
    quick, slow = Counter({"trials": 0.01, OTHER: 0.01}), Counter({"trials": 0.9, OTHER: 0.1})
    rows = {row[0]: row[1:] for row in summary([quick] * 19 + [slow])["rows"]}
    assert rows["trials"] == ["79%", "54.5", "10.0", "54.5", "90%"]
    assert rows["all"][0] == "100%"
