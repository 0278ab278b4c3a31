"""MBPP (Austin et al. 2021, CC BY 4.0), all 974 tasks, from its JSONL file or by name from the Hugging Face hub."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.tasks import hub
from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, asked, keys
from egca_plugin.types import Task

HUB_NAME = "google-research-datasets/mbpp"
# First and last task number of each split, as the authors cut them.
SPLITS = {"prompt": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
_FIELDS = {"task_id": int, "text": str, "code": str, "test_list": list}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_USED = (*_FIELDS, "prompt", "test_setup_code", "test_imports")


def load(source: Path | None = None) -> tuple[Task, ...]:
    """All tasks, ids ``mbpp/1`` to ``mbpp/974``, ordered by number.

    ``source`` is the JSONL file; None loads :data:`HUB_NAME`. Raises AssetError where that cannot be had, TaskError for
    a bad row.
    """
    rows = _from_file(source) if source else _from_hub()
    tasks = {row["task_id"]: _task(row, where) for where, row in rows}
    if not tasks:
        raise TaskError(f"{source or HUB_NAME}: got no row, expected MBPP's 974")
    return tuple(tasks[number] for number in sorted(tasks))


def split_of(task_id: str) -> str:
    """The split of ``mbpp/N``. Raises TaskError for a number that MBPP does not have."""
    number = int(task_id.removeprefix("mbpp/"))
    for name, (first, last) in SPLITS.items():
        if first <= number <= last:
            return name
    raise TaskError(f"{task_id}: got number {number}, expected 1 to 974")


def read(row: Row) -> Reading:
    """A row of MBPP or of its sanitized half, which has ``prompt`` for ``text`` and ``test_imports`` for the setup."""
    fields = dict(row.fields)
    if fields.get("text") is None:
        fields["text"] = fields.get("prompt")
    if fields.get("test_setup_code") is None:
        fields["test_setup_code"] = "\n".join(row.sequence("test_imports"))
    fields["test_list"] = [one for one in row.sequence("test_list") if not isinstance(one, str) or one.strip()]
    if isinstance(fields.get("task_id"), str) and fields["task_id"].removeprefix("mbpp/").isdecimal():
        fields["task_id"] = int(fields["task_id"].removeprefix("mbpp/"))
    if isinstance(fields.get("code"), str):
        fields["code"] = programs.bare(fields["code"])
    task = _task(_checked(fields, row.where), row.where)
    return Reading((replace(task, reference="", extra=row.rest("mbpp", *_USED)),), (task.reference,))


def entry_point(code: str, tests: Iterable[str]) -> str | None:
    """The function that the tests are about, which MBPP does not name: the one of ``code`` in the most tests.

    Classes do not count: they only build arguments (``Pair`` of mbpp/601). Of several, the outermost call wins.
    """
    body = ast.parse(code).body
    functions = {node.name for node in body if isinstance(node, _FUNCTIONS)}
    counts: dict[str, int] = {}
    for test in tests:
        names = dict.fromkeys(node.id for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Name))
        for name in names:  # breadth first: outer calls before their arguments
            if name in functions:
                counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name]) if counts else None


def prompt(text: str, signature: str, example: str) -> str:
    """The task in one message, with the signature and one test as example: the wording small models follow best."""
    return (
        f"{text.strip()}\nThe function is `{signature}`. Example: `{example.removeprefix('assert ')}`. "
        "Reply with one Python code block."
    )


def _task(row: Mapping[str, Any], where: str) -> Task:
    tests = tuple(str(test).strip() for test in row["test_list"])
    try:
        code = row["code"].replace("\r\n", "\n").replace("\r", "\n")
        name = entry_point(code, tests)
    except SyntaxError as error:
        raise TaskError(f"{where}: code or test_list is not Python ({error})") from error
    if name is None:
        raise TaskError(f"{where}, field test_list: no test calls a function that the field code defines")
    definition = next(n for n in ast.parse(code).body if isinstance(n, _FUNCTIONS) and n.name == name)
    return Task(
        task_id=f"mbpp/{row['task_id']}",
        prompt=prompt(row["text"], f"{name}({ast.unparse(definition.args)})", tests[0]),
        entry_point=name,
        reference=code,
        tests=tests,
        setup=str(row.get("test_setup_code", "")).replace("\r\n", "\n"),
    )


def _from_file(path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AssetError(f"{path}: cannot be read as MBPP's JSONL ({error})") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise TaskError(f"{path}:{number}: not JSON ({error}); expected a row of MBPP") from error
            yield f"{path}:{number}", _checked(row, f"{path}:{number}")


def _from_hub() -> Iterable[tuple[str, dict[str, Any]]]:
    return ((where, _checked(row, where)) for where, row in hub.rows(HUB_NAME, "full"))


def _checked(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TaskError(f"{where}: got {type(row).__name__}, expected a row of MBPP")
    for name, kind in _FIELDS.items():
        if not isinstance(row.get(name), kind) or row[name] in ("", []):
            wanted = "a list of assertions" if kind is list else kind.__name__
            raise TaskError(f"{where}, field {name}: got {row.get(name)!r:.80}, expected {wanted}")
    for number, test in enumerate(row["test_list"]):
        if not isinstance(test, str):
            raise TaskError(f"{where}, field test_list[{number}]: got {test!r:.80}, expected an assertion in Python")
    return row


LAYOUT = Layout(
    "mbpp",
    "MBPP",
    (keys("task_id", "text", "code", "test_list"), keys("task_id", "prompt", "code", "test_list")),
    read,
    asked,
)
