"""The plugin's sandbox and localiser behind a cache on disk: what any cell has asked is assessed once.

The cache is one file of JSON lines a world and plugin settings, keyed by task and text and shared between processes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import egca_plugin
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.pipeline import Group, open_pool
from egca_plugin.types import Completion, Credit, Span, Task

SETTINGS = EgcaConfig(traces="", sandbox=SandboxConfig(timeout_s=2.0, workers=1))
_CHUNK = 1 << 24


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of a credit. ``full``: it was localised too, not only judged. Spans are characters of the text.

    ``repaired``: the whole program as its proof has it.
    """

    passed: bool
    compiles: bool
    spans: tuple[tuple[int, int], ...] = ()
    decision: int | None = None
    verified: bool = False
    reason: str = ""
    full: bool = False
    repaired: str = ""


class Judge:
    """Assesses programs of one world. Use as a context manager."""

    def __init__(self, folder: Path, world: str) -> None:
        told = f"{egca_plugin.__version__} {SETTINGS!r}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{world}-{hashlib.sha256(told.encode()).hexdigest()[:10]}.jsonl"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._read = 0
        self._known: dict[tuple[str, str], Answer] = {}
        self._pool = open_pool(SETTINGS, workers=1)
        self.fresh, self.seconds = 0, 0.0  # assessed anew, and the wall time of asking

    def __enter__(self) -> Judge:
        self._pool.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        os.close(self._file)

    def verdicts(self, asked: Sequence[tuple[Task, str]]) -> list[bool]:
        """Does each program pass?"""
        return [answer.passed for answer in self._answers(asked, full=False)]

    def assess(self, asked: Sequence[tuple[Task, str]]) -> list[Answer]:
        """Verdict and place of each."""
        return self._answers(asked, full=True)

    def compiling(self, asked: Sequence[tuple[Task, str]]) -> float:
        """The share of programs that compile."""
        return sum(answer.compiles for answer in self._answers(asked, full=False)) / len(asked)

    def _answers(self, asked: Sequence[tuple[Task, str]], *, full: bool) -> list[Answer]:
        began = time.perf_counter()
        self._refresh()
        missing: dict[tuple[str, str], Task] = {}
        for task, text in asked:
            known = self._known.get((task.task_id, text))
            if known is None or (full and not known.full and not known.passed):
                missing[task.task_id, text] = task
        groups = [Group(task, (Completion(text),), judge_only=not full) for (_, text), task in missing.items()]
        for key, (credit,) in zip(missing, self._pool.map(groups), strict=True):
            self._known[key] = _kept(credit, full)
        self._keep(list(missing))
        self.fresh += len(missing)
        self.seconds += time.perf_counter() - began
        return [self._known[task.task_id, text] for task, text in asked]

    def _keep(self, keys: Sequence[tuple[str, str]]) -> None:
        lines = [json.dumps({"key": key, "answer": asdict(self._known[key])}) + "\n" for key in keys]
        if lines:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.write(self._file, "".join(lines).encode())
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _refresh(self) -> None:
        """Take over what other processes have assessed meanwhile."""
        while data := os.pread(self._file, _CHUNK, self._read):
            whole = data.rfind(b"\n") + 1
            if not whole:
                return
            for line in data[:whole].splitlines():
                row = json.loads(line)
                task_id, text = row["key"]
                known = self._known.get((task_id, text))
                if known is None or not known.full:
                    self._known[task_id, text] = _read(row["answer"])
            self._read += whole


def _kept(credit: Credit, full: bool) -> Answer:
    spans = tuple((span.start, span.end) for span in credit.spans)
    decision = credit.decision.start if isinstance(credit.decision, Span) else None
    compiles = credit.outcome.value != "compile_error"
    return Answer(credit.passed, compiles, spans, decision, credit.verified, credit.reason, full, credit.repaired)


def _read(row: dict[str, object]) -> Answer:
    spans = tuple((start, end) for start, end in row.pop("spans"))  # type: ignore[attr-defined]
    return Answer(**row, spans=spans)  # type: ignore[arg-type]
