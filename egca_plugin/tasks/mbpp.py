"""MBPP (Austin et al. 2021, CC BY 4.0), all 974 tasks, from its JSONL file or by name from the Hugging Face hub."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.types import Task

HUB_NAME = "google-research-datasets/mbpp"
# First and last task number of each split, as the authors cut them.
SPLITS = {"prompt": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
_FIELDS = {"task_id": int, "text": str, "code": str, "test_list": list}


def load(source: Path | None = None, split: str | None = None) -> tuple[Task, ...]:
    """The tasks of ``split`` (all where None), ids ``mbpp/1`` to ``mbpp/974``, ordered by number.

    ``source`` is the JSONL file; None loads :data:`HUB_NAME`. Raises AssetError where that cannot be had, TaskError for
    a bad row or an unknown split.
    """
    if split is not None and split not in SPLITS:
        raise TaskError(f"MBPP split: got {split!r}, expected one of {', '.join(SPLITS)}")
    rows = _from_file(source) if source else _from_hub()
    first, last = SPLITS[split] if split else (0, 1 << 30)
    tasks = {row["task_id"]: _task(row, where) for where, row in rows if first <= row["task_id"] <= last}
    if not tasks:
        raise TaskError(f"{source or HUB_NAME}: no task of split {split or 'any'}")
    return tuple(tasks[number] for number in sorted(tasks))


def entry_point(code: str, tests: Iterable[str]) -> str | None:
    """The function that the tests are about, which MBPP does not name: the one of ``code`` in the most tests.

    Classes do not count: they only build arguments (``Pair`` of mbpp/601). Of several, the outermost call wins.
    """
    body = ast.parse(code).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
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
        f"Write a Python function `{signature}`. {text.strip()}\n"
        f"It must satisfy: `{example}`\nReply with one Python code block."
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
    definition = next(n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef) and n.name == name)
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
    hint = "give MBPP's JSONL file as --source PATH instead"
    try:
        from datasets import load_dataset  # lazily: heavy, and only this path needs it
    except ImportError as error:
        raise AssetError(f"loading {HUB_NAME} needs `pip install datasets`; or {hint}") from error
    try:
        splits = load_dataset(HUB_NAME, "full")
    except (OSError, ValueError) as error:  # datasets' own errors derive from these; unreachable hub included
        raise AssetError(f"the hub did not give {HUB_NAME} ({error}); {hint}") from error
    for name in splits:
        for number, row in enumerate(splits[name]):
            yield f"{HUB_NAME} {name}[{number}]", _checked(row, f"{HUB_NAME} {name}[{number}]")


def _checked(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise TaskError(f"{where}: got {type(row).__name__}, expected a row of MBPP")
    for name, kind in _FIELDS.items():
        if not isinstance(row.get(name), kind) or not row[name]:
            raise TaskError(f"{where}, field {name}: got {row.get(name)!r}, expected {kind.__name__}")
    return row
