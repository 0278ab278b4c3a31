"""1,024 prompts x 16 samples on 1 to 64 nodes: where would EGCA come onto the critical path?

Assumptions, all visible in :class:`Cluster`:

* a node decodes ``slots`` responses side by side, each at ``tokens_per_s``; a free slot takes the next prompt at once
  (continuous batching), and a node has whole groups;
* a group is of one task that was measured on this host, and so are its samples' times of judging and of localising. Its
  pass rate is drawn around that of all responses, wider the smaller ``evenness`` is. Groups that fail altogether are
  localised too, as ``egca.praise`` wants it, unless ``everyone`` is False. No two samples are the same program;
* response lengths are drawn from all responses, so that those of a group differ as much as those of a batch, and are
  ``length`` times as long: they were measured on bare programs, with one line of prose;
* a finished response goes to its node's ``workers`` sandbox workers, who judge before they credit, while others still
  decode: that is the overlap of verl's agent loop. Nobody breaks off what it has begun;
* of the failing samples ``together`` hang on their group; the rest is credited alone (:func:`served` says when).
  Each is localised once: that a sibling is asked where the task's own reference proves nothing is left out, and so is
  what a worker takes to trace a reference that another has traced;
* generation ends with the last reward; updating takes ``update_share`` of pure generation. Of that log-probabilities
  come first and take ``log_prob_share`` of generation (a forward pass, beside the update's own and a backward one of
  twice that), while the CPUs are free; the step waits for what is not credited behind them, however long that takes
  (a run stops waiting after ``egca.wait_s``).
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.common import Interval, bootstrap, new_figure, save_figure, table
from benchmarks.overhead.scaling import Axis, Sample

NODES = (1, 2, 4, 8, 16, 64)
WORKERS = (4, 8, 16, 32)
OFF_THE_PATH = 2.0  # percent of the step
BEFORE, COMPLETE, AHEAD = "before the reward", "when its group is complete", "ahead of its group"
SCHEDULES = (BEFORE, COMPLETE, AHEAD)
TARGET_WORKERS = 8  # of one node, in the table of assumptions


@dataclass(frozen=True, slots=True)
class Cluster:
    """One synchronous step; times in seconds. ``evenness``: inf for prompts of one pass rate, 2 for pass rates about
    evenly spread over 0 to 1, 1 for many prompts that always or never pass."""

    nodes: int
    workers: int = 8
    slots: int = 2048
    tokens_per_s: float = 40.0
    update_share: float = 0.5
    log_prob_share: float = 0.125
    prompts: int = 1024
    samples: int = 16
    evenness: float = 2.0
    length: float = 1.0
    together: float = 0.2
    budget: float = 1.0
    everyone: bool = True


@dataclass(frozen=True, slots=True)
class Drawn:
    """One response: seconds of decoding, judging and localising (0 where the budget leaves it out)."""

    decode_s: float
    judge_s: float
    localize_s: float
    passed: bool
    together: bool


@dataclass(frozen=True, slots=True)
class Step:
    """``decoded``: the last token; ``judged``: the last reward of plain GRPO; ``rewarded`` and ``credited``: the last
    reward and the last credit of EGCA."""

    decoded: float
    judged: float
    rewarded: float
    credited: float

    def overhead(self, cluster: Cluster) -> float:
        """What EGCA adds to the step, as a share of the step without it."""
        hidden = cluster.log_prob_share * self.decoded
        plain = self.judged + cluster.update_share * self.decoded
        return max(0.0, max(self.rewarded + hidden, self.credited) - self.judged - hidden) / plain


def simulate(cluster: Cluster, measured: Sequence[Sample], rng: random.Random) -> dict[str, Step]:
    """One step of the same responses, by schedule. Nodes are independent until the barrier, so the slowest decides."""
    steps = defaultdict[str, list[tuple[float, ...]]](list)
    for node in range(cluster.nodes):
        own = cluster.prompts // cluster.nodes + (node < cluster.prompts % cluster.nodes)
        groups = draw(cluster, measured, own, rng)
        arrivals = decode([one.decode_s for group in groups for one in group], cluster.slots)
        judging = [one.judge_s for group in groups for one in group]
        plain = serve([(at, judging[k]) for at, k in arrivals], cluster.workers)
        for schedule in SCHEDULES:
            ours = served(groups, arrivals, cluster.workers, schedule, everyone=cluster.everyone)
            steps[schedule].append((arrivals[-1][0], plain, *ours))
    return {name: Step(*(max(values) for values in zip(*nodes, strict=True))) for name, nodes in steps.items()}


def draw(cluster: Cluster, measured: Sequence[Sample], prompts: int, rng: random.Random) -> list[list[Drawn]]:
    """Groups of tasks of which some measured response passed and some failed."""
    by_task: defaultdict[str, tuple[list[Sample], list[Sample]]] = defaultdict(lambda: ([], []))
    for sample in measured:
        by_task[sample.task][sample.kind == "passing"].append(sample)
    tasks = [both for both in by_task.values() if all(both)]
    mean = sum(sample.kind == "passing" for sample in measured) / len(measured)

    def one(both: tuple[list[Sample], list[Sample]], rate: float) -> Drawn:
        passed = rng.random() < rate
        sample = rng.choice(both[passed])
        drawn = not passed and rng.random() < cluster.budget
        seconds = cluster.length * rng.choice(measured).tokens / cluster.tokens_per_s
        localize = sample.localize_ms / 1e3 if drawn else 0.0
        return Drawn(seconds, sample.judge_ms / 1e3, localize, passed, rng.random() < cluster.together)

    def rate() -> float:
        if cluster.evenness == inf:
            return mean
        return rng.betavariate(cluster.evenness * mean, cluster.evenness * (1 - mean))

    chosen = ((rng.choice(tasks), rate()) for _ in range(prompts))
    return [[one(both, share) for _ in range(cluster.samples)] for both, share in chosen]


def decode(seconds: Sequence[float], slots: int) -> list[tuple[float, int]]:
    """(time of the last token, which sample) in the order of time: ``slots`` at once, the next when one is free."""
    free = [0.0] * min(slots, len(seconds))
    done = []
    for number, length in enumerate(seconds):
        end = heapq.heappop(free) + length
        heapq.heappush(free, end)
        done.append((end, number))
    return sorted(done)


def serve(jobs: Sequence[tuple[float, float]], workers: int) -> float:
    """When the last of the (arrival, seconds) jobs is done by ``workers`` servers in order of arrival."""
    free = [0.0] * workers
    last = 0.0
    for arrival, seconds in jobs:
        end = max(heapq.heappop(free), arrival) + seconds
        heapq.heappush(free, end)
        last = max(last, end)
    return last


@dataclass(slots=True)
class _Group:
    """How many are not judged yet, whether some passed and some failed, and what is to be credited: alone, together."""

    left: int
    everyone: bool
    ends: set[bool] = field(default_factory=set)
    alone: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)

    def judged(self, one: Drawn, schedule: str) -> list[float]:
        """The crediting that may begin now, in seconds a job."""
        self.left -= 1
        self.ends.add(one.passed)
        if one.localize_s and schedule != BEFORE:
            hangs = one.together or schedule == COMPLETE
            (self.together if hangs else self.alone).append(one.localize_s)
        if len(self.ends) < 2 and not self.everyone:
            return []
        if schedule == COMPLETE:
            return [sum(self.together)] if self.together and not self.left else []
        jobs, self.alone = self.alone, []
        return jobs if self.left else [*jobs, *self.together]


def served(
    groups: Sequence[Sequence[Drawn]],
    arrivals: Sequence[tuple[float, int]],
    workers: int,
    schedule: str,
    *,
    everyone: bool,
) -> tuple[float, float]:
    """When the last reward and the last credit are there.

    BEFORE: each failing sample is localised before it is rewarded, with an advantage or without. COMPLETE: a group is
    credited in one piece when all of it is judged. AHEAD: its failing samples are credited one by one as they are
    judged; those that hang on the group when it is complete. Without ``everyone`` both wait until some of a group have
    passed and some failed.
    """
    size = len(groups[0])
    states = [_Group(len(group), everyone) for group in groups]
    ticket = itertools.count()
    judging, crediting = deque[int](), deque[float]()
    events = [(at, next(ticket), "arrival", number) for at, number in arrivals]  # sorted, so it is a heap
    idle, rewarded, credited = workers, 0.0, 0.0
    while events:
        now, _, kind, number = heapq.heappop(events)
        if kind == "arrival":
            judging.append(number)
        else:
            idle += 1
        if kind == "judged":
            rewarded = now
            crediting.extend(states[number // size].judged(groups[number // size][number % size], schedule))
        elif kind == "credited":
            credited = now
        while idle and (judging or crediting):
            idle -= 1
            if judging:
                number = judging.popleft()
                one = groups[number // size][number % size]
                seconds = one.judge_s + (one.localize_s if schedule == BEFORE else 0.0)
                heapq.heappush(events, (now + seconds, next(ticket), "judged", number))
            else:
                heapq.heappush(events, (now + crediting.popleft(), next(ticket), "credited", 0))
    return rewarded, credited


# --- what it says -------------------------------------------------------------------------------------------------


Overheads = Mapping[str, Interval]  # by schedule, in percent of the step


def sweep(measured: Sequence[Sample], repeats: int = 5) -> dict[tuple[int, int], Overheads]:
    """Overhead of the step by (nodes, workers a node)."""
    grid = itertools.product(NODES, WORKERS)
    return {(nodes, workers): overheads(Cluster(nodes, workers), measured, repeats) for nodes, workers in grid}


def overheads(cluster: Cluster, measured: Sequence[Sample], repeats: int) -> Overheads:
    """Medians of ``repeats`` steps."""
    steps = [simulate(cluster, measured, random.Random(k)) for k in range(repeats)]
    return {name: bootstrap([100 * step[name].overhead(cluster) for step in steps]) for name in SCHEDULES}


def tables(found: Mapping[tuple[int, int], Overheads], measured: Sequence[Sample]) -> list[dict[str, Any]]:
    """By schedule: the overhead by nodes and workers, and how many workers a node keep it off the critical path."""
    decoded = {nodes: simulate(Cluster(nodes), measured, random.Random(0))[AHEAD].decoded for nodes in NODES}
    columns = ["nodes", "generation, s", *(f"{w} workers a node" for w in WORKERS), f"for {OFF_THE_PATH:g}%"]
    return [
        table(
            _title(schedule),
            columns,
            [
                [
                    nodes,
                    f"{decoded[nodes]:.1f}",
                    *_row({workers: found[nodes, workers][schedule] for workers in WORKERS}),
                ]
                for nodes in NODES
            ],
        )
        for schedule in SCHEDULES
    ]


def _title(schedule: str) -> str:
    return f"Simulated: what EGCA adds to a step of 1,024 prompts x 16 where a sample is credited {schedule}, %"


def _row(by_workers: Mapping[int, Interval]) -> list[str]:
    enough = next((str(w) for w, one in by_workers.items() if one.value <= OFF_THE_PATH), f"more than {WORKERS[-1]}")
    return [*(f"{one.value:.2f}" for one in by_workers.values()), enough]


def assumptions(measured: Sequence[Sample], repeats: int = 5) -> dict[str, Any]:
    """One node, where the CPU is what is short: overhead by what is assumed of pass rates, lengths and the budget."""
    base = Cluster(1, TARGET_WORKERS)
    variants = {
        "as above": base,
        "prompts of one pass rate": replace(base, evenness=inf),
        "many prompts that always or never pass": replace(base, evenness=1.0),
        "responses twice as long": replace(base, length=2.0),
        "no references: all hangs on the group": replace(base, together=1.0),
        "egca.praise=0: nothing where all fail": replace(base, everyone=False),
        "egca.budget=0.75": replace(base, budget=0.75),
        "egca.budget=0.5": replace(base, budget=0.5),
    }
    rows = [
        [name, *(one.show("{:.1f}") for one in overheads(cluster, measured, repeats).values())]
        for name, cluster in variants.items()
    ]
    columns = ["assumed", *SCHEDULES]
    return table(
        f"Simulated: the same on one node with {TARGET_WORKERS} workers, %, median [least, most]", columns, rows
    )


def check(workers: Axis, measured: Sequence[Sample]) -> dict[str, Any]:
    """The queue of :func:`serve` against the measured axis of workers: the same responses, handed over at once."""
    jobs = [(0.0, (sample.judge_ms + sample.localize_ms) / 1e3) for sample in measured]
    rows = []
    for number, seconds in workers.seconds.items():
        real, said = bootstrap(seconds), serve(jobs, int(number))
        rows.append([int(number), real.show("{:.2f}"), f"{said:.2f}", f"{said / real.value:.2f}"])
    columns = ["workers", "measured, s", "simulated, s", "simulated / measured"]
    return table(f"The simulation's queue, checked: {len(measured)} responses at once", columns, rows)


def draw_figure(found: Mapping[tuple[int, int], Overheads], folder: Path) -> Path:
    """Overhead over nodes, one line a number of workers; samples credited ahead of their group."""
    figure, axis = new_figure()
    for workers in WORKERS:
        own = [found[nodes, workers][AHEAD] for nodes in NODES]
        axis.plot(NODES, [max(i.value, 1e-3) for i in own], "o-", markersize=3, label=f"{workers}")
    axis.axhline(OFF_THE_PATH, color="tab:red", linewidth=0.8, linestyle="--")
    axis.set(xscale="log", yscale="log", xlabel="nodes", ylabel=f"overhead of the step, % ({OFF_THE_PATH:g}% dashed)")
    axis.legend(title="workers a node")
    return save_figure(figure, "overhead_cluster", folder)
