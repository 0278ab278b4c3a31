"""What the pages say is so: links lead somewhere, commands and options exist, the examples run, the site builds."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import egca_plugin as egca
from egca_plugin.cli.main import COMMANDS
from egca_plugin.tasks.starter import load

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "recipes").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts and mkdocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def blocks(page: Path, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text_of(page)) if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: there is no {target}"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading in {target.name}"


def test_the_readme_is_read_in_one_go() -> None:
    assert len(text_of(ROOT / "README.md").split()) < 900


def test_each_of_the_twenty_questions_has_its_answer_where_the_map_says() -> None:
    section = text_of(ROOT / "CONTRIBUTING.md").partition("## Twenty questions")[2]
    answers = re.findall(r"^\| (?:What|Does|Which|How|I |My |Why|May|Can).* \| (.+) \|$", section, re.MULTILINE)
    assert len(answers) == 20
    for answer in answers:
        places = re.findall(r"[\w/]+\.(?:md|py)|benchmarks/results/|egca \w+", answer)
        assert places
        assert [place for place in places if not place.startswith("egca ") and not (ROOT / place).exists()] == []
        for page, heading in re.findall(r'(docs/\w+\.md), "([^"]+)"', answer):
            assert heading.lower().replace(" ", "-") in anchors(ROOT / page)


def test_every_file_of_the_map_exists() -> None:
    paths = re.findall(r"`((?:egca_plugin|benchmarks|tests)/[^`*]+)`", text_of(ROOT / "CONTRIBUTING.md"))
    assert len(paths) > 50
    assert [path for path in paths if not (ROOT / path).exists()] == []


def commands() -> Iterator[tuple[str, list[str]]]:
    for page in PAGES:
        for block in blocks(page, "bash", "sh", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.search(r"(?:^|\s|&& )egca (?=[a-z])(.+)", line.split(" #")[0])
                if found:
                    yield page.name, shlex.split(found[1].split("&&")[0].split("|")[0])


def test_every_command_and_option_that_a_page_shows_exists() -> None:
    shown = list(commands())
    assert len(shown) > 5
    for page, (name, *words) in shown:
        assert name in COMMANDS or name == "help", f"{page}: egca {name}"
        if name in ("help", "bench"):
            continue
        subparsers = argparse.ArgumentParser().add_subparsers()
        importlib.import_module(f"egca_plugin.cli.{name}").add_parser(subparsers)
        known = subparsers.choices[name]._option_string_actions
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        assert set(options) <= set(known), f"{page}: egca {name} {' '.join(words)}"


def test_the_page_of_commands_has_them_all() -> None:
    page = text_of(ROOT / "docs" / "commands.md")
    assert {name for name in COMMANDS if f"`egca {name}`" in page} == set(COMMANDS)


def test_the_localiser_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(blocks(ROOT / "docs" / "localisers.md", "python")[0], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    task = next(task for task in load() if task.task_id == "starter/is_positive")
    program = "def is_positive(n):\n    return n >= 0\n"
    (credit,) = egca.assess(task, [program], egca.EgcaConfig(localizer="mine:LastReturn"), workers=1)
    assert [program[span.start : span.end] for span in credit.spans] == ["return n >= 0"]


def test_the_api_page_has_every_public_name() -> None:
    page = text_of(ROOT / "docs" / "api.md")
    names = set(egca.__all__) - {"__version__", "EgcaError"}
    assert "::: egca_plugin.errors" in page
    assert {name for name in names if re.search(rf"\b{name}\b", page)} == names


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="mkdocs is not here; the extra dev brings it")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    page = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    assert "Judge completions in the sandbox and say which characters" in page
    assert ":class:" not in page
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page)
    assert [url for url in loaded if "canonical" not in url] == []
