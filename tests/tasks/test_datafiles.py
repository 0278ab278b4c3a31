from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks import datafiles, hub
from egca_plugin.tasks.datafiles import Found, rows, stem

ROWS = [{"n": 1}, {"n": 2}, {"n": 3}]


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def fields(source: Path) -> list[Any]:
    return [one.fields for one in rows(str(source))]


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    files = pytest.importorskip("pyarrow.parquet")
    contents = {
        "a.jsonl": lines(*ROWS),
        "a.jsonl.gz": gzip.compress(lines(*ROWS)),
        "a.json": json.dumps(ROWS, indent=1).encode(),
        "by_id.json": json.dumps({str(row["n"]): row for row in ROWS}).encode(),
        "lines.json": b"\n" + lines(*ROWS),
        "a.json.gz": gzip.compress(json.dumps(ROWS).encode()),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content.lstrip())
    files.write_table(arrow.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    for name in (*contents, "a.parquet"):
        assert fields(tmp_path / name) == ROWS, name


def test_a_broken_row_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": \n[3]\n\n{"n": "\xff"}\n{"n": 2}\n')
    first, broken, listed, bytes_, last = rows(str(path))
    assert (first.fields, last.fields) == ({"n": 1}, {"n": 2})
    assert last.where == f"{path}:6"
    for found, message in ((broken, ":2: not JSON"), (listed, ":3: got list, expected a"), (bytes_, ":5: not JSON")):
        assert isinstance(found.fields, TaskError)
        assert message in str(found.fields)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.parquet"])
def test_a_row_that_is_too_large_is_named_and_never_held(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datafiles, "MAX_ROW", 1 << 20)
    large = [{"n": "1"}, {"n": "x" * (5 << 20)}, {"n": "2"}]
    path = tmp_path / name
    if name.endswith("parquet"):
        arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        files.write_table(arrow.Table.from_pylist(large), path)
    else:
        path.write_bytes(gzip.compress(lines(*large)) if name.endswith("gz") else lines(*large))
    before, refused, after = rows(str(path))
    assert (before.fields, after.fields) == ({"n": "1"}, {"n": "2"})
    with pytest.raises(TaskError, match=r"rows.*(:2|row 1): the row has more than 1 MB, expected at most that"):
        raise refused.fields  # type: ignore[misc]


def test_a_folder_of_files_and_what_their_names_say_of_splits(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl", "test/part.jsonl", "valid.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(lines({"name": name}))
    (tmp_path / "README.md").write_text("no data")
    assert [(one.split, one.fields) for one in rows(str(tmp_path))] == [
        ("test", {"name": "test/part.jsonl"}),
        ("train", {"name": "train-00000-of-00002.jsonl"}),
        ("train", {"name": "train-00001-of-00002.jsonl"}),
        ("validation", {"name": "valid.jsonl"}),
    ]


def test_apps_folders_are_rows_of_apps(tmp_path: Path) -> None:
    problem = tmp_path / "APPS" / "test" / "0007"
    problem.mkdir(parents=True)
    (problem / "question.txt").write_text("Double it.")
    (problem / "input_output.json").write_text('{"inputs": ["2"], "outputs": ["4"]}')
    (problem / "solutions.json").write_text('["print(2 * int(input()))"]')
    (problem / "metadata.json").write_text('{"difficulty": "interview"}')
    (found,) = rows(str(tmp_path / "APPS"))
    assert (found.split, found.where) == ("test", str(problem))
    assert found.fields == {
        "problem_id": "0007",
        "question": "Double it.",
        "input_output": '{"inputs": ["2"], "outputs": ["4"]}',
        "solutions": '["print(2 * int(input()))"]',
        "difficulty": "interview",
    }


def test_a_name_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def split_rows(name: str, config: str | None) -> Any:
        asked.append((name, config))
        return iter([("test", "a/b test[0]", {"n": 1})])

    monkeypatch.setattr(hub, "split_rows", split_rows)
    assert list(rows("a/b:lite")) == [Found("a/b test[0]", "test", {"n": 1})]
    assert asked == [("a/b", "lite")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.jsonl", None, r"absent.jsonl: no such file or folder; expected .jsonl, .json, .parquet"),
        ("rows.csv", b"a,b", r"rows.csv: got a file of another kind"),
        ("rows.jsonl.gz", b"not gzip", r"rows.jsonl.gz: cannot be read"),
        ("cut.jsonl.gz", gzip.compress(lines(*ROWS), mtime=0)[:-9], r"cut.jsonl.gz: cannot be read"),
        ("rows.json", b"[1", r"rows.json: not JSON"),
        ("rows.json", b"3", r"rows.json: got int, expected a list of rows"),
        ("rows.parquet", b"no", r"rows.parquet: cannot be read as parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AssetError, match=message):
        list(rows(str(tmp_path / name)))


def test_a_json_file_has_to_be_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datafiles, "MAX_JSON", 10)
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    with pytest.raises(AssetError, match=r"rows.json: more than 0 MB of JSON; write it as JSON lines"):
        list(rows(str(tmp_path / "rows.json")))


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="got a folder without data"):
        list(rows(str(tmp_path)))


@pytest.mark.parametrize(
    ("source", "name"),
    [("a/taco.jsonl.gz", "taco"), ("b.v2.parquet", "b.v2"), ("owner/name:lite", "name"), ("data/APPS/", "APPS")],
)
def test_the_name_of_what_is_made(source: str, name: str) -> None:
    assert stem(source) == name
