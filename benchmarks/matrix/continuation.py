"""A resumed run goes on exactly where the other one was: same credits, same weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.matrix.checks import comparable
from benchmarks.matrix.row import Check, Ran, require


def continues(other: str, *, steps: Sequence[int]) -> Check:
    """The records of ``steps`` equal those of the run ``other``; so do the last step's weights, or say how far."""

    def check(ran: Ran) -> str:
        files = sorted((ran.home.parent / other / "records").glob("*.jsonl"))
        theirs = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        compared = 0
        for step in steps:
            ours_now, theirs_now = (_of_step(found, step) for found in (ran.records, theirs))
            require(ours_now == theirs_now, f"step {step}: the credits differ from those of {other}")
            compared += len(ours_now)
        require(compared > 0, "no records to compare")
        require(min(record["step"] for record in ran.records) == min(steps), "it did not start where the other stopped")
        apart = _apart(ran.home, ran.home.parent / other, steps[-1])
        require(apart < 1e-5, f"a weight of step {steps[-1]} differs by {apart} from {other}")
        return f"{compared} credits bit for bit as in `{other}`, weights to {apart:.0e}"

    return check


def _of_step(records: Sequence[Mapping[str, Any]], step: int) -> list[str]:
    return sorted(json.dumps(comparable(r), sort_keys=True) for r in records if r["step"] == step)


def _apart(home: Path, other: Path, step: int) -> float:
    """The largest difference between two checkpoints of the same step."""
    ours, theirs = (
        [
            torch.load(file, weights_only=False)
            for file in sorted(folder.glob(f"checkpoints/global_step_{step}/actor/model_*.pt"))
        ]
        for folder in (home, other)
    )
    require(len(ours) == len(theirs) > 0, "no weights to compare")
    return max(
        float((_local(a[name]) - _local(b[name])).abs().max()) for a, b in zip(ours, theirs, strict=True) for name in a
    )


def _local(tensor: torch.Tensor) -> torch.Tensor:
    """This rank's part of a sharded tensor."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor  # DTensor: FSDP2's
