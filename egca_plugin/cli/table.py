"""``egca table``: a benchmark's result file as Markdown, as the README shows it; the paper's tables with our runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from egca_plugin.errors import EgcaError
from egca_plugin.report import paper

PAPER = Path("paper")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "table",
        help="a benchmark's result file as Markdown; paper: the paper's tables with our runs beside",
        description="Print the tables of a result file as Markdown, and the host they were measured on. With the word "
        "paper: the paper's tables, and beside its figures what the recipes' evaluations gave; cells where nothing was "
        "run stay empty.",
        epilog="examples: egca table benchmarks/results/learning_synthetic.json; egca table paper runs",
    )
    parser.add_argument(
        "results",
        type=Path,
        nargs="+",
        metavar="RESULTS",
        help="JSON files that a benchmark wrote; or the word paper and folders of runs (default: runs)",
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="only tables with this text in their title")


def run(args: argparse.Namespace) -> int:
    first, *rest = args.results
    if first == PAPER:
        found = [one for folder in rest or [Path("runs")] for one in paper.evaluated(folder)]
        shown = [markdown({"tables": paper.tables(found)}, args.only)]
    else:
        shown = [markdown(read(path), args.only) for path in args.results]
    print("\n\n".join(part for part in shown if part))
    return 0


def read(path: Path) -> dict[str, Any]:
    """A result file's content. Raises EgcaError where it is missing or is none."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EgcaError(f"{path}: {error.strerror}; expected a result file such as egca bench writes") from error
    except ValueError as error:
        raise EgcaError(f"{path}: not JSON ({error}); expected a result file such as egca bench writes") from error
    if not isinstance(result, dict) or not isinstance(result.get("tables"), list):
        raise EgcaError(f"{path}: no field 'tables'; expected a result file such as egca bench writes")
    return result


def markdown(result: Mapping[str, Any], only: str = "") -> str:
    """The tables whose title contains ``only``, each under its title; empty where there is none."""
    tables = [_table(table) for table in result["tables"] if only.lower() in table["title"].lower()]
    if not tables:
        return ""
    return "\n\n".join([*tables, _host(result.get("host", {}), result.get("settings", {}))]).rstrip()


def _table(table: Mapping[str, Any]) -> str:
    rows = [[_cell(value) for value in row] for row in table["rows"]]
    lines = [_line(table["columns"]), _line(["---"] + ["---:"] * (len(table["columns"]) - 1)), *map(_line, rows)]
    return f"**{table['title']}**\n\n" + "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _host(host: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    if not host:
        return ""
    facts = [host.get("cpu"), f"{host.get('cores')} cores", f"Python {host.get('python')}", host.get("date")]
    facts += [f"egca.{name}={settings[name]}" for name in ("credit", "praise", "scale") if name in settings]
    return "Measured on: " + ", ".join(str(fact) for fact in facts if fact) + "."
