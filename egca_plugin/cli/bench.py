"""``egca bench``: run a benchmark of a source checkout."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import egca_plugin
from egca_plugin.errors import EgcaError

BENCHMARKS = {
    "overhead": "wall clock against vanilla GRPO and verl's own scorer",
    "sandbox": "attacks, latency and throughput of scorers",
    "localization": "top-1 and overlap on programs whose fault is known",
    "learning": "does narrower credit learn faster, with the controls",
    "report": "how soon a report opens in a browser",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "bench",
        help="run a benchmark of a source checkout",
        description="Run a benchmark and write its JSON, tables and picture to benchmarks/results.",
        epilog="\n".join(
            [
                "benchmarks:",
                *(f"  {name:<14}{what}" for name, what in BENCHMARKS.items()),
                "\neverything behind the name goes to the benchmark: egca bench learning --help",
                "example: egca bench learning --seeds 3",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=tuple(BENCHMARKS), metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="the benchmark's own arguments")


def run(args: argparse.Namespace) -> int:
    checkout = find_checkout(args.name)
    path = os.pathsep.join(filter(None, [str(checkout), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", f"benchmarks.{args.name}", *args.arguments]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode


def find_checkout(name: str, package: Path = Path(egca_plugin.__file__).parent, here: Path | None = None) -> Path:
    """The checkout that holds ``benchmarks/name``: that of the installed package, else the current directory.

    Raises EgcaError where neither is one: benchmarks are not part of the wheel.
    """
    places = (package.parent, here or Path.cwd())
    for place in places:
        if (place / "benchmarks" / name / "__main__.py").is_file():
            return place
    looked = " or ".join(dict.fromkeys(str(place) for place in places))
    raise EgcaError(
        f"bench {name}: no benchmarks/{name} in {looked}; benchmarks come with the sources and not with the wheel: "
        "clone the repository, run pip install -e '.[bench]' in it, and try again"
    )
