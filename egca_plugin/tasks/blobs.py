"""Large tests in files beside a task file, each named by its content's hash, so that the rows stay small.

A row then has ``tests_file`` in place of ``tests``: a path, in a task file relative to that file. verl hands rows about
without saying which file they came from, so its rows have absolute paths; the folder EGCA_TESTS is looked in where
these have moved.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egca_plugin.errors import TaskError

FIELD = "tests_file"
LARGE = 1 << 20  # bytes of a task's tests, from which on they get a file of their own
MAX_FILE = 512 << 20  # bytes of one
FOLDER_SETTING = "EGCA_TESTS"
_NAME = re.compile(r"([0-9a-f]{64})\.json")


def store(row: Mapping[str, Any], folder: Path, base: Path | None = None) -> dict[str, Any]:
    """The row with its tests in ``folder``, if they are large; its path is relative to ``base``, or absolute.

    The file is written whole or not at all, and never twice. Raises OSError.
    """
    data = json.dumps(row.get("tests"), ensure_ascii=False).encode()
    if len(data) <= LARGE:
        return dict(row)
    path = folder / f"{hashlib.sha256(data).hexdigest()}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as file:
            file.write(data)
        os.replace(file.name, path)
    where = path.resolve() if base is None else path.resolve().relative_to(base.resolve())
    return {FIELD if name == "tests" else name: str(where) if name == "tests" else value for name, value in row.items()}


def resolve(row: Mapping[str, Any], folder: Path | None, where: str) -> Mapping[str, Any]:
    """The row with the tests that its ``tests_file`` names, unchanged where it has none.

    ``folder``: that of the task file, None for a row out of any. Raises TaskError where the file is missing, too large
    or not what its name says.
    """
    if FIELD not in row:
        return row
    said = row[FIELD]
    place = f"{where}, field {FIELD}"
    named = _NAME.fullmatch(Path(said).name) if isinstance(said, str) else None
    if named is None:
        raise TaskError(f"{place}: got {said!r:.80}, expected the path of a file SHA256.json")
    if "tests" in row:
        raise TaskError(f"{place}: got {FIELD} beside tests, expected one of them")
    path = _place(str(said), folder, place)
    try:
        if path.stat().st_size > MAX_FILE:
            raise TaskError(f"{place}: {path} has more than {MAX_FILE >> 20} MB, expected at most that")
        data = path.read_bytes()
    except OSError as cause:
        raise TaskError(f"{place}: {path} cannot be read ({cause.strerror or cause})") from cause
    if hashlib.sha256(data).hexdigest() != named.group(1):
        raise TaskError(f"{place}: {path} holds something else than its name says; run `egca prepare` again")
    try:
        tests = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise TaskError(f"{place}: {path} is no JSON ({cause})") from cause
    return {"tests" if name == FIELD else name: tests if name == FIELD else value for name, value in row.items()}


def _place(said: str, folder: Path | None, place: str) -> Path:
    moved = os.environ.get(FOLDER_SETTING)
    tried = [(folder or Path()) / said, *([Path(moved) / Path(said).name] if moved else [])]
    for path in tried:
        if path.is_file():
            return path
    raise TaskError(
        f"{place}: no file {' nor '.join(map(str, tried))}; it is part of the prepared data: copy it along, and name "
        f"its folder as {FOLDER_SETTING} in the environment"
    )
