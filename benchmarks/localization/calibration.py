"""How often an answer of ``trace`` is right, by what it rests on: fitted on one half, held against the other.

    python -m benchmarks.localization --half development ...      leaves rows-development.jsonl in --work
    python -m benchmarks.localization --half test ...             and rows-test.jsonl
    python -m benchmarks.localization.calibration --work outputs/localization

Writes ``calibration.json`` and ``.svg``, and prints what :data:`egca_plugin.localize.confidence.MEASURED` is to say.
Programs in the reference's own form (``plain``) are left out: nobody trains on them, and they flatter.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, new_figure, save_figure, table, write_result
from benchmarks.localization.harness import read
from benchmarks.localization.scoring import Row, wilson
from egca_plugin.localize.confidence import MEASURED, grounds

NAME = "calibration"
FORMS = ("restructured", "independent", "sampled", "stdin")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 where one half has no rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.localization.calibration", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--work", type=Path, nargs="+", default=[Path("outputs/localization")], help="folders of rows")
    parser.add_argument("--results", type=Path, default=RESULTS / "localization")
    options = parser.parse_args(arguments)
    fitted_on, held_against = (
        answers([row for folder in options.work for row in read(folder / f"rows-{half}.jsonl")])
        for half in ("development", "test")
    )
    if not fitted_on or not held_against:
        looked = ", ".join(map(str, options.work))
        print(
            f"{looked}: got {len(fitted_on)} answers of the development half and {len(held_against)} of the test half, "
            "expected both; run python -m benchmarks.localization on each first",
            file=sys.stderr,
        )
        return 2
    fitted = fit(fitted_on)
    tables = [_by_grounds(fitted, fitted_on, held_against), _reliability(fitted, held_against)]
    settings = {"development": len(fitted_on), "test": len(held_against), "forms": FORMS}
    data = {"measured": fitted, "error": calibration_error(fitted, held_against)}
    write_result(NAME, settings=settings, tables=tables, data=data, folder=options.results)
    _picture(fitted, held_against, options.results)
    print("\n".join(f'    "{name}": {value},' for name, value in fitted.items()))
    return 0


def answers(rows: Sequence[Row]) -> list[Row]:
    """Those in which ``trace`` blamed something, in another form than the reference's."""
    return [row for row in rows if row.localizer == "trace" and row.credited and row.form in FORMS]


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """Of all grounds the share of right lines, ``(hits + 1) / (cases + 2)``, so that few cases stay near a half."""
    groups = _grouped(rows)
    hits = {name: [row.hit for row in groups.get(name, ())] for name in MEASURED}
    return {name: round((sum(own) + 1) / (len(own) + 2), 2) for name, own in hits.items()}


def calibration_error(fitted: Mapping[str, float], rows: Sequence[Row]) -> float:
    """The mean distance of what was said and what was so, over grounds, weighted by cases."""
    parts = [abs(sum(row.hit - fitted[name] for row in own)) for name, own in _grouped(rows).items()]
    return round(sum(parts) / len(rows), 4)


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(grounds(row.stage, row.size), []).append(row)
    return groups


def _by_grounds(fitted: Mapping[str, float], before: Sequence[Row], after: Sequence[Row]) -> dict[str, Any]:
    first, second = _grouped(before), _grouped(after)
    rows = []
    for name, said in fitted.items():
        own = second.get(name, [])
        rows.append([name, len(first.get(name, ())), said, len(own), wilson(row.hit for row in own).show()])
    columns = ["answer rests on", "development, n", "confidence", "test, n", "right in the test half"]
    return table("What was said, and what was so", columns, rows)


def _reliability(fitted: Mapping[str, float], rows: Sequence[Row]) -> dict[str, Any]:
    """What ``egca.min_confidence`` keeps: of the test half's answers, and how many of those kept are right."""
    cells = []
    for least in (0.0, *sorted({fitted[name] for name in _grouped(rows)})):
        kept = [row for row in rows if fitted[grounds(row.stage, row.size)] >= least]
        cells.append([least, f"{100 * len(kept) / len(rows):.1f}%", wilson(row.hit for row in kept).show()])
    return table("egca.min_confidence", ["at least", "answers kept", "of them right"], cells)


def _picture(fitted: Mapping[str, float], rows: Sequence[Row], folder: Path) -> None:
    """The reliability diagram. Needs matplotlib."""
    try:
        figure, axis = new_figure(width=3.6)
    except ImportError:
        return
    said: dict[float, list[float]] = {}
    for row in rows:
        said.setdefault(fitted[grounds(row.stage, row.size)], []).append(row.hit)
    for value, hits in said.items():
        rate = wilson(hits)
        error = [[max(0.0, rate.value - rate.low)], [max(0.0, rate.high - rate.value)]]
        axis.errorbar([value], [rate.value], yerr=error, color="tab:blue", elinewidth=0.8)
        axis.scatter([value], [rate.value], s=4 * len(hits) ** 0.8 + 6, color="tab:blue")
    axis.plot([0, 1], [0, 1], color="tab:gray", linewidth=0.8, linestyle="--")
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="right line, test half")
    save_figure(figure, NAME, folder)


if __name__ == "__main__":
    sys.exit(main())
