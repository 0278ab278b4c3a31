"""How likely was the token that a proof has in place of a decision? By whether the decision is the true one.

    python -m benchmarks.learning.programs.chances        a result a world: the start's samples, before any training

A proof names a place and a token. The policy that sampled the program says how likely that token was there. Where the
place is the true decision, the first token after which no right program of the world can follow, it should be a token
that the policy might have written; where a search has found some other patch that passes, it hardly is.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch

from benchmarks.common import RESULTS, quantile, table, write_result
from benchmarks.learning.programs.arms import ARMS
from benchmarks.learning.programs.credit import by_chance, further_rows
from benchmarks.learning.programs.judge import Judge
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.rollout import Sample, draw, judged, localised, true_decision
from benchmarks.learning.programs.start import start_of
from benchmarks.learning.programs.training import luck_of
from benchmarks.learning.programs.worlds import WORLDS, World

STARTS = Path(__file__).parent / "starts"
TASKS, SIZE, SEED, RARE = 48, 8, 5, 0.01


def chances(world: World, start: Policy, judge: Judge) -> list[tuple[float, bool]]:
    """Of each proven sample the chance of its repair's token at the decision, and whether that is the true one."""
    tasks = random.Random(SEED).sample(range(world.training), TASKS)
    groups = [group for group in range(TASKS) for _ in range(SIZE)]
    samples = draw(world, start, [tasks[g] for g in groups], groups, luck_of(SEED, len(groups), world))
    judged(world, judge, samples)
    localised(world, judge, [one for one in samples if not one.passed])
    return [found for one in samples if (found := _chance(world, start, one)) is not None]


def _chance(world: World, start: Policy, one: Sample) -> tuple[float, bool] | None:
    rows = further_rows(ARMS["choice"], [one], world)
    if not rows:
        return None
    rows[0].weights[-1] = 1
    by_chance(start, rows, world)
    return float(rows[0].weights[-1]), one.decision == true_decision(world, one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, default=Path("outputs/learning-programs"), help="assessments are kept here"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    found: dict[str, list[tuple[float, bool]]] = {}
    for name, world in WORLDS.items():
        with Judge(args.work, name) as judge:
            found[name] = chances(world, start_of(world, STARTS, print), judge)
    columns = ("world", "the proof's place", "proven", "chance p10", "p50", "p90", f"at most {RARE}")
    rows = [
        (
            name,
            "the true decision" if true else "another",
            *_row([chance for chance, is_true in each if is_true is true]),
        )
        for name, each in found.items()
        for true in (True, False)
    ]
    settings = {"tasks": TASKS, "size": SIZE, "seed": SEED}
    raw = {name: [[round(chance, 5), true] for chance, true in each] for name, each in found.items()}
    tables = [table("The chance of the repair's token at the decision, as the policy has it", columns, rows)]
    write_result("learning_chances", settings=settings, tables=tables, data=raw, folder=args.out)


def _row(values: list[float]) -> tuple[str, ...]:
    told = [f"{quantile(values, q):.3f}" for q in (0.1, 0.5, 0.9)] if values else ["", "", ""]
    return (str(len(values)), *told, str(sum(value <= RARE for value in values)))


if __name__ == "__main__":
    main()
