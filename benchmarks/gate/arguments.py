"""The arguments that the gate's benchmarks share."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.common import RESULTS


def parse(description: str) -> argparse.Namespace:
    """``mbpp``, ``corpus``, ``out`` and ``seed`` of the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--mbpp", type=Path, required=True, help="mbpp.jsonl")
    parser.add_argument("--corpus", type=Path, required=True, help="what benchmarks.localization.mutants wrote")
    parser.add_argument("--out", type=Path, default=RESULTS / "gate")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()
