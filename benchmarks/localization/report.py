"""From scored rows to the result file, the Markdown tables and the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common import new_figure, save_figure, table, write_result
from benchmarks.localization.corpus import FORMS
from benchmarks.localization.scoring import Row, Summary, summarise, wilson
from egca_plugin.types import Outcome

NAME = "localization"
_UNSCORED = {Outcome.OK.value: "passes in the sandbox", Outcome.INFRASTRUCTURE.value: "the sandbox failed"}
_COLUMNS = (
    "n", "top-1 line", "overlap", "tokens", "verified", "top-1 where verified", "decision", "abstained", "ms p50",
    "ms p95",
)  # fmt: skip


def report(rows: Sequence[Row], half: str, settings: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Write ``localization-HALF.json``, ``.md`` and, where matplotlib is installed, ``.svg``; returns the tables."""
    scored = [row for row in rows if row.outcome not in _UNSCORED]
    tables = [_by_localizer(scored)]
    for name in dict.fromkeys(row.localizer for row in scored):
        mine = [row for row in scored if row.localizer == name]
        if any(row.verified for row in mine):
            tables += [_by_class(name, mine), _by_operator(name, mine)]
    tables.append(_abstentions(scored))
    data = {"unscored": _unscored(rows), "misses": _misses(scored), "summaries": _summaries(scored)}
    stem = f"{NAME}-{half}"
    path = write_result(stem, settings=settings, tables=tables, data=data, folder=folder)
    path.with_suffix(".md").write_text("\n".join(markdown(one) for one in tables), encoding="utf-8")
    _picture(scored, half, folder)
    return tables


def markdown(one: Mapping[str, Any]) -> str:
    """A table of a result file as Markdown."""
    lines = [f"### {one['title']}", "", _row(one["columns"]), _row(["---"] * len(one["columns"]))]
    return "\n".join([*lines, *(_row(row) for row in one["rows"]), ""])


# --- tables -----------------------------------------------------------------------------------------------------


def _by_localizer(rows: Sequence[Row]) -> dict[str, Any]:
    groups = _grouped(rows, lambda row: (row.form, row.localizer))
    ordered = sorted(groups, key=lambda key: (FORMS.index(key[0]), -summarise(groups[key]).top1.value))
    cells = [[*key, *_cells(summarise(groups[key]))] for key in ordered]
    return table("Localisers by form of program", ["form", "localiser", *_COLUMNS], cells)


def _by_class(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    classes: dict[str, Callable[[Row], bool]] = {
        "omission": lambda row: row.category == "omission",
        "something wrong": lambda row: row.category == "wrong",
        "wrong answer": lambda row: row.outcome == Outcome.WRONG_ANSWER.value,
        "crash": lambda row: row.crash,
        "timeout": lambda row: row.outcome == Outcome.TIMEOUT.value,
        "HumanEval": lambda row: row.task_id.startswith("HumanEval"),
        "MBPP": lambda row: row.task_id.startswith("mbpp"),
    }
    cells = []
    for form in FORMS:
        for title, belongs in classes.items():
            chosen = [row for row in rows if row.form == form and belongs(row)]
            if chosen:
                cells.append([form, title, *_cells(summarise(chosen))])
    return table(f"{name}: by class of fault", ["form", "class", *_COLUMNS], cells)


def _by_operator(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    groups = _grouped(rows, lambda row: (row.form, row.operator))
    ordered = sorted(groups, key=lambda key: (FORMS.index(key[0]), summarise(groups[key]).top1.value))
    cells = [
        [*key, len(groups[key]), summarise(groups[key]).top1.show(), summarise(groups[key]).verified.show()]
        for key in ordered
    ]
    return table(f"{name}: by kind of mistake", ["form", "kind", "n", "top-1 line", "verified"], cells)


def _abstentions(rows: Sequence[Row]) -> dict[str, Any]:
    counts = Counter((row.localizer, row.reason) for row in rows if row.reason)
    cells = [
        [name, reason, count, sum(row.credited for row in rows if (row.localizer, row.reason) == (name, reason))]
        for (name, reason), count in sorted(counts.items())
    ]
    return table("Reasons given", ["localiser", "reason", "cases", "of them with a wide span"], cells)


def _cells(summary: Summary) -> list[Any]:
    return [
        summary.top1.n,
        summary.top1.show(),
        summary.overlap.show(),
        f"{100 * summary.share:.1f}%",
        summary.verified.show(),
        summary.top1_verified.show(),
        summary.decided.show(),
        f"{100 * (1 - summary.credited.value):.1f}%",
        f"{summary.ms_p50:.1f}",
        f"{summary.ms_p95:.1f}",
    ]


# --- data -------------------------------------------------------------------------------------------------------


def _summaries(rows: Sequence[Row]) -> list[dict[str, Any]]:
    groups = _grouped(rows, lambda row: (row.form, row.localizer))
    return [{"form": form, "localizer": name, **asdict(summarise(groups[form, name]))} for form, name in sorted(groups)]


def _misses(rows: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """The failing cases of the localisers that verify."""
    names = {row.localizer for row in rows if row.verified}
    misses: dict[str, list[dict[str, Any]]] = {name: [] for name in sorted(names)}
    for row in sorted(rows, key=lambda row: row.subject):
        if row.localizer in names and not row.hit:
            told = {"subject": row.subject, "operator": row.operator, "stage": row.stage, "verified": row.verified}
            misses[row.localizer].append(told | {"lines": row.lines[:3], "reason": row.reason, "error": row.error})
    return misses


def _unscored(rows: Sequence[Row]) -> dict[str, list[str]]:
    return {why: sorted({row.subject for row in rows if row.outcome == outcome}) for outcome, why in _UNSCORED.items()}


def _grouped(rows: Iterable[Row], key: Callable[[Row], tuple[str, str]]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


# --- picture ----------------------------------------------------------------------------------------------------


def _picture(rows: Sequence[Row], half: str, folder: Path) -> None:
    """Top-1 by localiser, one panel a form, with intervals. Needs matplotlib."""
    forms = [form for form in FORMS if any(row.form == form for row in rows)]
    try:
        figure, axes = new_figure(len(forms), width=3.2, height=3.6)
    except ImportError:
        return
    axes = axes if len(forms) > 1 else [axes]
    order = _by_mean([row for row in rows if row.form == "restructured"] or rows)
    for axis, form in zip(axes, forms, strict=True):
        rates = [wilson(row.hit for row in rows if (row.form, row.localizer) == (form, name)) for name in order]
        values = [100 * rate.value for rate in rates]
        whiskers = [
            [100 * max(0.0, rate.value - rate.low) for rate in rates],
            [100 * max(0.0, rate.high - rate.value) for rate in rates],
        ]
        colours = ["tab:blue" if name == "trace" else "tab:gray" for name in order]
        axis.barh(order, values, xerr=whiskers, color=colours, error_kw={"linewidth": 0.8})
        axis.set(xlim=(0, 100), xlabel="top-1 line, %", title=f"{form} (n = {max(rate.n for rate in rates)})")
        axis.tick_params(labelleft=axis is axes[0])
    save_figure(figure, f"{NAME}-{half}", folder)


def _by_mean(rows: Sequence[Row]) -> list[str]:
    hits: dict[str, list[float]] = {}
    for row in rows:
        hits.setdefault(row.localizer, []).append(row.hit)
    return sorted(hits, key=lambda name: sum(hits[name]) / len(hits[name]))


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
