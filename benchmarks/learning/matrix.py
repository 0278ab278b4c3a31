"""Run the synthetic matrix, resuming where an earlier run stopped, and write the result, the tables and the picture."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from benchmarks import common
from benchmarks.learning.arms import ARMS
from benchmarks.learning.figures import draw
from benchmarks.learning.jobs import DEFAULT, REGIMES, Job, work
from benchmarks.learning.summary import tables


def main(argv: Sequence[str]) -> int:
    """The fast row: every arm on synthetic programs."""
    args = _parse(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    log = args.work / "runs.jsonl"
    known = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    done = {(row["arm"], row["regime"], row["seed"], row["steps"]) for row in known}
    jobs = [job for job in _jobs(args) if job[:4] not in done]
    began = time.monotonic()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.workers, mp_context=spawn) as pool, log.open("a") as file:
        for number, finished in enumerate(as_completed([pool.submit(work, job) for job in jobs]), start=1):
            row = finished.result()
            file.write(json.dumps(row) + "\n")
            file.flush()
            known.append(row)
            print(f"\r{number}/{len(jobs)} runs", end="", file=sys.stderr, flush=True)
            if args.stop_after and time.monotonic() - began > args.stop_after and number < len(jobs):
                print(f"; stopped after {args.stop_after:.0f} s, the same command goes on", file=sys.stderr)
                pool.shutdown(cancel_futures=True)
                return 1
    wanted = {job[:4] for job in _jobs(args)}
    rows = [row for row in known if (row["arm"], row["regime"], row["seed"], row["steps"]) in wanted]
    shown = tables(rows)
    settings = {"regimes": {name: REGIMES[name] for name in args.regimes}, "seeds": args.seeds, "steps": args.steps}
    arms = {name: asdict(arm) for name, arm in ARMS.items()}
    path = common.write_result(
        "learning_synthetic", settings={**settings, "arms": arms}, tables=shown, data={"runs": rows}, folder=args.out
    )
    picture = draw(rows, args.out)
    print(f"\n{path}\n{picture}", file=sys.stderr)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egca bench learning synthetic", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="seeds per arm and regime (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=100, help="training steps a run (default: %(default)s)")
    parser.add_argument("--regimes", nargs="+", choices=REGIMES, default=list(DEFAULT), metavar="NAME")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("outputs/learning"), help="finished runs, for resuming")
    parser.add_argument(
        "--stop-after", type=float, default=0.0, metavar="SECONDS", help="stop in time and resume later"
    )
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the results")
    return parser.parse_args(argv)


def _jobs(args: argparse.Namespace) -> Iterator[Job]:
    for seed in range(args.seeds):
        for regime in args.regimes:
            for arm in ("", *ARMS):
                yield arm, regime, seed, args.steps, str(args.work)
