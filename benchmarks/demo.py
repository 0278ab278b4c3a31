"""Where the demo's step goes: seconds by phase, for the demo as it is and with one thing changed at a time.

    python -m benchmarks.demo

Runs verl with SmolLM2-135M once a variant and round, the variants in turn, two steps each, on an idle host: some three
minutes a run. The first step of a run is left out of the phases, and is what `first line` waits for. Writes
results/demo.json; `egca table` prints it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import common
from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import launch
from egca_plugin.cli.live import PHASES
from egca_plugin.cli.prepare import write
from egca_plugin.tasks.catalog import SETS

STEPS = 2
BF16 = "actor_rollout_ref.actor.fsdp_config.mixed_precision.param_dtype=bf16"


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that differs from the demo: verl's settings, or the environment."""

    overrides: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


VARIANTS = {
    "as it is": Variant(),
    "padded": Variant(("actor_rollout_ref.model.use_remove_padding=false",)),
    "waiting threads spin": Variant(environment={"OMP_WAIT_POLICY": "active"}),
    "rollout in bf16": Variant(("actor_rollout_ref.rollout.dtype=bfloat16",)),
    "rollout and actor in bf16": Variant(("actor_rollout_ref.rollout.dtype=bfloat16", BF16)),
}


def timed(variant: Variant) -> dict[str, float]:
    """Seconds: of each phase and of the whole second step, and from the start to the first step's line."""
    found: dict[int, dict[str, float]] = {}
    began, first = time.perf_counter(), 0.0

    def on_line(line: str) -> None:
        nonlocal first
        told = launch.step_metrics(line)
        if told:
            found[told[0]] = told[1]
            first = first or time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder, _environment(variant.environment):
        code = launch.run(_run(Path(folder), variant), on_line)
    if code or STEPS not in found:
        raise RuntimeError(f"verl ended with exit code {code} after {len(found)} of {STEPS} steps")
    metrics = found[STEPS]
    phases = {name: metrics[f"timing_s/{key}"] for key, name in PHASES.items()}
    return {**phases, "step": metrics["timing_s/step"], "first line": first}


def _run(out: Path, variant: Variant) -> launch.CpuRun:
    """What `egca demo` runs."""
    data = [write(SETS["starter"], None, split, "off", out / "data").rows for split in ("train", "test")]
    return launch.CpuRun(
        *(smollm2.prepare(), *data, out, out / "records"),
        steps=STEPS,
        samples=6,
        prompt_tokens=256,
        response_tokens=96,
        overrides=variant.overrides,
    )


@contextmanager
def _environment(names: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(names)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="measure on a busy host too: no result, but a look")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the result")
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 2) if options.busy else common.require_idle()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in options.variants}
    for _ in range(options.rounds):
        for name in options.variants:
            found[name].append(timed(VARIANTS[name]))
    columns = ("demo", *PHASES.values(), "step", "first line")
    rows = [
        [name, *(f"{statistics.median(run[column] for run in runs):.1f}" for column in columns[1:])]
        for name, runs in found.items()
    ]
    title = f"Seconds of the demo's second step by phase, and to the first line of results; runs: {options.rounds}"
    settings = {"rounds": options.rounds, "steps": STEPS, "load": load}
    path = common.write_result(
        "demo", settings=settings, tables=[common.table(title, columns, rows)], data={"runs": found}, folder=options.out
    )
    print(path)


if __name__ == "__main__":
    main()
