"""The report in a browser: what readers do with it, on a wide screen, on a telephone, by keyboard, in the dark.

EGCA_WRITE_SCREENSHOT=1 writes the picture of the README anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import report_records as make

from benchmarks.report.browser import Browser, executable
from benchmarks.report.pages import many
from egca_plugin.report.read import Record, load
from egca_plugin.report.render import SHOWN, render
from egca_plugin.types import FailedTest, Task

pytest.importorskip("jinja2")
pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium here: apt-get install chromium")

PICTURE = Path(__file__).parents[2] / "docs" / "report.png"
TASKS = {
    "sum/1": Task("sum/1", "Add <b>all</b> values.", "total", "", ("assert total([1, 2]) == 3",)),
    "last/2": Task("last/2", "The last item.", "last", "", "def check(candidate):\n    assert candidate([1]) == 1\n"),
}
LISTED = "[...document.querySelectorAll('.sample')].filter(one => !one.hidden).map(one => one.id).join(' ')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def page(tmp_path: Path) -> Path:
    records = load(make.write(tmp_path / "credits.jsonl", steps=3))
    other = [replace(record, credit=records[1].credit) for record in records]
    path = tmp_path / "report.html"
    path.write_text(render(records, "a run", tasks=TASKS, against=other), encoding="utf-8")
    return path


def find(browser: Browser, text: str) -> str:
    browser.run(f"document.getElementById('text').value = {text!r}; show()")
    return str(browser.run(LISTED))


def test_text_patch_and_reasons_are_searched(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert len(find(browser, "").split()) == 18
    assert find(browser, "values[1:] -> values") == "s1"
    assert find(browser, "ITEMS[LEN") == "s3 s9 s14"
    assert browser.run("document.getElementById('count').textContent") == "3 of 18 listed"
    assert find(browser, "nowhere at all") == ""


def test_a_link_opens_the_sample_even_one_that_was_filtered_out(browser: Browser, page: Path) -> None:
    browser.open(page)
    find(browser, "nowhere at all")
    browser.run("location.hash = '#s3'; new Promise(done => setTimeout(done, 100))")
    assert browser.run("document.getElementById('s3').open && !document.getElementById('s3').hidden")
    assert browser.run("document.activeElement.closest('.sample').id") == "s3"


def test_a_task_tells_prompt_tests_and_siblings(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('#s1 a[href=\"#t1\"]').click(); new Promise(done => setTimeout(done, 100))")
    said = str(browser.run("document.getElementById('t1').innerText"))
    assert "Add <b>all</b> values." in said
    assert "assert total([1, 2]) == 3" in said
    assert "Siblings of step 1" in said.replace("SIBLINGS OF STEP 1", "Siblings of step 1")
    assert "1 logic" in said


def test_the_switch_shows_what_grpo_would_do(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.getElementById('s1').open = true")
    shade = "getComputedStyle(document.querySelector('#s1 pre')).backgroundColor"
    before = browser.run(shade)
    browser.press("g")
    assert browser.run(shade) != before
    assert "every token of this answer" in str(browser.run("document.querySelector('#s1 .body').innerText"))
    browser.press("g")
    assert browser.run(shade) == before


def test_keys_go_from_sample_to_sample_and_to_the_search(browser: Browser, page: Path) -> None:
    browser.open(page)
    for key in "jjk":
        browser.press(key)
    assert browser.run("document.activeElement.closest('.sample').id") == "s1"
    browser.press("/")
    assert browser.run("document.activeElement.id") == "text"
    browser.press("j")  # is a letter there
    assert browser.run("document.activeElement.id") == "text"
    assert browser.run("document.getElementById('text').value") == "j"


def test_two_runs_are_compared_in_figures_and_lines(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert "passed all tests" in str(browser.run("document.body.innerText"))
    assert browser.run("document.querySelectorAll('.line.other').length") == 3


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_overflows_a_telephone(browser: Browser, page: Path, dark: bool) -> None:
    browser.open(page, width=390, height=844, dark=dark)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert browser.run("document.documentElement.scrollWidth") <= 390


CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const shine = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
    const part = c[k] / 255;
    return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (one.closest("svg, script, style, option") || !one.checkVisibility()) continue;
    const pair = [shine(rgb(getComputedStyle(one).color)), shine(behind(one))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) bad.push(`${one.tagName}.${one.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)].join(", ");
})()"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("grpo", [False, True])
def test_every_text_has_the_contrast_of_wcag_aa(browser: Browser, page: Path, dark: bool, grpo: bool) -> None:
    browser.open(page, dark=dark)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    if grpo:
        browser.run("document.getElementById('grpo').click()")
    assert browser.run(CONTRAST) == ""


def test_a_text_that_is_too_pale_is_found(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('h1').style.color = '#999'")
    assert str(browser.run(CONTRAST)).startswith("H1. 2.")


SETTLED = "new Promise(done => setTimeout(done, 500))"
TOP = "document.activeElement.getBoundingClientRect().top"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "report.html"
    path.write_text(render(many(10_000), "many"), encoding="utf-8")
    return path


@pytest.mark.slow
def test_ten_thousand_samples_are_one_file_of_which_little_is_made_at_first(browser: Browser, large: Path) -> None:
    assert large.stat().st_size < 30e6
    browser.open(large)
    assert browser.run("samples.length") == 10_000 == SHOWN
    assert browser.run("document.getElementsByTagName('*').length") < 5_000  # it is elements that take the time
    assert browser.run("document.getElementById('s1').checkVisibility()")
    assert find(browser, "# 9999\n") == "s10000"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 390])
def test_a_link_leads_to_a_sample_that_is_not_made_yet(browser: Browser, large: Path, width: int) -> None:
    browser.open(large, width=width)
    for anchor in ("s9001", "s4000", "t625"):
        browser.run(f"location.hash = '#{anchor}'; {SETTLED}")
        assert browser.run("document.activeElement.parentElement.id") == anchor
        assert 0 <= browser.run(TOP) < 900  # in sight still, when all around it has been made


@pytest.mark.slow
def test_what_the_reader_scrolls_to_is_made(browser: Browser, large: Path) -> None:
    browser.open(large)
    browser.run(f"scrollTo(0, document.body.scrollHeight / 2); {SETTLED}")
    assert browser.run("document.elementFromPoint(600, 450).closest('.sample').id.length") == 5
    assert browser.run("document.getElementsByTagName('*').length") < 15_000


@pytest.mark.slow
def test_keys_go_beyond_what_is_made(browser: Browser, large: Path) -> None:
    browser.open(large)
    browser.run("for (let n = 0; n < 120; n++) step(1)")
    assert browser.run("document.activeElement.parentElement.id") == "s120"
    browser.run("document.activeElement.blur()")
    browser.press("k")
    assert browser.run("document.activeElement.parentElement.id") == "s10000"


@pytest.mark.slow
def test_on_paper_they_all_are(browser: Browser, large: Path) -> None:
    browser.open(large)
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('.sample').length") == 10_000


def test_without_script_everything_is_there_to_read(browser: Browser, page: Path) -> None:
    browser.open(page, script=False)
    assert browser.run("document.querySelectorAll('details.sample').length") == 18
    assert not browser.run("document.getElementById('tools').checkVisibility()")
    browser.run("document.getElementById('s1').open = true")
    assert "for value in values[1:]" in str(browser.run("document.querySelector('#s1 pre').innerText"))


def test_text_that_looks_like_markup_stays_text(browser: Browser, tmp_path: Path) -> None:
    hostile = "</noscript></script><img src=x onerror=alert(1)><details class='sample' id='s9'><!-- &lt; &amp;lt;\n"
    one = replace(load(make.write(tmp_path / "credits.jsonl"))[3], text=hostile, task_id=hostile)
    path = tmp_path / "report.html"
    path.write_text(render([one], "hostile"), encoding="utf-8")
    browser.open(path)
    assert browser.run("document.querySelector('#s1 pre').textContent") == hostile
    assert browser.run("document.querySelectorAll('script').length") == 1
    assert browser.run("document.querySelectorAll('img, noscript').length") == 0
    assert browser.run("samples.length") == 1
    assert find(browser, "<!-- &lt; &amp;lt;") == "s1"
    assert find(browser, "amp;amp") == ""


def test_a_patch_is_shown_as_a_diff(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run("document.querySelector('#s1 del').textContent") == "-     for value in values[1:]:"
    assert browser.run("document.querySelector('#s1 ins').textContent") == "+     for value in values:"


@pytest.mark.slow
def test_longer_texts_are_fewer_samples(tmp_path: Path) -> None:
    records = [replace(record, text=str(record.text) * 6) for record in many(4_000)]
    page = render(records, "long")
    assert len(page) < 30e6
    assert 1_000 < page.count('<details class="sample"') < 4_000


def test_the_picture_of_the_readme_is_made_here(browser: Browser, tmp_path: Path) -> None:
    rows = [row for row in make.rows() if row[0] in TASKS][:5]
    failed = FailedTest(1, "total([1, 2])", expected="3", got="2")
    credits = [replace(credit, failed=failed if credit.diff else None) for _, _, credit in rows]
    records = [
        Record(task_id, credit, text, step=1, credited_share=0.25 if credit.spans else 1.0)
        for (task_id, text, _), credit in zip(rows, credits, strict=True)
    ]
    page = tmp_path / "report.html"
    page.write_text(render(records, "runs/mbpp", tasks=TASKS), encoding="utf-8")
    browser.open(page, width=1000, height=760)
    browser.run("location.hash = '#s1'; new Promise(done => setTimeout(done, 100))")
    browser.run("document.activeElement.blur(); document.getElementById('tools').scrollIntoView()")
    taken = PICTURE if os.environ.get("EGCA_WRITE_SCREENSHOT") else tmp_path / "report.png"
    browser.screenshot(taken)
    assert taken.read_bytes().startswith(b"\x89PNG")
