"""``egca bench learning onestep``: record groups of a real model, take one step on each by every arm, report.

Whatever is there already is kept, so the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import common
from egca_plugin.adapters import smollm2
from egca_plugin.tasks import starter
from egca_plugin.tasks.files import load_tasks
from egca_plugin.types import Task

STAGES = ("record", "measure", "report", "all")


def main(argv: Sequence[str]) -> int:
    """Exit status: 0, or 1 where batches are left to record or to measure."""
    args = _parse(argv)
    tasks = _tasks(args.tasks)
    until, left = args.until, 0
    if args.stage in ("record", "all"):
        from benchmarks.learning.onestep.record import record

        left += record(args.model or smollm2.prepare(), tasks, args.rounds, args.tokens, args.work / RECORDED, until)
    if args.stage in ("measure", "all"):
        left += _measure(args, tasks, until)
    if args.stage != "record":
        from benchmarks.learning.onestep.measuring import Kept
        from benchmarks.learning.onestep.report import report

        print(report(args.work / RECORDED, Kept(_folder(args)), settings(args), args.out), file=sys.stderr)
    return 1 if left else 0


RECORDED = "batches.jsonl"


def settings(args: argparse.Namespace) -> dict[str, object]:
    """What of the arguments a reader of the result must know."""
    model = args.model.name if args.model else smollm2.HUB_NAME
    return {"model": model, "tokens": args.tokens, "layers": args.layers, "rank": args.rank}


def _measure(args: argparse.Namespace, tasks: Sequence[Task], until: float) -> int:
    import torch

    from benchmarks.learning.onestep import measuring, sampling
    from benchmarks.learning.onestep.policy import Policy
    from benchmarks.learning.onestep.record import read

    torch.set_num_threads(args.threads)
    path = args.model or smollm2.prepare()
    known = {task.task_id: task for task in tasks}
    batches = [batch for batch in read(args.work / RECORDED) if batch.task_id in known]
    policy = Policy(path, args.layers, args.rank)
    kept = measuring.Kept(_folder(args))
    return measuring.run(policy, sampling.tokenizer_of(path), batches, known, kept, until, args.finite)


def _folder(args: argparse.Namespace) -> Path:
    return Path(args.work / f"measured-{args.layers}-{args.rank}")


def _tasks(files: Sequence[Path]) -> list[Task]:
    """The starter tasks or those of ``files``, in an order that has nothing to do with how hard they are."""
    found = [task for file in files for task in load_tasks(file)] if files else list(starter.load())
    random.Random(0).shuffle(found)
    return found


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egca bench learning onestep", description=__doc__)
    parser.add_argument("stage", nargs="?", choices=STAGES, default="all", help="default: %(default)s")
    parser.add_argument("--model", type=Path, help="Hugging Face directory (default: SmolLM2-135M-Instruct, fetched)")
    parser.add_argument("--tasks", type=Path, nargs="+", default=[], help="task files (default: the starter tasks)")
    parser.add_argument("--rounds", type=int, default=3, help="batches of 16 samples a task (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=96, help="of a response at most (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=10, help="with adapters, from the top (default: %(default)s)")
    parser.add_argument("--rank", type=int, default=8, help="of the adapters (default: %(default)s)")
    parser.add_argument("--finite", type=int, default=6, help="take real steps in each so-manieth batch (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: %(default)s)")
    parser.add_argument("--until", **common.UNTIL, help="begin no batch after this time of today")
    parser.add_argument("--work", type=Path, default=Path("outputs/learning-onestep"), help="what is kept")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the result")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
