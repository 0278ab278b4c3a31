"""The terminal's view of one credit: what is coloured, and what is said."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import report_records as make
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from egca_plugin.report.runs import Moment, TwoRuns
from egca_plugin.report.terminal import FIRST, OTHERS, STYLES, View, program
from egca_plugin.types import Credit, Span, Task
from egca_plugin.visible import visible


def shown(credit: Credit, text: str, width: int = 120, **more: object) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(View(credit, text, **more))  # type: ignore[arg-type]
    return captured.get()


def test_the_blame_has_its_colour_character_by_character() -> None:
    _, text, credit = make.rows()[0]
    coloured = program(credit, text)
    painted = {span.style: coloured.plain[span.start : span.end] for span in coloured.spans if span.style != "dim"}
    assert painted == {FIRST: "values[1:]", OTHERS: "for value in "}
    assert coloured.plain.splitlines()[2] == "3 │     for value in values[1:]:"


def test_a_narrow_credit_tells_what_diverged_and_what_proves_it() -> None:
    _, text, credit = make.rows()[0]
    page = shown(credit, text)
    assert "The marked text is to blame: a change of this text alone makes every test pass." in page
    assert "value: saw 2, expected 1" in page
    assert "values[1:] -> values" in shown(replace(credit, diff=""), text)
    told = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in page.splitlines() if re.match(r"  \w+  +", line))
    assert (told["test"], told["call"]) == ("number 2", "total([1, 2])")
    assert (told["expected"], told["got"]) == ("3", r"2 <script>\x1b[2J")


def test_a_uniform_credit_tells_why() -> None:
    _, text, credit = make.rows()[5]
    assert "Credit is uniform: the results differ, but no aligned pair of variables does." in shown(credit, text)


def test_markup_and_control_characters_of_the_program_stay_text() -> None:
    _, _, credit = make.rows()[5]
    page = shown(credit, "x = '[red]a[/red]\x1b[31m'\n")
    assert r"'[red]a[/red]\x1b[31m'" in page


def test_an_empty_completion_can_be_shown() -> None:
    _, text, credit = make.rows()[6]
    assert text == ""
    assert "1 │" in shown(credit, text)


def test_without_colour_carets_stand_under_the_blame() -> None:
    _, text, credit = make.rows()[0]
    lines = shown(credit, text).splitlines()
    under = lines[lines.index("3 │     for value in values[1:]:") + 1]
    assert under == f"  │     {'~' * 13}{'^' * 10}"
    coloured = Console(width=120, color_system="truecolor", force_terminal=True, legacy_windows=False)
    with coloured.capture() as captured:
        coloured.print(View(credit, text))
    assert "^" not in captured.get()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60), st.data())
def test_as_many_carets_as_characters_are_blamed(line: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    credit = replace(make.rows()[0][2], spans=(Span(start, end),))
    page = program(credit, line, carets_within=1000).plain
    assert page.count("^") - line.count("^") == (len(visible(line[start:end]).replace("\t", " " * 4)) or 1)


def test_a_line_that_is_too_long_is_broken_with_its_carets() -> None:
    _, text, credit = make.rows()[0]
    lines = program(credit, text, carets_within=24).plain.splitlines()
    assert max(map(len, lines)) <= 24
    assert sum(line.count("^") for line in lines) == len("values[1:]")


def test_a_blamed_newline_and_a_blamed_nothing_can_be_seen() -> None:
    credit = make.rows()[0][2]
    text = "def f():\n    return\n"
    end = text.index("\n")
    assert "def f():⏎" in shown(replace(credit, spans=(Span(end, end + 1),)), text)
    assert "retu⏎rn" in shown(replace(credit, spans=(Span(17, 17),)), text)
    assert "3 │ ⏎" in shown(replace(credit, spans=(Span(len(text), len(text) + 1),)), text)


def test_a_terminal_without_unicode_gets_none() -> None:
    _, text, credit = make.rows()[0]
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Console(file=file, width=100).print(View(replace(credit, spans=(Span(len(text), len(text)),)), text))
    file.flush()
    assert b"| \\n" in file.buffer.getvalue()  # type: ignore[attr-defined]


def test_programs_are_coloured_and_prose_is_not() -> None:
    text = "is this for you?\n" + make.LOGIC
    credit = replace(make.rows()[0][2], spans=())
    coloured = program(credit, text, [Span(text.index("def"), len(text))])
    words = {coloured.plain[span.start : span.end] for span in coloured.spans if span.style == STYLES["keyword"]}
    assert words >= {"def", "return"}
    assert "is" not in words


def test_the_change_is_a_diff_and_the_runs_stand_side_by_side() -> None:
    _, text, credit = make.rows()[0]
    runs = TwoRuns((Moment(3, "value = 2", True),), (Moment(3, "value = 1", True), Moment(4, "result = 1")))
    page = shown(credit, text, runs=runs)
    assert "  -     for value in values[1:]:\n  +     for value in values:\n" in page
    assert re.search(r"> 3: value = 2 +> 3: value = 1", page)


def test_the_test_is_told_as_it_is_written() -> None:
    _, text, credit = make.rows()[0]
    task = Task("sum/1", "", "total", "", ("assert total([]) == 0", "assert total([1, 2]) == 3"))
    assert re.search(r"written as +assert total\(\[1, 2\]\) == 3", shown(credit, text, task=task))
