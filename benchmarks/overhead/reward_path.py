"""The reward path alone: recorded responses through every path in alternating blocks, then one by one for latency."""

from __future__ import annotations

import contextlib
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import Interval, bootstrap, new_figure, quantile, save_figure, table
from benchmarks.overhead import paths
from benchmarks.overhead.paths import DEBUGGER, EGCA, PRIME, UNIFORM, RewardPath, Spent
from benchmarks.overhead.recorded import KINDS, MIX, Recording, Response
from egca_plugin.config import EgcaConfig

BLOCK = 48


@dataclass(frozen=True, slots=True)
class Measured:
    """Raw numbers by path: per block wall and CPU seconds, per response its time alone, and memory in MiB."""

    blocks: Mapping[str, list[Spent]]
    alone: Mapping[str, Mapping[str, list[float]]]  # path -> kind -> seconds
    memory: Mapping[str, float]


def measure(
    recording: Recording, tokenizer: Any, *, count: int, workers: int, debugger: bool, hanging: int, seed: int = 0
) -> Measured:
    """Alternate the paths block by block over ``count`` responses; each block is the same responses for all paths."""
    config = EgcaConfig(budget=1.0)
    responses = recording.responses(count, MIX, seed)
    with contextlib.ExitStack() as stack:
        memory, ready = {"verl alone": paths.memory_mb()}, {PRIME: paths.prime_path(recording, tokenizer)}
        for name, chosen in _configs(config, debugger).items():
            ready[name] = stack.enter_context(paths.egca_path(recording, tokenizer, chosen, name, workers))
        for path in ready.values():
            _run(path, responses[:8])  # caches, imports and the first fork
        blocks = _alternate(list(ready.values()), responses)
        alone = {name: _alone(path, recording, hanging) for name, path in ready.items()}
        memory["with the pools"] = paths.memory_mb()
    return Measured(blocks, alone, memory)


def _configs(config: EgcaConfig, debugger: bool) -> dict[str, EgcaConfig]:
    chosen = {UNIFORM: paths.sandbox_only(config), EGCA: config}
    if debugger:
        chosen[DEBUGGER] = replace(config, localizer="debugger")
    return chosen


def _alternate(ready: Sequence[RewardPath], responses: Sequence[Response]) -> dict[str, list[Spent]]:
    blocks: defaultdict[str, list[Spent]] = defaultdict(list)
    for number, start in enumerate(range(0, len(responses) - BLOCK + 1, BLOCK)):
        block = responses[start : start + BLOCK]
        turn = number % len(ready)
        for path in (*ready[turn:], *ready[:turn]):
            blocks[path.name].append(_run(path, block))
    return dict(blocks)


def _run(path: RewardPath, responses: Sequence[Response]) -> Spent:
    rows = [path.row(response) for response in responses]
    with paths.silence():
        return paths.all_at_once(path, rows)


def _alone(path: RewardPath, recording: Recording, hanging: int, each: int = 24) -> dict[str, list[float]]:
    """``each`` responses of every kind, ``hanging`` of the hanging ones: prime_code takes a minute for one."""
    times = {}
    for kind in KINDS.values():
        count = hanging if kind == "hanging" else each
        if count:
            responses = _small(recording) if kind == "hanging" else recording.responses(count, {kind: 1.0}, 7, 1)
            with paths.silence():
                times[kind] = paths.one_by_one(path, [path.row(r) for r in responses[:count]])
    return times


def _small(recording: Recording) -> list[Response]:
    """Hanging responses to the tasks with the fewest tests."""
    ids = sorted(recording.tasks, key=lambda task_id: len(recording.in_outs[task_id]["inputs"]))
    able = [task_id for task_id in ids if recording.programs[task_id].get("hanging")]
    return [recording.group(task_id, 1, {"hanging": 1.0}, random.Random(task_id))[0] for task_id in able[:8]]


# --- what it says -------------------------------------------------------------------------------------------------


def speedup(measured: Measured, path: str, against: str = PRIME) -> Interval:
    """Throughput of ``path`` over that of ``against``: the median of the blocks' ratios."""
    pairs = zip(measured.blocks[against], measured.blocks[path], strict=True)
    return bootstrap([other.wall_s / own.wall_s for other, own in pairs])


def tables(measured: Measured) -> list[dict[str, Any]]:
    """Throughput with agreement, latency by kind, memory."""
    return [_throughput(measured), _latency(measured), _memory(measured)]


def _throughput(measured: Measured) -> dict[str, Any]:
    rows = []
    for name, blocks in measured.blocks.items():
        rate = bootstrap([BLOCK / spent.wall_s for spent in blocks])
        cpu = statistics.fmean(spent.cpu_s / BLOCK for spent in blocks)
        against = "1" if name == PRIME else speedup(measured, name).show("{:.1f}")
        rows.append([name, rate.show("{:.0f}"), against, f"{1e3 * cpu:.1f}", _agreement(measured, name)])
    columns = ["path", "responses/s", "times prime_code", "CPU ms a response", "same verdict as prime_code"]
    return table("Reward path: a batch at once", columns, rows)


def _agreement(measured: Measured, name: str) -> str:
    yardstick = [r >= 1.0 for spent in measured.blocks[PRIME] for r in spent.rewards]
    own = [r >= 1.0 for spent in measured.blocks[name] for r in spent.rewards]
    return f"{sum(a == b for a, b in zip(yardstick, own, strict=True))}/{len(own)}"


def _latency(measured: Measured) -> dict[str, Any]:
    names = list(measured.alone)
    rows = []
    for kind in KINDS.values():
        if kind in measured.alone[PRIME]:
            cells = [_percentiles(measured.alone[name][kind]) for name in names]
            rows.append([kind, len(measured.alone[PRIME][kind]), *cells])
    columns = ["response", "n", *(f"{name}: p50 / p95 ms" for name in names)]
    return table("Reward path: one response at a time", columns, rows)


def _percentiles(seconds: Sequence[float]) -> str:
    return f"{1e3 * quantile(seconds, 0.5):.1f} / {1e3 * quantile(seconds, 0.95):.1f}"


def _memory(measured: Measured) -> dict[str, Any]:
    pools = len(measured.blocks) - 1
    extra = (measured.memory["with the pools"] - measured.memory["verl alone"]) / pools
    rows = [["verl's reward process alone", f"{measured.memory['verl alone']:.0f}"], ["one pool more", f"{extra:.0f}"]]
    return table("Reward path: memory (PSS)", ["", "MiB"], rows)


def draw(measured: Measured, folder: Path) -> Path:
    """Throughput by block, and latency by kind."""
    figure, (left, right) = new_figure(2)
    for name, blocks in measured.blocks.items():
        left.plot([BLOCK / spent.wall_s for spent in blocks], "o-", markersize=3, linewidth=0.8, label=name)
    left.set(xlabel=f"block of {BLOCK} responses", ylabel="responses/s", yscale="log")
    kinds = [kind for kind in KINDS.values() if kind in measured.alone[PRIME]]
    for number, (name, times) in enumerate(measured.alone.items()):
        at = [k + 0.25 * number for k in range(len(kinds))]
        right.bar(at, [1e3 * quantile(times[kind], 0.5) for kind in kinds], width=0.22, label=name)
    right.set_xticks([k + 0.25 for k in range(len(kinds))], kinds)
    right.set(ylabel="ms, median, one at a time", yscale="log")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=len(measured.blocks))
    return save_figure(figure, "overhead_reward", folder)
