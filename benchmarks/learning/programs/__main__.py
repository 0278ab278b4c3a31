"""``python -m benchmarks.learning programs``: run what is missing of a stage, then report on all that has been run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.learning.programs.arms import ARMS
from benchmarks.learning.programs.cells import Places, finished, run
from benchmarks.learning.programs.report import report
from benchmarks.learning.programs.stages import STAGES, Stage
from benchmarks.learning.programs.worlds import WORLDS

CELLS = common.RESULTS / "learning_programs"
STARTS = Path(__file__).parent / "starts"


def main(argv: Sequence[str]) -> int:
    """Exit status: 0, or 1 where cells are left to run."""
    args = _parse(argv)
    stage = _chosen(args)
    cells = stage.cells()
    places = Places(args.cells / args.stage, args.starts, args.work)
    left = 0 if args.report_only else run(cells, stage.plan, places, args.until)
    rows = finished(cells, stage.plan, places)
    if rows:
        path = report(args.stage, stage, rows, args.out, times=args.times)
        print(f"{path}: {len(rows)} of {len(cells)} cells", file=sys.stderr)
    return 1 if left else 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egca bench learning programs", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="screening", help="default: %(default)s")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, help="instead of the stage's own")
    parser.add_argument("--arms", nargs="+", choices=ARMS, metavar="ARM", help=", ".join(ARMS))
    parser.add_argument("--rates", nargs="+", type=float, help="learning rates")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--until", **common.UNTIL, help="begin no cell after this time of today")
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    parser.add_argument("--times", action="store_true", help="report seconds by phase too: on an idle host only")
    parser.add_argument("--cells", type=Path, default=CELLS, help="folder of finished cells")
    parser.add_argument("--starts", type=Path, default=STARTS, help="folder of the supervised starts")
    parser.add_argument("--work", type=Path, default=Path("outputs/learning-programs"), help="assessments and locks")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the results")
    return parser.parse_args(argv)


def _chosen(args: argparse.Namespace) -> Stage:
    own: dict[str, Any] = {
        name: tuple(value) for name in ("worlds", "arms", "rates", "seeds") if (value := getattr(args, name))
    }
    return replace(STAGES[args.stage], **own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
