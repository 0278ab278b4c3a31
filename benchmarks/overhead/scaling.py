"""How the reward path grows: one axis at a time, each with a fitted power law; and what single samples take."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

from benchmarks.common import bootstrap, new_figure, quantile, save_figure, table
from benchmarks.overhead.recorded import MIX, Recording, mix
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.pipeline import Assessor, Group, open_pool
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Task

NAME = "overhead_scaling"  # of the result file
GROUPS = (1, 2, 4, 8, 16, 32, 64)
TOKENS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
TESTS = (1, 3, 10, 30, 100, 300, 1000)
AT_ONCE = 96  # responses of the axis of workers
SEED = 3  # of the responses that are drawn
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
WITHOUT_LOGIC = 1e-9  # a share of zero would leave the kind out of the mix's tasks


@dataclass(frozen=True, slots=True)
class Sample:
    """What one recorded response took: milliseconds of judging (with extraction and gate) and of localising."""

    task: str
    kind: str
    tokens: int
    judge_ms: float
    localize_ms: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Seconds by point, ``repeats`` of each, and the exponent of the fitted power law."""

    name: str
    unit: str
    seconds: Mapping[float, Sequence[float]]

    @property
    def exponent(self) -> float:
        """Slope of log(median seconds) over log(point), by least squares; points of zero are left out."""
        points = [(log(x), log(bootstrap(s, resamples=1).value)) for x, s in self.seconds.items() if x > 0]
        mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


@dataclass(frozen=True, slots=True)
class Measured:
    """What a result file keeps for the simulation: single samples, the axis of workers, and the host's facts."""

    samples: Sequence[Sample]
    workers: Axis
    host: Mapping[str, Any]


def load(folder: Path) -> Measured:
    """Of the result file in ``folder``. Raises FileNotFoundError."""
    body = json.loads((folder / f"{NAME}.json").read_text(encoding="utf-8"))
    axis = body["axes"][-1]
    seconds = {float(point): values for point, values in axis["seconds"].items()}
    return Measured([Sample(**one) for one in body["samples"]], Axis(axis["name"], axis["unit"], seconds), body["host"])


def measure(recording: Recording, tokenizer: Any, workers: int, repeats: int = 5) -> list[Axis]:
    """All axes. Everything but the last runs in one sandbox."""
    config = EgcaConfig(budget=1.0)
    with Sandbox(config.sandbox) as sandbox:
        assessor = Assessor(config, sandbox)
        assessor.assess(*_group(recording, 4, MIX, random.Random(0)))
        single = [
            Axis("group size", "samples", _over(GROUPS, repeats, _by_group(recording, assessor))),
            Axis("response length", "tokens", _over(TOKENS, repeats, _by_length(recording, assessor, tokenizer))),
            Axis("tests a task", "asserts", _over(TESTS, repeats, _by_tests(assessor))),
            Axis("logic share", "of 32 samples", _over(SHARES, repeats, _by_share(recording, assessor))),
        ]
    return [*single, Axis("workers", "processes", _by_workers(recording, config, workers, repeats))]


def samples(recording: Recording, tokenizer: Any, count: int) -> list[Sample]:
    """The measured distributions that the simulation draws from: ``count`` responses in one sandbox.

    As after the first steps of a training run: each task's reference was asked before.
    """
    config = EgcaConfig(budget=1.0)
    found = []
    responses = recording.responses(count, MIX, SEED)
    with Sandbox(config.sandbox) as sandbox:
        assessor = Assessor(config, sandbox)
        for response in {response.task_id: response for response in responses if response.kind == "wrong"}.values():
            assessor.assess(recording.tasks[response.task_id], [Completion(response.completion)])
        for response in responses:
            (credit,) = assessor.assess(recording.tasks[response.task_id], [Completion(response.completion)])
            localize = credit.ms.get("localize", 0.0)
            length = len(tokenizer.encode(response.completion))
            found.append(Sample(response.task_id, response.kind, length, sum(credit.ms.values()) - localize, localize))
    return found


Point = Callable[[float, random.Random], Callable[[], object]]


def _over(points: Sequence[float], repeats: int, prepare: Point) -> dict[float, list[float]]:
    """Seconds of ``prepare(point, rng)()``; the points take turns, so that a slow minute hits all of them."""
    seconds: dict[float, list[float]] = {point: [] for point in points}
    for number in range(repeats):
        for point in points:
            work = prepare(point, random.Random(number))
            began = time.perf_counter()
            work()
            seconds[point].append(time.perf_counter() - began)
    return seconds


def _group(
    recording: Recording, size: int, wanted: Mapping[str, float], rng: random.Random
) -> tuple[Task, list[Completion]]:
    able = sorted(t for t, by in recording.programs.items() if all(by.get(kind) for kind in wanted))
    task_id = rng.choice(able)
    return recording.tasks[task_id], [Completion(r.completion) for r in recording.group(task_id, size, wanted, rng)]


def _by_group(recording: Recording, assessor: Assessor) -> Point:
    """A group of wrong programs of one task, no two the same text: the most that a group can cost."""

    def prepare(size: float, rng: random.Random) -> Callable[[], object]:
        task, _ = _group(recording, 1, MIX, rng)
        wrong = recording.programs[task.task_id]["wrong"]
        texts = [f"Try {k}:\n```python\n{wrong[k % len(wrong)]}\n```\n" for k in range(int(size))]
        return lambda: assessor.assess(task, [Completion(text) for text in texts])

    return prepare


def _by_length(recording: Recording, assessor: Assessor, tokenizer: Any) -> Point:
    """One wrong program under more and more prose, from sampled ids to token spans."""
    token_bytes = TokenBytes(tokenizer)
    filler = "We look at the examples first and think about the edge cases. "
    filler_tokens = len(tokenizer.encode(filler, add_special_tokens=False))

    def prepare(tokens: float, rng: random.Random) -> Callable[[], object]:
        task, _ = _group(recording, 1, MIX, rng)
        program = f"\n```python\n{recording.programs[task.task_id]['wrong'][0]}\n```\n"
        prose = filler * max(0, (int(tokens) - len(tokenizer.encode(program))) // filler_tokens)
        ids = tokenizer.encode(prose + program, add_special_tokens=False)

        def work() -> None:
            aligned = token_bytes.align(ids)
            (credit,) = assessor.assess(task, [Completion(aligned.text)])
            aligned.tokens(credit.spans)

        return work

    return prepare


def _by_tests(assessor: Assessor) -> Point:
    """A wrong sum over a list, judged by more and more asserts."""

    def prepare(tests: float, rng: random.Random) -> Callable[[], object]:
        reference = "def total(xs):\n    s = 0\n    for x in xs:\n        s += x\n    return s\n"
        asserts = tuple(f"assert total([{k}, {k + 1}]) == {2 * k + 1}" for k in range(int(tests)))
        task = Task(f"scaling/total-{int(tests)}", "", "total", reference, asserts)
        text = f"Try {rng.random()}:\n```python\n{reference.replace('s = 0', 's = 1')}```\n"
        return lambda: assessor.assess(task, [Completion(text)])

    return prepare


def _by_share(recording: Recording, assessor: Assessor) -> Point:
    def prepare(share: float, rng: random.Random) -> Callable[[], object]:
        wanted = mix(min(max(share, WITHOUT_LOGIC), 1 - WITHOUT_LOGIC))
        groups = [_group(recording, 8, wanted, rng) for _ in range(4)]
        return lambda: [assessor.assess(*group) for group in groups]

    return prepare


def _by_workers(recording: Recording, config: EgcaConfig, most: int, repeats: int) -> dict[float, list[float]]:
    """Seconds of the first AT_ONCE of the responses of :func:`samples` through pools of 1 to ``most`` workers."""
    responses = recording.responses(AT_ONCE, MIX, SEED)
    groups = [Group(recording.tasks[r.task_id], (Completion(r.completion),)) for r in responses]
    seconds: dict[float, list[float]] = {}
    for workers in _doubling(most):
        with open_pool(replace(config, sandbox=SandboxConfig(workers=workers)), workers=workers) as pool:
            list(pool.map(groups[: 2 * workers]))
            for _ in range(repeats):
                began = time.perf_counter()
                list(pool.map(groups))
                seconds.setdefault(workers, []).append(time.perf_counter() - began)
    return seconds


def _doubling(most: int) -> Iterator[int]:
    workers = 1
    while workers < most:
        yield workers
        workers *= 2
    yield most


# --- what it says -------------------------------------------------------------------------------------------------


def tables(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """One row an axis: the ends and the exponent; then all points."""
    rows = []
    for axis in axes:
        points = list(axis.seconds)
        ends = [f"{1e3 * bootstrap(axis.seconds[p]).value:.1f} ms at {p:g}" for p in (points[0], points[-1])]
        rows.append([axis.name, axis.unit, *ends, f"{axis.exponent:+.2f}" if axis.name != "logic share" else "-"])
    every = [
        [axis.name, f"{point:g}", bootstrap([1e3 * s for s in seconds]).show("{:.1f}")]
        for axis in axes
        for point, seconds in axis.seconds.items()
    ]
    return [
        table("Growth of the reward path", ["axis", "unit", "from", "to", "exponent of the fitted power law"], rows),
        table("Growth of the reward path, all points", ["axis", "point", "ms"], every),
    ]


def draw(axes: Sequence[Axis], folder: Path) -> Path:
    """One panel an axis, medians with intervals."""
    figure, panels = new_figure(len(axes), width=2.9, height=2.6)
    for panel, axis in zip(panels, axes, strict=True):
        points = list(axis.seconds)
        found = [bootstrap([1e3 * s for s in axis.seconds[p]]) for p in points]
        spread = ([i.value - i.low for i in found], [i.high - i.value for i in found])
        panel.errorbar(points, [i.value for i in found], yerr=spread, fmt="o-", markersize=3, linewidth=1)
        if axis.name != "logic share":
            panel.set(xscale="log", yscale="log")
            panel.set_title(f"{axis.name}: exponent {axis.exponent:+.2f}", fontsize=8)
        else:
            panel.set_title(axis.name, fontsize=8)
        panel.set(xlabel=axis.unit, ylabel="ms")
    return save_figure(figure, "overhead_scaling", folder)


def kinds(found: Sequence[Sample]) -> dict[str, Any]:
    """What judging and localising take by kind."""
    rows = []
    for kind in dict.fromkeys(sample.kind for sample in found):
        own = [sample for sample in found if sample.kind == kind]
        rows.append([kind, len(own), _spread([s.judge_ms for s in own]), _spread([s.localize_ms for s in own])])
    return table("One response in one sandbox, ms: p50 / p95 / most", ["response", "n", "judging", "localising"], rows)


def _spread(values: Sequence[float]) -> str:
    return f"{quantile(values, 0.5):.1f} / {quantile(values, 0.95):.1f} / {max(values):.1f}"
