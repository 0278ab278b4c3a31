"""The queue of cells: each is kept in a file of its own and locked while it runs, so several workers share a queue."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.learning.programs.judge import Judge
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.start import start_of
from benchmarks.learning.programs.training import Cell, Plan, train
from benchmarks.learning.programs.worlds import WORLDS


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are kept: finished cells and starts with the sources; answers and locks in ``work``."""

    cells: Path
    starts: Path
    work: Path


def finished(cells: Sequence[Cell], plan: Plan, places: Places) -> list[dict[str, Any]]:
    """Those of ``cells`` that have been run under ``plan``, in order."""
    rows = [_kept(cell, plan, places) for cell in cells]
    return [row for row in rows if row is not None]


def run(cells: Sequence[Cell], plan: Plan, places: Places, until: float = float("inf")) -> int:
    """Run what is missing, beginning none after ``until`` (seconds of the epoch). Returns how many are left."""
    torch.set_num_threads(1)
    for path in (places.cells, places.work):
        path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        worlds: dict[str, tuple[Policy, Judge]] = {}
        for cell in cells:
            if time.time() > until:
                break
            if _kept(cell, plan, places) is not None:
                continue
            with _locked(places.work / f"{cell.name}.lock") as mine:
                if not mine or _kept(cell, plan, places) is not None:
                    continue
                if cell.world not in worlds:
                    start = start_of(WORLDS[cell.world], places.starts, _tell)
                    worlds[cell.world] = start, stack.enter_context(Judge(places.work, cell.world))
                _work(cell, plan, places, *worlds[cell.world])
    return len(cells) - len(finished(cells, plan, places))


def _work(cell: Cell, plan: Plan, places: Places, start: Policy, judge: Judge) -> None:
    began, fresh = time.monotonic(), judge.fresh
    row = train(cell, plan, WORLDS[cell.world], start, judge)
    row["fresh"] = judge.fresh - fresh
    path = places.cells / f"{cell.name}.json"
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(row, separators=(",", ":")) + "\n", encoding="utf-8")
    partial.replace(path)
    rates = " ".join(f"{at['passed']:.3f}" for at in row["evals"])
    _tell(
        f"{time.strftime('%H:%M:%S')} {cell.name}: held out {rates}; {time.monotonic() - began:.0f} s {row['seconds']}"
    )


def _kept(cell: Cell, plan: Plan, places: Places) -> dict[str, Any] | None:
    path = places.cells / f"{cell.name}.json"
    if not path.exists():
        return None
    row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return row if row["plan"] == asdict(plan) else None


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Is the lock ours? It goes with the process that holds it, so a killed worker leaves none behind."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
