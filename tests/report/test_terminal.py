"""The terminal's view of one credit: what is coloured, and what is said."""

from __future__ import annotations

import report_records as make
from rich.console import Console

from egca_plugin.report.terminal import FIRST, OTHERS, program, view
from egca_plugin.types import Credit


def shown(credit: Credit, text: str) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(view(credit, text))
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
    assert "The advantage goes to the marked text: a change of this text alone makes every test pass." in page
    assert "value: saw 2, expected 1" in page
    assert "values[1:] -> values" in page


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
