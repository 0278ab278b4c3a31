"""What people expect of a project: files that say true things, and a wheel that holds what it should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import egca_plugin

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
TASK = {"task_id": "t", "entry_point": "one", "tests": ["assert one() == 1"]}


def test_no_two_test_files_share_a_name() -> None:
    """pytest refuses to collect the second of two."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_the_version_is_one_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == egca_plugin.__version__
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors", "license"} <= citation.keys()


def test_the_changelog_has_a_heading_for_what_comes_or_for_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0].startswith(f"[{egca_plugin.__version__}]")


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.stem)
def test_an_issue_template_asks_for_something(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert form.keys() >= {"name", "description", "body"}
    assert any(part.get("validations", {}).get("required") for part in form["body"])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("setuptools") is None:
        pytest.skip("setuptools is not here to build a wheel with")
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    for name in ("egca_plugin", "recipes"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(work)]
    done = subprocess.run([*build, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(work.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package_and_the_recipes(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = [path for path in (ROOT / "egca_plugin").rglob("*") if path.is_file() and path.suffix not in (".pyc", "")]
    assert {str(path.relative_to(ROOT)) for path in ours} <= held
    recipes = [path for path in (ROOT / "recipes").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert recipes
    assert {name.partition("/share/egca/")[2] for name in held} >= {str(path.relative_to(ROOT)) for path in recipes}


@pytest.mark.slow
def test_the_wheel_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "-q", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True)
    (tmp_path / "tasks.jsonl").write_text(json.dumps(TASK) + "\n")
    sample = {"task_id": "t", "completion": "def one():\n    return 1\n"}
    (tmp_path / "samples.jsonl").write_text(json.dumps(sample) + "\n")
    script = "import sys, egca_plugin; print(egca_plugin.__file__, file=sys.stderr); "
    script += "from egca_plugin.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "assess", "--tasks", "tasks.jsonl"]
    found = subprocess.run(
        [*command, "--samples", "samples.jsonl", "--out", "credits.jsonl", "--workers", "1"],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr.startswith(str(site))
    assert json.loads((tmp_path / "credits.jsonl").read_text())["passed"] is True
    assert (site / "share" / "egca" / "recipes" / "shared" / "grpo_code.yaml").is_file()
