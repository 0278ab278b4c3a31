"""Groups of the corpus' programs: nothing stands in for a reference that gives the answer away."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.localization.corpus import Subject
from benchmarks.localization.siblings import (
    ALONE,
    BOTH,
    SIZE,
    WITHOUT,
    Mixed,
    Right,
    answer,
    groups,
    mixed,
    read,
    right_programs,
    run,
    summary,
    tables,
)
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Assessor
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Span, Task

REFERENCE = "def total(xs):\n    s = 0\n    for x in xs:\n        s += x * 2\n    return s\n"
OTHER = "def total(xs):\n    return 2 * sum(xs)\n"
TESTS = ("assert total([1, 2]) == 6", "assert total([]) == 0", "assert total([5]) == 10")
TASK = Task("mbpp/made-up", "", "total", REFERENCE, TESTS)


def subject(number: int, form: str, program: str, line: int, fixed: str = "") -> Subject:
    return Subject(f"{form}/{number}", TASK.task_id, form, "made", "wrong", program, (line,), (Span(0, 1),), fixed)


PLAIN = subject(1, "plain", REFERENCE.replace("* 2", "* 3"), 4, REFERENCE)
WRITTEN = subject(2, "independent", OTHER.replace("2 *", "3 *"), 2, OTHER)


@pytest.fixture(scope="module")
def right() -> Right:
    (found,) = right_programs(TASK, [OTHER, REFERENCE, OTHER + "\n", "def total(xs):\n    return 0\n"])
    return found


@pytest.fixture(scope="module")
def assessor() -> Iterator[Assessor]:
    with Sandbox() as sandbox:
        yield Assessor(EgcaConfig(traces=""), sandbox)


def test_what_stands_in_passes_and_is_not_the_reference(right: Right) -> None:
    assert [source.strip() for source in right.written] == [OTHER.strip()]
    assert "while" in right.twin
    assert right.twin != REFERENCE


def test_a_group_is_full_and_holds_no_right_version_of_what_fails_in_it(right: Right) -> None:
    restructured = subject(3, "restructured", right.twin.replace("* 2", "* 3"), 1)
    made = [mixed(TASK, [PLAIN, WRITTEN, restructured], right, random.Random(seed)) for seed in range(60)]
    for group in made:
        assert group is not None
        assert len(group.passing) + len(group.failing) == SIZE
        assert not (OTHER in group.passing and WRITTEN in group.failing)
        assert not (right.twin in group.passing and restructured in group.failing)
    assert Counter(one.form for group in made if group for one in set(group.failing)).keys() == {
        *("plain", "independent", "restructured")
    }
    assert mixed(TASK, [WRITTEN], Right("", (OTHER,)), random.Random(0)) is None
    assert mixed(TASK, [PLAIN], Right("", ()), random.Random(0)) is None


def test_the_same_seed_gives_the_same_groups(right: Right) -> None:
    tasks, rights = {TASK.task_id: TASK}, {TASK.task_id: right}
    assert groups(tasks, [PLAIN, WRITTEN], rights, 1, 0) == groups(tasks, [WRITTEN, PLAIN][::-1], rights, 1, 0)
    assert groups(tasks, [PLAIN], {}, 1, 0) == []


def test_each_arm_answers_for_each_failing_sample_once(assessor: Assessor) -> None:
    group = Mixed(TASK, (OTHER, REFERENCE.replace("s", "acc")), (PLAIN, PLAIN))
    found = list(answer(group, assessor))
    assert [(one.arm, one.reference, one.row.hit) for one in found] == [
        (ALONE, "canonical", 1.0),
        (BOTH, "canonical", 1.0),
        (WITHOUT, "sibling", 1.0),
    ]
    assert summary(found) == {"points_lost": 0.0, "points_lost_to_both": 0.0, "top1_where_verified": 100.0}
    assert [row[:3] for row in tables(found)[0]["rows"]] == [
        [arm, form, 1] for form in ("all", "plain") for arm in (ALONE, BOTH, WITHOUT)
    ]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    group = Mixed(TASK, (OTHER,), (PLAIN,))
    first = run([group], tmp_path / "rows.jsonl", workers=1)
    assert [one.arm for one in first] == [ALONE, BOTH, WITHOUT]
    assert read(tmp_path / "rows.jsonl") == {TASK.task_id: first}
    assert run([group], tmp_path / "rows.jsonl", workers=1) == first
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 1
