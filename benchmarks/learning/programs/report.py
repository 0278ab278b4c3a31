"""From finished cells to the result file, its tables and the picture."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.learning.programs import stages, summary
from benchmarks.learning.programs.arms import ARMS
from benchmarks.learning.programs.stages import Stage
from benchmarks.learning.programs.summary import BASE, Row

OVER_WORLDS = "Mean over the worlds"
SHOWN = {
    "grpo": "black",
    "positives": "tab:gray",
    "mass_matched": "tab:olive",
    "unit": "tab:green",
    "decision": "tab:blue",
    "conserve": "tab:red",
    "tele_half": "tab:purple",
    "resets_positives": "tab:orange",
    "choice": "tab:cyan",
}


def report(name: str, stage: Stage, rows: Sequence[Row], folder: Path, *, times: bool = False) -> Path:
    """Write ``learning_programs_<name>.json`` and, where matplotlib is installed, its picture; the file's path.

    ``times``: with the seconds of a cell by phase, which mean something on an idle host only.
    """
    shown = [_world(rows, world, stage.arms) for world in stage.worlds]
    shown += [_places(rows, world, stage.arms) for world in stage.worlds]
    shown += [_over_worlds(rows, stage), _rule(name, rows, stage)]
    settings = {
        **asdict(stage),
        "arms": {arm: asdict(ARMS[arm]) for arm in stage.arms},
        "cells": {"run": len(rows), "of": len(stage.cells())},
        "rule": (stages.__doc__ or "").strip(),
    }
    data = {"seconds": _seconds(rows)} if times else None
    path = common.write_result(f"learning_programs_{name}", settings=settings, tables=shown, data=data, folder=folder)
    with suppress(ImportError):
        draw(rows, stage.worlds, f"learning_programs_{name}", folder)
    return path


def _world(rows: Sequence[Row], world: str, arms: Sequence[str]) -> dict[str, Any]:
    body, bases = [], _bases(arms)
    for arm in arms:
        found = summary.pairs(rows, arm, world)
        if not found:
            continue
        own = [row for row, _ in found]
        reaches = [summary.reach(*pair) for pair in found]
        body.append(
            [
                arm,
                len(own),
                f"{statistics.fmean(map(summary.area, own)):.3f}",
                *(_difference(summary.gains(rows, arm, world, base)) for base in bases),
                f"{statistics.fmean(map(summary.final, own)):.3f}",
                f"{statistics.fmean(reaches):.2f} ({sum(summary.reached(*pair) for pair in found)} of {len(found)})",
                round(statistics.fmean(row["evals"][-1]["sampled"] for row in own)),
            ]
        )
    start = [row["evals"][0]["passed"] for row in rows if row["world"] == world]
    columns = [
        "failing samples get",
        "cells",
        "held-out area",
        *(f"to {base}" for base in bases),
        "held out at the end",
        "tokens to grpo's end (reached)",
        "sampled tokens",
    ]
    return common.table(f"{world}: {start[0] if start else 0:.2f} held out at the start", columns, body)


def _bases(arms: Sequence[str]) -> list[str]:
    """What arms are compared with: GRPO, and the controls of those that run."""
    return [base for base in (BASE, "positives", "mass_matched", "tele_half_random") if base == BASE or base in arms]


def _difference(gains: Sequence[float]) -> str:
    return summary.t_interval(gains).show("{:+.3f}") if gains else ""


def _over_worlds(rows: Sequence[Row], stage: Stage) -> dict[str, Any]:
    """Mean differences over the worlds, which the rule compares, with intervals over seeds."""
    bases = _bases(stage.arms)
    body = [
        [arm, *(_difference(summary.gains_over(rows, arm, stage.worlds, base)) for base in bases)]
        for arm in stage.arms
        if arm != BASE
    ]
    return common.table(OVER_WORLDS, ["arm", *(f"to {base}" for base in bases)], body)


def _places(rows: Sequence[Row], world: str, arms: Sequence[str]) -> dict[str, Any]:
    """What the localiser found, and the mass that an arm has."""
    body = []
    for arm in arms:
        steps = [step for row in rows if (row["arm"], row["world"]) == (arm, world) for step in row["steps"]]
        if not steps:
            continue
        asked = sum(step["asked"] for step in steps)
        cells = [
            arm,
            *(f"{statistics.fmean(step[k] for step in steps):.3f}" for k in ("negative_mass", "positive_mass")),
        ]
        for name in ("verified", "decided"):
            cells.append(f"{sum(step[name] * step['asked'] for step in steps) / asked:.2f}" if asked else "")
        decided = sum(step["decided"] * step["asked"] for step in steps)
        true = sum(step["true"] * step["decided"] * step["asked"] for step in steps)
        cells.append(f"{true / decided:.2f}" if decided else "")
        cells.append(f"{statistics.fmean(step['all_failed'] for step in steps):.2f}")
        body.append([*cells, f"{statistics.fmean(step['length'] for step in steps):.0f}"])
    columns = [
        "arm",
        "negative mass a token",
        "positive",
        "verified",
        "with decision",
        "of them true",
        "groups that fail",
        "length",
    ]
    return common.table(f"{world}: what was given, mean over training", columns, body)


def _rule(name: str, rows: Sequence[Row], stage: Stage) -> dict[str, Any]:
    winner, verdicts = summary.chosen(rows, stage.worlds, stage.arms)
    body = [[arm, verdict, "chosen" if arm == winner else ""] for arm, verdict in verdicts.items()]
    binding = "" if name == "confirmation" else ", for these cells alone: it counts for the confirmation"
    return common.table(f"The rule that chooses the default{binding}", ["arm", "verdict", ""], body)


def _seconds(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Mean seconds of a cell by arm and phase; what the cache held already took next to nothing."""
    found: dict[str, dict[str, float]] = {}
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row["seconds"] for row in rows if row["arm"] == arm]
        phases = dict.fromkeys(phase for seconds in own for phase in seconds)
        found[arm] = {phase: round(statistics.fmean(s.get(phase, 0.0) for s in own), 1) for phase in phases}
    return found


def draw(rows: Sequence[Row], worlds: Sequence[str], name: str, folder: Path) -> Path:
    """Held-out pass rate by sampled tokens, one panel a world; means over all cells of an arm."""
    figure, axes = common.new_figure(len(worlds), width=3.6, height=3.2)
    for axis, world in zip([axes] if len(worlds) == 1 else axes, worlds, strict=True):
        for arm, colour in SHOWN.items():
            own = [row["evals"] for row in rows if (row["arm"], row["world"]) == (arm, world)]
            points = [list(at) for at in zip(*own, strict=True)] if own else []
            tokens = [statistics.fmean(at["sampled"] for at in point) / 1000 for point in points]
            passed = [statistics.fmean(at["passed"] for at in point) for point in points]
            if points:
                axis.plot(tokens, passed, color=colour, label=arm, linewidth=1.4)
        axis.set_title(world)
        axis.set_xlabel("thousand sampled tokens")
    first = axes if len(worlds) == 1 else axes[0]
    first.set_ylabel("pass rate, tasks held out")
    first.legend(fontsize=7)
    return common.save_figure(figure, name, folder)
