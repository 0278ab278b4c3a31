"""1,024 prompts x 16 samples on 1 to 128 nodes: where would EGCA come onto the critical path?

Assumptions, all visible in :class:`Cluster`:

* a node decodes ``slots`` responses side by side, each at ``tokens_per_s``; a free slot takes the next prompt at once
  (continuous batching), and samples are spread evenly over the nodes;
* response lengths, judging and localising times are drawn together from single responses measured on this host;
* a finished response goes to its node's ``workers`` sandbox workers, first come, first served, while others still
  decode: that is the overlap of verl's agent loop;
* generation ends with the last reward; updating takes ``update_share`` of pure generation and overlaps with nothing.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import Interval, bootstrap, new_figure, save_figure, table
from benchmarks.overhead.scaling import Axis, Sample

NODES = (1, 2, 4, 8, 16, 32, 64, 128)
WORKERS = (1, 2, 4, 8, 16, 32, 64)
OFF_THE_PATH = 2.0  # percent of the step


@dataclass(frozen=True, slots=True)
class Cluster:
    """One synchronous step; times in seconds."""

    nodes: int
    workers: int = 8
    slots: int = 2048
    tokens_per_s: float = 40.0
    update_share: float = 0.5
    prompts: int = 1024
    samples: int = 16


@dataclass(frozen=True, slots=True)
class Step:
    """``decoded``: the last token; ``judged``: the last reward without localisation; ``localized``: with it."""

    decoded: float
    judged: float
    localized: float

    def overhead(self, update_share: float) -> float:
        """What localising adds to the step, as a share of the step without it."""
        return (self.localized - self.judged) / (self.judged + update_share * self.decoded)


def simulate(cluster: Cluster, measured: Sequence[Sample], rng: random.Random) -> Step:
    """One step. Nodes are independent until the barrier, so the slowest one decides."""
    total = cluster.prompts * cluster.samples
    steps = []
    for node in range(cluster.nodes):
        own = total // cluster.nodes + (node < total % cluster.nodes)
        drawn = rng.choices(measured, k=own)
        arrivals = decode(drawn, cluster)
        judge = [(at, s.judge_ms / 1e3) for at, s in arrivals]
        both = [(at, (s.judge_ms + s.localize_ms) / 1e3) for at, s in arrivals]
        steps.append(Step(arrivals[-1][0], serve(judge, cluster.workers), serve(both, cluster.workers)))
    return Step(*(max(values) for values in zip(*((s.decoded, s.judged, s.localized) for s in steps), strict=True)))


def decode(samples: Sequence[Sample], cluster: Cluster) -> list[tuple[float, Sample]]:
    """(time of the last token, sample) in the order of time: ``slots`` at once, the next as soon as one is free."""
    free = [0.0] * min(cluster.slots, len(samples))
    done = []
    for sample in samples:
        end = heapq.heappop(free) + sample.tokens / cluster.tokens_per_s
        heapq.heappush(free, end)
        done.append((end, sample))
    return sorted(done, key=lambda pair: pair[0])


def serve(jobs: Sequence[tuple[float, float]], workers: int) -> float:
    """When the last of the (arrival, seconds) jobs is done by ``workers`` servers in order of arrival."""
    free = [0.0] * workers
    last = 0.0
    for arrival, seconds in jobs:
        end = max(heapq.heappop(free), arrival) + seconds
        heapq.heappush(free, end)
        last = max(last, end)
    return last


def sweep(measured: Sequence[Sample], repeats: int = 20) -> dict[tuple[int, int], Interval]:
    """Overhead of the step by (nodes, workers a node), in percent."""
    found = {}
    for nodes in NODES:
        for workers in WORKERS:
            cluster = Cluster(nodes, workers)
            many = repeats if nodes >= 8 else max(3, repeats // 4)
            shares = [
                100 * simulate(cluster, measured, random.Random(k)).overhead(cluster.update_share) for k in range(many)
            ]
            found[nodes, workers] = bootstrap(shares)
    return found


def tables(found: dict[tuple[int, int], Interval], measured: Sequence[Sample]) -> list[dict[str, Any]]:
    """Overhead by nodes and workers, and how many workers a node keep it off the critical path."""
    rows = []
    for nodes in NODES:
        step = simulate(Cluster(nodes), measured, random.Random(0))
        enough = next((str(w) for w in WORKERS if found[nodes, w].value <= OFF_THE_PATH), f"more than {WORKERS[-1]}")
        rows.append([nodes, f"{step.decoded:.1f}", *(f"{found[nodes, w].value:.2f}" for w in WORKERS), enough])
    columns = ["nodes", "generation, s", *(f"{w} workers a node" for w in WORKERS), f"for {OFF_THE_PATH:g}%"]
    return [table("Simulated: localisation's share of the step, %; 1,024 prompts x 16 samples", columns, rows)]


def check(workers: Axis, measured: Sequence[Sample]) -> dict[str, Any]:
    """The queue of :func:`serve` against the measured axis of workers: the same responses, handed over at once."""
    jobs = [(0.0, (sample.judge_ms + sample.localize_ms) / 1e3) for sample in measured]
    rows = []
    for number, seconds in workers.seconds.items():
        real, said = bootstrap(seconds), serve(jobs, int(number))
        rows.append([int(number), real.show("{:.2f}"), f"{said:.2f}", f"{said / real.value:.2f}"])
    columns = ["workers", "measured, s", "simulated, s", "simulated / measured"]
    return table(f"The simulation's queue, checked: {len(measured)} responses at once", columns, rows)


def draw(found: dict[tuple[int, int], Interval], folder: Path) -> Path:
    """Overhead over nodes, one line a number of workers."""
    figure, axis = new_figure()
    for workers in WORKERS:
        own = [found[nodes, workers] for nodes in NODES]
        axis.plot(NODES, [max(i.value, 1e-3) for i in own], "o-", markersize=3, label=f"{workers}")
    axis.axhline(OFF_THE_PATH, color="tab:red", linewidth=0.8, linestyle="--")
    axis.set(xscale="log", yscale="log", xlabel="nodes", ylabel=f"overhead of the step, % ({OFF_THE_PATH:g}% dashed)")
    axis.legend(title="workers a node")
    return save_figure(figure, "overhead_cluster", folder)
