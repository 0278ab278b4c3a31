"""Rows out of data files, one at a time and each of bounded size: JSON lines, JSON, parquet, gzip, folders, the hub.

A row that cannot be read is found as its error, so that the others are had all the same; a file that cannot is raised.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks import hub, parquet

MAX_ROW = 128 << 20  # bytes of one row
MAX_JSON = 1 << 30  # bytes of a JSON file, which must be read as a whole
ENDINGS = (".jsonl", ".json", ".parquet")
TRAIN = "train"
_CHUNK = 1 << 20
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(?::[\w.-]+)?")
_SPLITS = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}
_APPS = ("question.txt", "input_output.json")  # the files of a problem in APPS' folders
_APPS_TEXTS = {"question.txt": "question", "starter_code.py": "starter_code", "input_output.json": "input_output",
               "solutions.json": "solutions"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A row at ``where``: its fields, or why it has none. ``split`` is what its place says, ``train`` by default."""

    where: str
    split: str
    fields: Mapping[str, Any] | TaskError


def rows(source: str) -> Iterator[Found]:
    """The rows of a file, of a folder of files or of APPS' folders, or of ``owner/name[:config]`` of the hub.

    Raises AssetError where there is none of these or a file cannot be read.
    """
    path = Path(source)
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return _file(path)
    if _HUB_NAME.fullmatch(source) and not _ending(path):
        name, _, config = source.partition(":")
        return (Found(where, split, row) for split, where, row in hub.split_rows(name, config or None))
    raise AssetError(
        f"{source}: no such file or folder; expected {', '.join(ENDINGS)} (also .gz), a folder of them, or a data set "
        "of the hub as owner/name"
    )


def stem(source: str) -> str:
    """What the files made from a source are called: its name without folders and endings."""
    name = Path(source).name.partition(":")[0] or Path(source).resolve().name
    while Path(name).suffix in (*ENDINGS, ".gz"):
        name = Path(name).stem
    return name


def _ending(path: Path) -> str:
    inner = path.with_suffix("") if path.suffix == ".gz" else path
    return inner.suffix if inner.suffix in ENDINGS else ""


def _folder(path: Path) -> Iterator[Found]:
    problems = sorted(one.parent for one in path.rglob(_APPS[0]) if (one.parent / _APPS[1]).is_file())
    files = sorted(one for one in path.rglob("*") if one.is_file() and _ending(one))
    if problems:
        yield from (_problem(one) for one in problems)
        return
    if not files:
        raise AssetError(f"{path}: got a folder without data, expected files {', '.join(ENDINGS)} (also .gz) in it")
    for one in files:
        yield from _file(one)


def _problem(folder: Path) -> Found:
    """One of APPS' folders as a row of APPS."""
    where, split = str(folder), _split_of(folder)
    fields: dict[str, Any] = {"problem_id": folder.name}
    try:
        for one in sorted(folder.iterdir()):
            if one.stat().st_size > MAX_ROW:
                raise _too_large(str(one))
            if one.name in _APPS_TEXTS:
                fields[_APPS_TEXTS[one.name]] = one.read_text(encoding="utf-8")
            elif one.name == "metadata.json":
                fields |= _object(one.read_bytes(), str(one))
    except (OSError, UnicodeDecodeError) as cause:
        return Found(where, split, TaskError(f"{where}: cannot be read ({cause})"))
    except TaskError as error:
        return Found(where, split, error)
    return Found(where, split, fields)


def _split_of(path: Path) -> str:
    """Of ``data/train-00000-of-00004.parquet``, ``val.jsonl`` or ``APPS/test/0001``; train where nothing says so."""
    words = [*re.split(r"[-_.]", path.name.lower()), path.parent.name.lower()]
    return next((_SPLITS[word] for word in words if word in _SPLITS), TRAIN)


def _file(path: Path) -> Iterator[Found]:
    ending, split = _ending(path), _split_of(path)
    if not ending:
        raise AssetError(f"{path}: got a file of another kind, expected {', '.join(ENDINGS)}, or one of them as .gz")
    if ending == ".parquet":
        for number, row in enumerate(parquet.stream(path, MAX_ROW)):
            where = f"{path}, row {number}"
            yield Found(where, split, _too_large(where) if row is None else row)
        return
    try:
        with _opened(path) as file:
            if ending == ".json" and not _is_lines(file):
                yield from _whole(file, path, split)
            else:
                yield from _lines(file, path, split)
    except (OSError, EOFError) as cause:  # gzip's own errors are among them
        raise AssetError(f"{path}: cannot be read ({cause})") from cause


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _lines(file: IO[bytes], path: Path, split: str) -> Iterator[Found]:
    number = 0
    while line := file.readline(MAX_ROW + 1):
        number += 1
        where = f"{path}:{number}"
        if len(line) > MAX_ROW:
            while line and not line.endswith(b"\n"):
                line = file.readline(_CHUNK)
            yield Found(where, split, _too_large(where))
        elif line.strip():
            try:
                yield Found(where, split, _object(line, where))
            except TaskError as error:
                yield Found(where, split, error)


def _is_lines(file: IO[bytes]) -> bool:
    """Is a file that is called JSON one of JSON lines? Its first line is an object then, and not its last."""
    first, second = file.readline(MAX_ROW), file.readline(_CHUNK)
    file.seek(0)
    if not second.strip():
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _whole(file: IO[bytes], path: Path, split: str) -> Iterator[Found]:
    """A list of rows, an object of rows by id, or one row."""
    data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise AssetError(f"{path}: more than {MAX_JSON >> 20} MB of JSON; write it as JSON lines")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise AssetError(f"{path}: not JSON ({str(cause)[:100]})") from cause
    if isinstance(value, dict):
        value = list(value.values()) if value and all(isinstance(row, dict) for row in value.values()) else [value]
    if not isinstance(value, list):
        raise AssetError(f"{path}: got {type(value).__name__}, expected a list of rows")
    for number, row in enumerate(value):
        where = f"{path}, row {number}"
        wrong = TaskError(f"{where}: got {type(row).__name__}, expected a JSON object")
        yield Found(where, split, row if isinstance(row, dict) else wrong)


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as cause:
        raise TaskError(f"{where}: not JSON ({str(cause)[:100]}); expected one JSON object a line") from cause
    if not isinstance(row, dict):
        raise TaskError(f"{where}: got {type(row).__name__}, expected a JSON object")
    return row


def _too_large(where: str) -> TaskError:
    return TaskError(f"{where}: the row has more than {MAX_ROW >> 20} MB, expected at most that; split its tests up")
