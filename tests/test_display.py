"""Values in a notebook: a table that hostile text can neither break nor flood."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.types import Credit, Divergence, FailedTest, Mode, Outcome, Span

SHOWN = {"table", "tr", "th", "td", "code"}


class Cells(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.cells[-1] += data


def rows(value: Credit | Divergence) -> dict[str, str]:
    cells = Cells(value._repr_html_()).cells
    return dict(zip(cells[1::2], cells[2::2], strict=True))


def credit(**more: object) -> Credit:
    return Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 3, **more)  # type: ignore[arg-type]


def test_a_credit_shows_what_it_knows_and_no_more() -> None:
    told = Divergence("value: saw 2, expected 1", 3, variable="value", expected="1", seen="2")
    found = rows(credit(spans=(Span(3, 9),), verified=True, divergence=told, ms={"judge": 2.5}, failed=FailedTest(0)))
    assert found == {
        "mode": "logic",
        "reward": "0",
        "outcome": "wrong_answer",
        "tests_passed": "1",
        "tests_total": "3",
        "spans": "start 3, end 9",
        "verified": "True",
        "divergence": "message value: saw 2, expected 1, line 3, variable value, expected 1, seen 2",
        "ms": "judge 2.5",
        "failed": "test 0",
    }


def test_its_heading_says_where_the_advantage_goes() -> None:
    assert Cells(credit()._repr_html_()).cells[0] == "Credit: uniform, plain GRPO"
    narrow = credit(spans=(Span(3, 9),), verified=True)
    assert Cells(narrow._repr_html_()).cells[0] == "Credit: on 1 span(s), proved by a patch"


@given(st.text(max_size=3000))
def test_no_text_adds_an_element_hides_anything_or_floods_the_page(text: str) -> None:
    html = credit(patch="</code><script>" + text, divergence=Divergence(text, 1))._repr_html_()
    assert Cells(html).tags == SHOWN
    assert "\u202e" not in html
    assert len(html) < 10_000


def test_a_thousand_spans_are_a_few() -> None:
    html = credit(spans=tuple(Span(at, at + 1) for at in range(1000)))._repr_html_()
    assert html.count("start") == 20
    assert "…" in html
