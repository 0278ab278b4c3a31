"""What is measured of recorded batches, kept batch by batch: a line of numbers, and the gradients in a file.

A batch that is of no use to a step still says how its task's pass rate would change by a step on another task.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.learning.onestep import measure, sampling
from benchmarks.learning.onestep.policy import Policy
from benchmarks.learning.onestep.record import Batch, Row
from egca_plugin.types import Task


@dataclass(frozen=True, slots=True)
class Vectors:
    """Gradients (P,) of one group in bfloat16; ``arms`` is empty where no step is taken on it, ``goals`` where its pass
    rate has no gradient, since all or none of it pass."""

    arms: dict[str, torch.Tensor]
    goals: dict[str, torch.Tensor]


class Kept:
    """The folder of what has been measured with one choice of adapters."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lines = folder, folder / "measured.jsonl"

    def lines(self) -> list[dict[str, Any]]:
        """One a batch: ``name``, ``task_id`` and, of each of its groups, the numbers or None."""
        if not self._lines.exists():
            return []
        return [json.loads(line) for line in self._lines.read_text(encoding="utf-8").splitlines()]

    def vectors(self, name: str) -> list[Vectors]:
        """Those of a batch's groups."""
        return [Vectors(**one) for one in torch.load(self._file(name), weights_only=True)]

    def keep(self, line: Mapping[str, Any], vectors: Sequence[Vectors]) -> None:
        """The vectors first: a batch is measured when it has its line."""
        self._folder.mkdir(parents=True, exist_ok=True)
        torch.save([{"arms": one.arms, "goals": one.goals} for one in vectors], self._file(line["name"]))
        with self._lines.open("a", encoding="utf-8") as file:
            print(json.dumps(line, separators=(",", ":")), file=file)

    def _file(self, name: str) -> Path:
        return self._folder / f"{sampling.seed_of(name):08x}.pt"


def run(
    policy: Policy,
    tokenizer: Any,
    batches: Sequence[Batch],
    tasks: Mapping[str, Task],
    kept: Kept,
    until: float,
    every: int,
) -> int:
    """Measure what is missing until the time ``until``; returns how many are left.

    In each ``every``-th batch the steps are taken, too.
    """
    known = {line["name"] for line in kept.lines()}
    missing = [(at, batch) for at, batch in enumerate(batches) if batch.name not in known]
    for done, (at, batch) in enumerate(missing):
        if time.time() > until:
            return len(missing) - done
        reference = measure.reference_ids(tokenizer, tasks[batch.task_id].reference, tokenizer.eos_token_id)
        line, vectors = _measured(policy, batch, reference, really=at % every == every - 1)
        kept.keep(line, vectors)
        told = f"{done + 1} of {len(missing)} {batch.name}: steps on {len(batch.usable())} of its groups"
        print(f"{time.strftime('%H:%M:%S')} {told}", file=sys.stderr, flush=True)
    return 0


def _measured(
    policy: Policy, batch: Batch, reference: list[int], *, really: bool
) -> tuple[dict[str, Any], list[Vectors]]:
    told: list[dict[str, Any] | None] = []
    vectors = []
    usable = batch.usable()
    for k, rows in enumerate(batch.groups):
        if k in usable:
            numbers, own = _stepped(policy, batch, k, reference, really)
            told.append(numbers)
        else:
            own = Vectors({}, _goals(policy, batch.prompt, rows))
            told.append(None)
        vectors.append(own)
    return {"name": batch.name, "task_id": batch.task_id, "groups": told}, vectors


def _stepped(
    policy: Policy, batch: Batch, k: int, reference: list[int], really: bool
) -> tuple[dict[str, Any], Vectors]:
    rows = batch.groups[k]
    texts = policy.read(batch.prompt, [*(row.ids for row in rows), reference])
    found = measure.look(policy, texts, rows, sampling.seed_of(f"{batch.name}.{k}"))
    taken = measure.steps(found.arms)
    numbers = {
        "passed": sum(row.passed for row in rows),
        "verified": sum(row.verified for row in rows),
        "decided": sum(row.decision is not None for row in rows),
        "tokens": sum(len(row.ids) for row in rows),
        "lengths": {arm: float(g.norm()) for arm, g in found.arms.items()},
        "linear": {name: measure.linear(by, found.measures) for name, by in taken.items()},
        "finite": measure.finite(policy, texts, rows, taken["matched"]) if really else None,
    }
    return numbers, Vectors(_small(found.arms), _small(found.goals))


def _goals(policy: Policy, prompt: Sequence[int], rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    if len({row.passed for row in rows}) == 1:
        return {}
    texts = policy.read(prompt, [row.ids for row in rows])
    return _small(measure.goals(policy, texts, rows))


def _small(vectors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: vector.to(torch.bfloat16) for name, vector in vectors.items()}
