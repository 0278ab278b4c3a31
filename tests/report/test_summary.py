"""What the report counts, and the words that it uses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import report_records as make

from egca_plugin.cli.main import main
from egca_plugin.localize.api import Reason
from egca_plugin.monitor.records import credit_line
from egca_plugin.report import charts, words
from egca_plugin.report import render as rendering
from egca_plugin.report.read import load
from egca_plugin.report.summary import Count, summarise
from egca_plugin.types import Mode, Outcome, Span


def test_the_counts_of_a_small_file(tmp_path: Path) -> None:
    summary = summarise(load(make.write(tmp_path / "c.jsonl")))
    assert (summary.samples, summary.tasks, summary.passed, summary.failed) == (7, 3, 1, 6)
    assert (summary.narrow, summary.verified) == (3, 1)
    assert [count.name for count in summary.modes] == ["correct", "logic", "syntax", "constraint"]
    assert summary.reasons[0] == Count("a_code_of_tomorrow", 1, 1 / 7)
    assert sum(summary.credited_bins) == summary.narrow
    assert summary.times[0].stage == "extract"
    assert summary.steps == ()


def test_the_shares_of_the_modes_add_up_and_fill_the_bar(tmp_path: Path) -> None:
    summary = summarise(load(make.write(tmp_path / "c.jsonl")))
    assert sum(count.share for count in summary.modes) == pytest.approx(1)
    bars = charts.stacked(summary.modes)
    assert bars[-1].x + bars[-1].width == pytest.approx(charts.WIDTH, abs=0.1)


def test_the_course_over_the_steps_needs_two_of_them(tmp_path: Path) -> None:
    one, three = (summarise(load(make.write(tmp_path / "c.jsonl", steps=n))).steps for n in (1, 3))
    assert charts.lines(one) == ()
    assert [step.step for step in three] == [1, 2, 3]
    passed = charts.lines(three)[0]
    assert passed.kind == "passed"
    assert passed.points.startswith("0.0,")
    assert passed.last == three[-1].passed


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_of_the_localisers_has_words(reason: str) -> None:
    assert reason in words.REASONS


def test_every_credit_is_told_in_one_sentence() -> None:
    told = [words.of_credit(known) for _, _, known in make.rows()]
    assert told[0] == "The marked text is to blame: a change of this text alone makes every test pass."
    assert told[1] == "Credit is uniform: it passes its tests."
    assert told[-1] == "Credit is uniform: a code of tomorrow."


def test_the_decision_is_told_by_its_line_and_what_was_written_there() -> None:
    _, text, known = make.rows()[0]
    at = text.index("[1:]")
    assert words.of_decision(known, text) == ""
    decided = replace(known, decision=Span(at, at + 1))
    assert words.of_decision(decided, text) == "line 3, at `[1:]:`"
    assert words.of_decision(replace(decided, mended=0.5), text).endswith("`; what stands in front of it is praised")
    assert words.of_decision(replace(known, decision=Span(len(text), len(text) + 1)), text).endswith("at its end")
    assert words.of_decision(replace(decided, spans=()), text) == "", "credit is uniform"
    assert words.of_decision(decided, "") == "", "a record without its text"


def test_a_leap_that_was_bought_is_told_in_the_report_and_by_watch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eleven honest steps, then one in which all samples pass and look at none of their arguments."""
    honest = [make.credit(Mode.CORRECT, Outcome.OK, 3), *[make.credit(Mode.LOGIC, Outcome.WRONG_ANSWER, 0)] * 3]
    cheats = [make.credit(Mode.CORRECT, Outcome.OK, 3, anomalies=("ignores_arguments",))] * 4
    with (tmp_path / "credits-host-1.jsonl").open("w") as file:
        for step in range(1, 13):
            for known in cheats if step == 12 else honest:
                line = {"task_id": "sum/1", "completion": "", "step": step, **credit_line(known, "")}
                file.write(json.dumps(line) + "\n")
    ((step, raised),) = summarise(load(tmp_path)).alarms
    assert (step, "ignores_arguments 4" in raised) == (12, True)
    assert f"<strong>Step 12: {raised}</strong>" in rendering.render(load(tmp_path), "run")
    assert main(["watch", str(tmp_path), "--once"]) == 0
    assert "step 12: HACK ALARM" in capsys.readouterr().out
