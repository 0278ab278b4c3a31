"""Judge and localise every subject in the real sandbox, in several processes; rows go to a file as they come.

An interrupted run goes on where it stopped: what is in the file is not done again.
"""

from __future__ import annotations

import json
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from benchmarks.localization.corpus import Subject
from benchmarks.localization.scoring import Row, score
from egca_plugin.errors import SampleError
from egca_plugin.judging.referee import judge
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Outcome, Task

Progress = Callable[[int], None]
Key = tuple[str, str, str]  # localiser, subject, digest of the subject


@dataclass(frozen=True, slots=True)
class Job:
    """All that is still to do for one task: its subjects, and for each the localisers that have no row yet."""

    task: Task
    work: tuple[tuple[Subject, tuple[str, ...]], ...]


def plan(subjects: Sequence[Subject], tasks: dict[str, Task], localizers: Sequence[str], done: set[Key]) -> list[Job]:
    """One job a task, so that one process only traces its reference. Subjects without a task are left out."""
    work: dict[str, list[tuple[Subject, tuple[str, ...]]]] = {}
    for subject in subjects:
        missing = tuple(name for name in localizers if (name, subject.id, subject.digest) not in done)
        if missing and subject.task_id in tasks:
            work.setdefault(subject.task_id, []).append((subject, missing))
    return [Job(tasks[task_id], tuple(items)) for task_id, items in work.items()]


def run(jobs: Sequence[Job], path: Path, workers: int, progress: Progress) -> None:
    """Append the rows of all jobs to ``path``; ``progress`` hears how many subjects a finished job had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start) as pool, path.open("a", encoding="utf-8") as out:
        for rows, count in pool.imap_unordered(_do, jobs):
            out.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
            out.flush()
            progress(count)


def read(path: Path) -> list[Row]:
    """The rows that are there already; none where the file is not. Raises SampleError for a line that is no row."""
    if not path.exists():
        return []
    rows = []
    names = {field.name for field in fields(Row)}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            raw: dict[str, Any] = json.loads(line)
            rows.append(Row(**{**raw, "lines": tuple(raw["lines"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise SampleError(f"{path}:{number}: got no row of {sorted(names)} ({error}); delete the file") from error
    return rows


def done(rows: Sequence[Row]) -> set[Key]:
    """Keys for :func:`plan`."""
    return {(row.localizer, row.subject, row.digest) for row in rows}


# --- in a worker ------------------------------------------------------------------------------------------------

_sandbox: Sandbox | None = None
_warm: set[tuple[str, str]] = set()


def _start() -> None:
    global _sandbox
    warnings.simplefilter("ignore", SyntaxWarning)  # about the programs, not about us
    _sandbox = Sandbox()
    _sandbox.start()


def _do(job: Job) -> tuple[list[Row], int]:
    assert _sandbox is not None
    return list(localise(job, _sandbox)), len(job.work)


def localise(job: Job, sandbox: Sandbox) -> Iterator[Row]:
    """The rows of one job. A program that passes in the sandbox, or that it cannot judge, gets rows that say so."""
    for subject, names in job.work:
        verdict = judge(sandbox, subject.program, job.task)
        case = Case(job.task, subject.program, (job.task.reference,), verdict, sandbox)
        for name in names:
            if verdict.outcome in (Outcome.OK, Outcome.INFRASTRUCTURE):
                yield score(subject, verdict, name, Localization(reason=verdict.outcome.value), 0.0, warm=False)
                continue
            began = time.perf_counter()
            answer, error = _answer(name, case)
            ms = (time.perf_counter() - began) * 1000
            key = (name, job.task.task_id)
            yield replace(score(subject, verdict, name, answer, ms, warm=key in _warm), error=error)
            _warm.add(key)


def _answer(name: str, case: Case) -> tuple[Localization, str]:
    try:
        return registry.get(name).localize(case), ""
    except Exception as error:  # noqa: BLE001 - a localiser that raises is a miss to be listed, not the end of the run
        return Localization(reason="error"), f"{type(error).__name__}: {error}"[:500]
