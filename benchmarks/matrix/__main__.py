"""``python -m benchmarks.matrix [NAME ...]``: run the rows that are missing, and write the table once all have run.

``--part RESULT`` writes those that have run, of another verl say, as a result of its own. Each row's outcome is kept in
WORK/NAME.json; delete it to run that row again.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.common import credit_settings, table, write_result
from benchmarks.matrix import runs
from benchmarks.matrix.row import CheckFailed, Ran, Row
from benchmarks.matrix.rows import ABSENT, ROWS

COLUMNS = ("row", "settings shown together", "outcome", "seconds", "what was found to hold, or why not")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", nargs="*", help="names of rows; all")
    parser.add_argument("--work", type=Path, default=Path(".bench/matrix"), help="runs and outcomes (%(default)s)")
    parser.add_argument("--timeout", type=float, default=420, help="seconds per run (%(default)s)")
    parser.add_argument("--part", metavar="RESULT", help="write the rows that have run as results/RESULT.json")
    args = parser.parse_args()
    if unknown := set(args.rows) - {row.name for row in ROWS}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; expected {', '.join(row.name for row in ROWS)}")
    runs.prepare(args.work)
    for row in ROWS:
        if (not args.rows or row.name in args.rows) and not _kept(args.work, row).exists():
            print(f"{row.name}: {', '.join(row.shows)}", file=sys.stderr, flush=True)
            outcome = judge(row, runs.run(row, args.work, args.timeout))
            _kept(args.work, row).write_text(json.dumps(outcome), encoding="utf-8")
            print(f"  {outcome['outcome']}: {outcome['found']}", file=sys.stderr, flush=True)
    return write(args.work, args.part)


def judge(row: Row, ran: Ran) -> dict[str, Any]:
    """The row's outcome as the table has it."""
    found: list[str] = []
    outcome = "refused" if row.refused else "ran"
    try:
        if row.refused:
            if ran.code == 0 or row.refused not in ran.log:
                raise CheckFailed(f"ended with status {ran.code} and did not say {row.refused!r}")
            found.append(next(line for line in ran.log.splitlines() if row.refused in line).strip())
        elif ran.code:
            raise CheckFailed(f"verl ended with status {ran.code}; see {ran.home.name}/verl.log")
        found += [check(ran) for check in row.checks]
    except CheckFailed as error:
        outcome = "failed"
        found.append(str(error))
    return {"outcome": outcome, "seconds": round(ran.seconds), "found": "; ".join(found)}


def write(work: Path, part: str | None = None) -> int:
    """The result file: of all rows, or the ``part`` that has run. Exit status 1 where a row failed or is missing."""
    kept = {row.name: json.loads(_kept(work, row).read_text()) for row in ROWS if _kept(work, row).exists()}
    lines = [
        [row.name, "; ".join(row.shows), done["outcome"], done["seconds"], done["found"]]
        for row in ROWS
        if (done := kept.get(row.name))
    ]
    absent = [[row.name, "; ".join(row.shows), "not on a CPU", "", f"{row.why}; shown: {row.shown}"] for row in ABSENT]
    if part or len(kept) == len(ROWS):
        policy = "two-layer Llama, 64 wide, taught the answers to four tasks"
        settings = {"policy": policy, **credit_settings()}
        shown = table("verl with EGCA on a CPU", COLUMNS, lines if part else [*lines, *absent])
        path = write_result(part or "cpu_matrix", settings=settings, tables=[shown])
        print(path, file=sys.stderr)
    failed = [name for name, done in kept.items() if done["outcome"] == "failed"]
    return 1 if failed or (not part and len(kept) < len(ROWS)) else 0


def _kept(work: Path, row: Row) -> Path:
    return work / f"{row.name}.json"


if __name__ == "__main__":
    sys.exit(main())
