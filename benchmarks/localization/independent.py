"""Programs written by hand or sampled from a model: read them, check them, label and append new ones.

python -m benchmarks.localization.independent --mbpp mbpp.jsonl                      checks every row
python -m benchmarks.localization.independent --form sampled --add rows.json         labels, checks and appends
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.localization import corpus
from benchmarks.localization.corpus import Subject
from benchmarks.localization.execution import Bench, in_child
from benchmarks.localization.labelling import Label, Row, label, problems
from egca_plugin.errors import TaskError
from egca_plugin.types import Span, Task

# Form -> its file. ``independent`` is written by hand, ``sampled`` are failing samples of SmolLM2-135M-Instruct.
DATA = {form: Path(__file__).with_name(f"{form}.jsonl") for form in ("independent", "sampled")}
ROW_SECONDS = 30.0


def subjects(form: str) -> list[Subject]:
    """All labelled programs of a form."""
    return [subject for subject, _ in stored(form)]


def stored(form: str) -> list[tuple[Subject, Row]]:
    """The rows of a form's file, labelled and as written. Raises TaskError with the line of a bad one."""
    found = []
    path = DATA[form]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            raw = json.loads(line)
            row = Row.from_json(raw)
            spans = tuple(Span(start, end) for start, end in raw["spans"])
            subject = Subject(
                raw["id"], row.task_id, form, row.operator, raw["category"], row.program,
                tuple(raw["lines"]), spans, row.fixed,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise TaskError(f"{path}:{number}: got no labelled program ({error!r})") from error
        found.append((subject, row))
    return found


def _examine(row: Row, task: Task) -> Iterator[tuple[list[str], Label]]:
    bench = Bench(task, seconds=5.0)  # on a busy host too: a fixed program that is late is not a wrong one
    yield list(problems(row, bench)), label(row, bench)


def examine(row: Row, task: Task) -> tuple[list[str], Label | None]:
    """Problems and label of one row, worked out in a child process."""
    answers = in_child(partial(_examine, row), task, ROW_SECONDS)
    return answers[0] if answers else (["the programs hang"], None)


def _add(rows: Sequence[Row], tasks: dict[str, Task], form: str) -> int:
    numbers = Counter(subject.task_id for subject in subjects(form)) if DATA[form].exists() else Counter[str]()
    bad = 0
    with DATA[form].open("a", encoding="utf-8") as out:
        for row in rows:
            found, truth = examine(row, tasks[row.task_id])
            if found or truth is None:
                bad += 1
                print(f"{row.task_id} {row.operator}: {'; '.join(found)}\n{row.program}", file=sys.stderr)
                continue
            numbers[row.task_id] += 1
            name = f"{row.task_id}/{form}/{numbers[row.task_id]}"
            out.write(json.dumps(_as_json(name, row, truth), ensure_ascii=False) + "\n")
    return bad


def _as_json(name: str, row: Row, truth: Label) -> dict[str, Any]:
    return {
        "id": name,
        "task_id": row.task_id,
        "operator": row.operator,
        "category": "omission" if truth.omission else "wrong",
        "program": row.program,
        "lines": truth.lines,
        "spans": [[span.start, span.end] for span in truth.spans],
        "fixed": row.fixed,
        "also": row.also,
    }


def _check(tasks: dict[str, Task], form: str) -> int:
    bad = 0
    for subject, row in stored(form):
        if row.task_id not in tasks:
            continue
        found, truth = examine(row, tasks[row.task_id])
        if truth is not None and (truth.lines, truth.spans) != (subject.lines, subject.spans):
            found.append(f"labelled {subject.lines} {subject.spans}, the rules give {truth.lines} {truth.spans}")
        if found:
            bad += 1
            print(f"{subject.id}: {'; '.join(found)}", file=sys.stderr)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the independent programs, or label and append new ones.")
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl; without it MBPP's rows are not checked")
    parser.add_argument("--add", type=Path, help="JSON list of task_id, operator, program, fixed and perhaps also")
    parser.add_argument("--form", choices=DATA, default="independent")
    options = parser.parse_args()
    tasks = corpus.tasks(options.mbpp)
    if options.add:
        rows = [Row.from_json(row) for row in json.loads(options.add.read_text(encoding="utf-8"))]
        return 1 if _add(rows, tasks, options.form) else 0
    return 1 if _check(tasks, options.form) else 0


if __name__ == "__main__":
    sys.exit(main())
