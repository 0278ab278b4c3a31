"""Stage ``record``: batches of samples for a task, judged and credited by the plugin, each kept as one JSON line.

A batch is two groups: what a step on one of them does is measured on the other, which was drawn from the same policy
and which the step has not seen. A batch that is of no use keeps a line too, so that none is ever sampled again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import egca_plugin as egca
from benchmarks.learning.onestep import sampling
from benchmarks.learning.programs.judge import Answer
from benchmarks.learning.programs.rollout import Sample
from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing
from egca_plugin.types import Completion, Credit, Task, TokenSpan

SIZE = 8  # samples of a group


@dataclass(frozen=True, slots=True)
class Row:
    """One response: its ids, the verdict, the blamed columns and the column of the decision, both where proven."""

    ids: list[int]
    passed: bool
    reward: float
    mode: str
    outcome: str
    verified: bool
    reason: str
    spans: list[tuple[int, int]]
    decision: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Two groups of a task; ``round`` counts the batches of one task."""

    task_id: str
    round: int
    prompt: list[int]
    groups: list[list[Row]]

    @property
    def name(self) -> str:
        """What it is kept by."""
        return f"{self.task_id}#{self.round}"

    def usable(self) -> list[int]:
        """Which of its groups can be learnt from and say where."""
        return [k for k, rows in enumerate(self.groups) if informative(rows)]


def informative(rows: Sequence[Row]) -> bool:
    """Does at least one pass, and at least one fail with a proven place?"""
    return any(row.passed for row in rows) and any(row.verified and row.spans for row in rows if not row.passed)


def samples_of(rows: Sequence[Row], group: int = 0) -> list[Sample]:
    """The rows as the arms of ``benchmarks.learning.programs`` take them."""
    return [
        Sample(
            group,
            0,
            row.ids,
            passed=row.passed,
            answer=Answer(row.passed, row.outcome != "compile_error", verified=row.verified, full=True),
            spans=tuple(TokenSpan(*span) for span in row.spans),
            decision=row.decision,
        )
        for row in rows
    ]


def read(path: Path) -> list[Batch]:
    """The batches kept in ``path``, in the order in which they were sampled; none where there is no such file."""
    return list(_lines(path)) if path.exists() else []


def _lines(path: Path) -> Iterator[Batch]:
    for line in path.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        kept["groups"] = [
            [Row(**{**row, "spans": [tuple(span) for span in row["spans"]]}) for row in rows] for rows in kept["groups"]
        ]
        yield Batch(**kept)


def record(model: Path, tasks: Sequence[Task], rounds: int, limit: int, path: Path, until: float) -> int:
    """Sample what is missing, round by round, until the time ``until``; returns how many batches are left."""
    known = {batch.name for batch in read(path)}
    missing = [(task, k) for k in range(rounds) for task in tasks if f"{task.task_id}#{k}" not in known]
    if not missing:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    policy, tokenizer = sampling.model_of(model), sampling.tokenizer_of(model)
    reader = Reader(tokenizer)
    with egca.Judge(egca.EgcaConfig(budget=1.0), workers=1) as judge, path.open("a", encoding="utf-8") as file:
        for done, (task, k) in enumerate(missing):
            if time.time() > until:
                return len(missing) - done
            batch = _batch(policy, tokenizer, reader, judge, task, k, limit)
            print(json.dumps(asdict(batch), separators=(",", ":")), file=file, flush=True)
            passed = "+".join(str(sum(row.passed for row in rows)) for rows in batch.groups)
            proven = "+".join(str(sum(row.verified for row in rows)) for rows in batch.groups)
            told = f"{batch.name}: {passed} passed, {proven} proven, {len(batch.usable())} of 2 groups kept"
            print(f"{time.strftime('%H:%M:%S')} {done + 1} of {len(missing)} {told}", file=sys.stderr, flush=True)
    return 0


def _batch(policy: Any, tokenizer: Any, reader: Reader, judge: Any, task: Task, k: int, limit: int) -> Batch:
    prompt = sampling.prompt_of(tokenizer, task)
    name = f"{task.task_id}#{k}"
    found = sampling.sample(policy, prompt, 2 * SIZE, limit, tokenizer.eos_token_id, sampling.seed_of(name))
    responses = [reader.read(ids) for ids in found]
    completions = [Completion(one.text, f"{name}.{at // SIZE}") for at, one in enumerate(responses)]
    credits = judge.assess(task, completions)
    rows = [_row(reader, *one) for one in zip(found, responses, credits, strict=True)]
    return Batch(task.task_id, k, prompt, [rows[:SIZE], rows[SIZE:]])


def _row(reader: Reader, ids: list[int], response: Response, credit: Credit) -> Row:
    spans = reader.row(response, credit, "", Placing()).spans
    decided = reader.row(response, credit, "", Placing(credit="decision")).spans if credit.decision is not None else ()
    one_token = len(decided) == 1 and decided[0].end - decided[0].start == 1
    return Row(
        ids,
        credit.passed,
        credit.reward,
        credit.mode.value,
        credit.outcome.value,
        credit.verified,
        credit.reason,
        [(span.start, span.end) for span in spans],
        decided[0].start if one_token else None,
    )
