"""Scoring keeps to LABELS.md; the harness resumes; the report adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.localization import __main__ as command
from benchmarks.localization import harness, scoring
from benchmarks.localization.corpus import Subject
from benchmarks.localization.report import markdown, report
from benchmarks.localization.scoring import Row, credited_share, score, summarise, wilson
from egca_plugin.errors import SampleError
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Outcome, Span, Task, Verdict

PROGRAM = "def f(x):\n    y = x + 1\n    z = y\n    return z\n"
SUBJECT = Subject("s", "t", "plain", "constant", "wrong", PROGRAM, (2,), (Span(22, 23),))
WRONG = Verdict(Outcome.WRONG_ANSWER, 0, 1)
TASK = Task("t", "", "f", PROGRAM.replace("+ 1", "+ 2"), ("assert f(1) == 3",))


def scored(*spans: tuple[int, int], name: str = "trace", **fields: Any) -> Row:
    answer = Localization(spans=tuple(Span(*span) for span in spans), **fields)
    return score(SUBJECT, WRONG, name, answer, 1.0, warm=True)


def test_the_first_line_of_the_first_span_decides() -> None:
    assert scored((18, 23)).hit == 1
    assert scored((18, 40)).hit == 1
    assert scored((28, 33), (18, 23)).hit == 0  # only the most blamed span counts
    assert scored((0, 23)).hit == 0  # it starts on line 1


def test_an_abstention_is_a_miss_and_uniform_credit_a_random_line() -> None:
    assert (scored().hit, scored().credited, scored().share) == (0, False, 1.0)
    assert scored(name="uniform").hit == pytest.approx(1 / 3)  # three statements in the function


def test_overlap_with_an_expression_and_with_a_point() -> None:
    assert PROGRAM[22:23] == "1"
    assert scored((18, 23)).overlap
    assert not scored((18, 22)).overlap
    missing = replace(SUBJECT, spans=(Span(28, 28),))
    touching = Localization(spans=(Span(23, 28),))
    assert score(missing, WRONG, "trace", touching, 1.0, warm=True).overlap


def test_credited_share_counts_python_tokens() -> None:
    assert credited_share("a = b + c  # why\n", (Span(4, 5),)) == pytest.approx(1 / 5)
    assert credited_share("a = b + c  # why\n", (Span(0, 17),)) == 1
    assert credited_share("a = b\n", (Span(5, 6),)) == pytest.approx(1 / 3)  # a newline counts as one token
    assert credited_share("a = b\n", ()) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_wilson_intervals_hold_their_rate(values: list[float]) -> None:
    rate = wilson(values)
    assert 0 <= rate.low <= rate.value + 1e-9
    assert rate.value - 1e-9 <= rate.high <= 1


def test_wilson_against_published_values() -> None:
    rate = wilson([1.0] * 81 + [0.0] * 182)  # Newcombe 1998, table I: 81/263
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)
    assert wilson([]).n == 0


def test_time_is_that_of_warm_rows() -> None:
    rows = [replace(scored((18, 23)), ms=ms, warm=ms < 50) for ms in (10.0, 20.0, 30.0, 900.0)]
    assert summarise(rows).ms_p50 == 20
    with pytest.raises(ValueError, match="got no rows"):
        summarise([])


# --- the harness ------------------------------------------------------------------------------------------------


def test_plan_leaves_out_what_is_done_and_what_has_no_task() -> None:
    other = replace(SUBJECT, id="other", task_id="unknown")
    done = harness.done([scored()])
    (job,) = harness.plan([SUBJECT, other], {"t": TASK}, ("trace", "uniform"), done)
    assert job.work == ((SUBJECT, ("uniform",)),)


def test_a_row_about_another_program_or_label_does_not_count_as_done() -> None:
    for changed in (replace(SUBJECT, program=PROGRAM + "\n"), replace(SUBJECT, lines=(3,))):
        assert harness.plan([changed], {"t": TASK}, ("trace",), harness.done([scored()]))


def test_localise_scores_every_localiser_and_excludes_what_passes() -> None:
    passing = replace(SUBJECT, id="fine", program=TASK.reference)
    job = harness.Job(TASK, ((SUBJECT, ("text_diff", "executed")), (passing, ("text_diff",))))
    with Sandbox() as sandbox:
        diff, executed, fine = harness.localise(job, sandbox)
    assert (diff.hit, diff.localizer, diff.outcome, diff.error) == (1, "text_diff", "wrong_answer", "")
    assert executed.credited
    assert fine.outcome == "ok"


def test_a_localiser_that_raises_is_listed_as_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def localize(self, case: Any) -> Localization:
            raise RuntimeError("no idea")

    monkeypatch.setattr(harness.registry, "get", lambda name: Broken())
    with Sandbox() as sandbox:
        (row,) = harness.localise(harness.Job(TASK, ((SUBJECT, ("broken",)),)), sandbox)
    assert (row.hit, row.reason, row.error) == (0, "error", "RuntimeError: no idea")


def test_rows_are_read_back_and_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert harness.read(path) == []
    path.write_text("{}\n")
    with pytest.raises(SampleError, match=r"rows.jsonl:1"):
        harness.read(path)


# --- the report and the command -----------------------------------------------------------------------------------


def test_the_report_writes_tables_misses_and_what_was_not_scored(tmp_path: Path) -> None:
    rows = [
        scored((18, 23), verified=True),
        replace(scored((28, 33), reason="unverified"), subject="missed"),
        replace(scored((18, 23)), subject="fine", outcome="ok"),
    ]
    tables = report(rows, "test", {"half": "test"}, tmp_path)
    assert tables[0]["rows"][0][:4] == ["plain", "trace", 2, "50.0% [9.5, 90.5]"]
    result = json.loads((tmp_path / "localization-test.json").read_text())
    assert [miss["subject"] for miss in result["misses"]["trace"]] == ["missed"]
    assert result["unscored"]["passes in the sandbox"] == ["fine"]
    assert result["host"]["python"]
    assert "| plain | trace | 2 |" in (tmp_path / "localization-test.md").read_text()


def test_markdown_is_a_table() -> None:
    shown = markdown({"title": "T", "columns": ["a", "b"], "rows": [[1, 2]]})
    assert shown.splitlines() == ["### T", "", "| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_the_command_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--forms", "independent", "--limit", "2", "--localizers", "uniform", "text_diff", "--workers", "1"]
    arguments += ["--work", str(tmp_path / "work"), "--results", str(tmp_path / "results")]
    assert command.main(arguments) == 0
    rows = (tmp_path / "work" / "rows-development.jsonl").read_text()
    assert len(rows.splitlines()) == 4
    assert command.main(arguments) == 0
    assert (tmp_path / "work" / "rows-development.jsonl").read_text() == rows


def test_unusable_input_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "plain.jsonl"
    broken.write_text("nonsense\n")
    assert command.main(["--forms", "plain", "--corpus", str(tmp_path)]) == 2
    assert "plain.jsonl:1" in capsys.readouterr().err.replace("\n", "")


def test_a_random_line_needs_a_function() -> None:
    assert scoring.random_line(replace(SUBJECT, program="x = 1\n")) == 0
