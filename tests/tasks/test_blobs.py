from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.tasks import blobs

SMALL = {"task_id": "t", "tests": [{"stdin": "1", "stdout": "2"}], "setup": ""}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(blobs, "LARGE", 100)
    return {**SMALL, "tests": [{"stdin": "naïve" * 100, "stdout": "2"}]}


def test_small_tests_stay_in_the_row(tmp_path: Path) -> None:
    assert blobs.store(SMALL, tmp_path / "tests") == SMALL
    assert not list(tmp_path.iterdir())
    assert blobs.resolve(SMALL, None, "here") == SMALL


def test_large_tests_come_back_wherever_both_were_moved(tmp_path: Path, large: dict[str, Any]) -> None:
    row = blobs.store(large, tmp_path / "a" / "tests", tmp_path / "a")
    assert list(row) == ["task_id", "tests_file", "setup"], "in the place of the tests"
    assert row["tests_file"].startswith("tests/")
    (tmp_path / "a").rename(tmp_path / "b")
    assert blobs.resolve(row, tmp_path / "b", "here") == large


def test_the_same_tests_are_one_file(tmp_path: Path, large: dict[str, Any]) -> None:
    first = blobs.store(large, tmp_path)
    assert blobs.store({**large, "task_id": "u"}, tmp_path)["tests_file"] == first["tests_file"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_row_of_verl_finds_them_by_a_full_path_or_where_the_environment_says(
    tmp_path: Path, large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = blobs.store(large, tmp_path / "tests")
    assert Path(row["tests_file"]).is_absolute()
    assert blobs.resolve(row, None, "here") == large
    (tmp_path / "tests").rename(tmp_path / "moved")
    with pytest.raises(TaskError, match=r"here, field tests_file: no file .*, and name its folder as EGCA_TESTS"):
        blobs.resolve(row, None, "here")
    monkeypatch.setenv("EGCA_TESTS", str(tmp_path / "moved"))
    assert blobs.resolve(row, None, "here") == large


def test_only_what_the_name_says_is_read(
    tmp_path: Path, large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = blobs.store(large, tmp_path)
    with pytest.raises(TaskError, match="got tests_file beside tests"):
        blobs.resolve({**row, "tests": []}, None, "here")
    with pytest.raises(TaskError, match=r"got '/etc/passwd', expected the path of a file SHA256.json"):
        blobs.resolve({"tests_file": "/etc/passwd"}, None, "here")
    with pytest.raises(TaskError, match="got 3, expected the path"):
        blobs.resolve({"tests_file": 3}, None, "here")
    Path(row["tests_file"]).write_text(json.dumps("other"))
    with pytest.raises(TaskError, match="holds something else than its name says"):
        blobs.resolve(row, None, "here")
    monkeypatch.setattr(blobs, "MAX_FILE", 1)
    with pytest.raises(TaskError, match="has more than 0 MB"):
        blobs.resolve(row, None, "here")
