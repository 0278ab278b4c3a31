"""Recorded responses: the same text for every arm, with known ends, from references and their mutants.

Each response is a whole program in a fenced block under a line of prose of its own, so that no two are equal and no
arm gains from a cache. What a mutant is, the referee says. Tasks are kept where prime_code's pairs of
inputs and outputs can say their tests too, and it passes the reference by them: every arm then does the same work.
"""

from __future__ import annotations

import ast
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.localization.mutants import mutations
from egca_plugin.config import SandboxConfig
from egca_plugin.errors import SampleError
from egca_plugin.program.extract import extract
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.tasks.files import task_from_mapping, task_to_mapping
from egca_plugin.types import Outcome, Task, Verdict

KINDS = {
    Outcome.OK: "passing",
    Outcome.WRONG_ANSWER: "wrong",
    Outcome.EXCEPTION: "crashing",
    Outcome.COMPILE_ERROR: "broken",
    Outcome.TIMEOUT: "hanging",
}
MIX = {"passing": 0.46, "wrong": 0.35, "crashing": 0.12, "broken": 0.07}  # the paper: about 35% reach `logic`
MUTANTS = 8  # tried per task
RECORDING = SandboxConfig(timeout_s=1.0)


@dataclass(frozen=True, slots=True)
class Response:
    """One recorded completion; ``kind`` is one of KINDS' values."""

    task_id: str
    kind: str
    completion: str


@dataclass(frozen=True, slots=True)
class Recording:
    """Tasks, their tests in prime_code's form, and for every task at least one program of some kinds."""

    tasks: Mapping[str, Task]
    in_outs: Mapping[str, dict[str, Any]]
    programs: Mapping[str, Mapping[str, tuple[str, ...]]]  # task id -> kind -> sources

    def group(self, task_id: str, size: int, mix: Mapping[str, float], rng: random.Random) -> list[Response]:
        """``size`` different completions of one task, kinds drawn by ``mix`` among those that the task has."""
        ready = {kind: share for kind, share in mix.items() if share and self.programs[task_id].get(kind)}
        if not ready:
            raise SampleError(f"{task_id}: no recorded program of the kinds {', '.join(mix)}")
        kinds = rng.choices(list(ready), list(ready.values()), k=size)
        return [self._response(task_id, kind, rng) for kind in kinds]

    def responses(self, count: int, mix: Mapping[str, float] = MIX, seed: int = 0, size: int = 8) -> list[Response]:
        """``count`` responses in groups of ``size``, over tasks that have a program of every kind in ``mix``."""
        rng = random.Random(seed)
        able = [t for t in self.tasks if all(self.programs[t].get(kind) for kind, share in mix.items() if share)]
        if not able:
            raise SampleError(f"no recorded task has programs of all of the kinds {', '.join(mix)}")
        rng.shuffle(able)
        groups = (self.group(task_id, size, mix, rng) for task_id in itertools.cycle(able))
        return list(itertools.islice(itertools.chain.from_iterable(groups), count))

    def _response(self, task_id: str, kind: str, rng: random.Random) -> Response:
        source = rng.choice(self.programs[task_id][kind])
        return Response(task_id, kind, f"Solution {rng.getrandbits(40):x}:\n\n```python\n{source}\n```\n")


def mix(share: float) -> dict[str, float]:
    """The recorded mix with ``share`` of wrong answers, the other kinds in their proportions."""
    rest = 1 - MIX["wrong"]
    return {kind: share if kind == "wrong" else part * (1 - share) / rest for kind, part in MIX.items()}


def record(tasks: Sequence[Task], seed: int = 0, workers: int = 0) -> Recording:
    """Judge references and mutants of ``tasks`` and keep what is sound and comparable."""
    from benchmarks.overhead.prime import accepts

    kept: dict[str, Task] = {}
    pairs: dict[str, dict[str, Any]] = {}
    programs: dict[str, dict[str, list[str]]] = {}
    with Pool("egca_plugin.judging.handlers:judging", RECORDING, workers=workers) as pool:
        for task, verdict in zip(tasks, pool.map((task.reference, task) for task in tasks), strict=True):
            said = in_outs(task, verdict) if verdict.passed else None
            if said is not None and accepts(task.reference, said):
                kept[task.task_id], pairs[task.task_id] = task, said
                programs[task.task_id] = {"passing": [task.reference]}
        candidates = [(task, source) for task in kept.values() for source in variants(task, seed)]
        verdicts = pool.map((source, task) for task, source in candidates)
        for (task, source), verdict in zip(candidates, verdicts, strict=True):
            kind = KINDS.get(verdict.outcome)
            if kind is not None:
                programs[task.task_id].setdefault(kind, []).append(source)
    frozen = {t: {kind: tuple(sources) for kind, sources in by.items()} for t, by in programs.items()}
    return Recording(kept, pairs, frozen)


def variants(task: Task, seed: int) -> Iterator[str]:
    """Seeded mutants of the reference, it cut off in the middle, and it with an endless loop."""
    rng = random.Random(f"{seed}/{task.task_id}")
    tree = ast.parse(task.reference)
    found = list(mutations(tree))
    seen = {task.reference}
    for mutation in rng.sample(found, min(MUTANTS, len(found))):
        try:
            source = ast.unparse(ast.fix_missing_locations(mutation.apply(tree)))
        except (ValueError, TypeError, AttributeError):  # a place where that mutation makes no program
            continue
        if source not in seen and extract(f"```python\n{source}\n```", task).compiles:
            seen.add(source)
            yield source
    lines = task.reference.rstrip().split("\n")
    yield "\n".join([*lines[: max(len(lines) // 2, 1)], "    return ("])
    yield f"{task.reference.rstrip()}\n\ndef {task.entry_point}(*args, **kwargs):\n    while True:\n        pass\n"


def in_outs(task: Task, verdict: Verdict) -> dict[str, Any] | None:
    """The reference's recorded calls as prime_code's call-based tests; None where JSON cannot say them exactly."""
    inputs, outputs = [], []
    for tested in verdict.calls:
        args, kwargs = wire.decode(tested.call.arguments)
        value = wire.decode(tested.result.value)
        if tested.call.function != task.entry_point or kwargs or not args or not all(_exact(a) for a in args):
            return None
        if not _exact(list(value) if isinstance(value, tuple) else value):
            return None
        inputs.append("\n".join(json.dumps(argument) for argument in args))
        outputs.append(json.dumps(value))
    return {"inputs": inputs, "outputs": outputs, "fn_name": task.entry_point} if inputs else None


def _exact(value: Any) -> bool:
    try:
        return bool(repr(json.loads(json.dumps(value, allow_nan=False))) == repr(value))
    except (TypeError, ValueError):
        return False


def save(recording: Recording, path: Path) -> None:
    """One JSON file; :func:`load` reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "tasks": [task_to_mapping(task) for task in recording.tasks.values()],
        "in_outs": recording.in_outs,
        "programs": recording.programs,
    }
    path.write_text(json.dumps(body), encoding="utf-8")


def load(path: Path) -> Recording:
    """What :func:`save` wrote."""
    body = json.loads(path.read_text(encoding="utf-8"))
    tasks = [task_from_mapping({**row, "constraints": []}, f"{path}") for row in body["tasks"]]
    programs = {t: {kind: tuple(s) for kind, s in by.items()} for t, by in body["programs"].items()}
    return Recording({task.task_id: task for task in tasks}, body["in_outs"], programs)
