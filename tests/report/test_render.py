"""The HTML report: the whole page against a gold file, and what hostile text may not do to it.

After a wanted change of the page: ``EGCA_WRITE_GOLD=1 pytest tests/report``, and read the difference before committing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_records as make

from egca_plugin.cli.main import main
from egca_plugin.report import render as rendering
from egca_plugin.report.read import load

pytest.importorskip("jinja2")
GOLD = Path(__file__).parent / "gold"


class Page(HTMLParser):
    """The tags with their attributes, and the text of each ``pre`` and ``mark``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"pre": [], "mark": [], "script": [], "style": []}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.texts:
            self._open.append(tag)
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(rendering, "__version__", "0")
    return rendering.render(load(make.write(tmp_path / "credits.jsonl")), "a <title> & more")


@pytest.mark.parametrize(("name", "steps"), [("assess", 0), ("training", 3)])
def test_the_page_is_the_gold_one(name: str, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "__version__", "0")
    page = rendering.render(load(make.write(tmp_path / "credits.jsonl", steps=steps)), f"gold: {name}")
    gold = GOLD / f"{name}.html"
    if os.environ.get("EGCA_WRITE_GOLD"):
        gold.write_text(page, encoding="utf-8")
    assert page == gold.read_text(encoding="utf-8")


def test_the_blame_is_marked_character_by_character(page: str) -> None:
    parsed = Page(page)
    assert parsed.texts["mark"][:2] == ["for value in ", "values[1:]"]
    firsts = [attributes.get("class") for tag, attributes in parsed.tags if tag == "mark"]
    assert firsts[:2] == [None, "first"]


def test_the_text_of_a_program_arrives_whole(page: str) -> None:
    shown = [text.removeprefix("\n") for text in Page(page).texts["pre"]]  # HTML drops the first newline of a pre
    assert shown[0] == make.LOGIC
    assert shown[3] == make.HOSTILE.replace("\u202e", r"\u202e").replace("\0", r"\x00").replace("\ud800", r"\ud800")


def test_hostile_text_adds_no_element(page: str) -> None:
    parsed = Page(page)
    assert [tag for tag, _ in parsed.tags].count("script") == 1
    after_the_cards = parsed.tags[parsed.tags.index(("section", {"class": "grid"})) :]
    assert "b" not in {tag for tag, _ in after_the_cards}  # the task named <b>
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]


def test_nothing_is_loaded_and_only_the_pages_own_script_may_run(page: str) -> None:
    parsed = Page(page)
    assert not [a for _, a in parsed.tags if {"src", "srcset", "data", "action"} & a.keys()]
    places = {a["id"] for _, a in parsed.tags if "id" in a}
    links = [str(a["href"]) for _, a in parsed.tags if "href" in a]
    assert links
    assert {link[1:] for link in links if link.startswith("#")} == {link[1:] for link in links} <= places
    assert "url(" not in page
    policy = next(a["content"] for _, a in parsed.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(parsed.texts[tag][0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "style" not in {name for _, a in parsed.tags for name in a}  # the policy would ignore it


def test_every_record_is_counted_but_only_so_many_are_listed(tmp_path: Path) -> None:
    page = rendering.render(load(make.write(tmp_path / "credits.jsonl")), "t", shown=2)
    assert page.count('<details class="sample"') == 2
    assert "2 of 7 samples, evenly spread" in page
    assert re.search(r"<b>14.3%</b>passed", page)


def test_records_without_text_say_how_to_bring_it_in(tmp_path: Path) -> None:
    page = rendering.render(load(make.write(tmp_path / "credits.jsonl", texts=False)), "t")
    assert page.count("give the assessed samples as --samples") == 7


def test_no_records_make_no_page() -> None:
    with pytest.raises(ValueError, match="got no records"):
        rendering.render([], "t")


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, out = make.write(tmp_path / "credits.jsonl"), tmp_path / "report.html"
    assert main(["report", str(records), "-o", str(out), "--title", "mine", "--limit", "3"]) == 0
    assert "report.html: 7 records" in capsys.readouterr().err
    page = out.read_text(encoding="utf-8")
    assert "<h1>mine</h1>" in page
    assert page.count('<details class="sample"') == 3


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = make.write(tmp_path / "credits.jsonl")
    assert main(["report", str(records), "-o", str(records / "report.html")]) == 2
    assert "report.html: cannot be written (" in capsys.readouterr().err
